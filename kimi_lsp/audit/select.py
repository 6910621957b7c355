"""Choose what the model reviews, and in which order: never a secrets file, product code before tests."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from kimi_lsp.audit.lanes import LaneSpec
from kimi_lsp.audit.units import Lines, Unit, units_of
from mcp_tools.finding import Notice
from mcp_tools.project import Patterns, Project, Source
from mcp_tools.redaction import is_denied

_TEST = re.compile(
    r"(^|/)(tests?|testing|__tests__|spec|specs|fixtures|testdata|examples?|samples?|benchmarks?|vendor|third_party)/"
    r"|(^|/)(test_[^/]*|[^/]*_test|[^/]*\.test|[^/]*\.spec|conftest)\.[a-z]+$"
)
_LOCK = re.compile(r"(^|/)([^/]*\.lock|[^/]*-lock\.(json|yaml)|go\.sum|npm-shrinkwrap\.json)$")
_SECRET_FILES = (
    ".env",
    ".env.local",
    ".env.development",
    ".env.development.local",
    ".env.production",
    ".env.production.local",
    ".env.staging",
    ".env.test",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
)

_WHOLE: Mapping[str, Sequence[Lines]] = MappingProxyType({})


def review_order(path: str) -> tuple[bool, str]:
    """Sort key: product code first, then tests, examples and vendored code, each by path."""
    return _TEST.search(path) is not None, path


def units_for(
    spec: LaneSpec,
    project: Project,
    paths: Sequence[str],
    max_chars: int,
    deny: Sequence[str] = (),
    focus: Mapping[str, Sequence[Lines]] = _WHOLE,
) -> Iterator[Unit | Notice]:
    """The units of a lane in review order; a Notice for each file that is not sent although its lane would want it.

    `deny` are the user's and the project's patterns of paths that never go to a model, beside the built-in ones.
    `focus` names, for some paths, the lines that are wanted with what surrounds them.
    """
    denied = Patterns(deny)
    for path in sorted(paths, key=review_order):
        if is_denied(path) or denied.covers(path):
            yield Notice("denied-path", "never sent to a model", path)
            continue
        if _LOCK.search(path):
            continue
        source = project.read(path)
        if isinstance(source, Source) and source.language in spec.languages:
            yield from units_of(source, max_chars, focus.get(path))


def secret_files(project: Project, paths: Sequence[str]) -> Iterator[Source]:
    """Files whose values must be known to redaction although they are never sent, also those that git ignores."""
    for path in sorted({*_SECRET_FILES, *(path for path in paths if is_denied(path))}):
        source = project.read(path)
        if isinstance(source, Source):
            yield source
