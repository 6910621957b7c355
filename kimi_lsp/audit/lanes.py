"""The lanes as data: each has one deterministic tool, and one topic with its rules for the model."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Protocol

from kimi_lsp.errors import UsageError
from mcp_tools import security_surface
from mcp_tools.finding import Finding, Lane, Level, Notice, Rule
from mcp_tools.project import CODE, Project, Source
from mcp_tools.security_surface.live import LiveScan

Tool = Callable[[Project, Sequence[str]], Iterator[Finding | Notice]]


class LiveTool(Protocol):
    """A tool that keeps up with a text: see `mcp_tools.security_surface.LiveScan`."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What holds of the last text."""
        ...

    def update(self, source: Source, edits: Sequence[tuple[int, int, int]]) -> None:
        """Take a changed text in."""
        ...

    def settle(self) -> bool:
        """Look at it as a whole again; True when that changed anything."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """A rule as the model is told it: the rule and what counts as broken."""

    rule: Rule
    means: str


@dataclass(frozen=True)
class LaneSpec:
    """One lane. `tool` looks at each file by itself, so its answer for an unchanged file may be kept."""

    lane: Lane
    tool: Tool
    tool_package: str
    topic: str
    asks: tuple[Ask, ...]
    not_wanted: tuple[str, ...]
    languages: frozenset[str]  # of files that the model reviews
    live: Callable[[Source], LiveTool] | None = None  # the tool for a text that is being edited
    beyond_live: frozenset[str] = frozenset()  # languages of which the tool knows more when it may run a program

    @cached_property
    def tool_version(self) -> str:
        """A digest of the tool's own files: what it said before it changed is not what it says now."""
        digest = hashlib.sha256()
        for package in (self.tool_package, "mcp_tools.redaction", "mcp_tools.project"):
            for file in sorted(_files(resources.files(package)), key=lambda item: item.name):
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """The rules a model may name, by id."""
        return {ask.rule.id: ask.rule for ask in self.asks}


def _files(folder: Traversable) -> Iterator[Traversable]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _files(item)
        elif item.name.endswith((".py", ".scm", ".toml")):
            yield item


def _ask(rule_id: str, level: Level, cwe: int, summary: str, means: str) -> Ask:
    known = security_surface.RULES.get(rule_id)
    return Ask(known or Rule(rule_id, summary, level, Lane.SECURITY, (f"CWE-{cwe}",)), means)


_SECURITY = LaneSpec(
    lane=Lane.SECURITY,
    tool=security_surface.scan,
    live=LiveScan,
    beyond_live=frozenset({"python"}),
    tool_package="mcp_tools.security_surface",
    topic=(
        "Security. Report a weakness only if you can name who controls the input, how it reaches the weak place in "
        "this text, and what goes wrong. One finding a cause, at the line where it has to be mended."
    ),
    asks=(
        _ask("sql-injection", Level.ERROR, 89, "A query is built from text", "outside text becomes part of a query"),
        _ask(
            "shell-injection", Level.ERROR, 78, "A command is built from text", "outside text becomes part of a command"
        ),
        _ask(
            "code-injection", Level.ERROR, 94, "Text is run as code", "outside text is evaluated as code or a template"
        ),
        _ask(
            "unsafe-deserialization",
            Level.ERROR,
            502,
            "Untrusted data becomes objects",
            "outside bytes are turned into objects",
        ),
        _ask(
            "path-traversal",
            Level.ERROR,
            22,
            "A path is built from outside text",
            "outside text chooses a file without a check that it stays inside a folder",
        ),
        _ask(
            "cross-site-scripting",
            Level.ERROR,
            79,
            "Outside text reaches a page unescaped",
            "outside text becomes markup or script in a page",
        ),
        _ask(
            "server-side-request-forgery",
            Level.ERROR,
            918,
            "Outside text chooses where the server connects",
            "outside text chooses the host that the server calls",
        ),
        _ask(
            "xml-external-entity",
            Level.ERROR,
            611,
            "An XML parser resolves external entities",
            "outside XML is parsed with entities or external DTDs on",
        ),
        _ask(
            "open-redirect",
            Level.WARNING,
            601,
            "Outside text chooses where a user is sent",
            "a redirect goes where a parameter says",
        ),
        _ask(
            "broken-authentication",
            Level.ERROR,
            287,
            "A proof of identity can be passed by",
            "a login, token or signature check can be skipped, forged or compared wrongly",
        ),
        _ask(
            "broken-access-control",
            Level.ERROR,
            862,
            "Somebody may do what they should not",
            "an action or record is reached without a check that this caller may",
        ),
        _ask(
            "race-condition",
            Level.WARNING,
            362,
            "Two at once break a check",
            "a check and its use can be torn apart with a security effect",
        ),
        _ask(
            "weak-cryptography",
            Level.WARNING,
            327,
            "Cryptography that does not protect",
            "a broken cipher or mode, a fixed nonce or key, a predictable random value that guards something",
        ),
        _ask(
            "tls-verification-disabled",
            Level.ERROR,
            295,
            "A peer's certificate is not checked",
            "certificate or host name checks are off",
        ),
        _ask(
            "sensitive-data-exposure",
            Level.WARNING,
            200,
            "Private data gets out",
            "secrets or personal data reach a log, an error, a response or a file that others read",
        ),
        _ask(
            "memory-safety",
            Level.ERROR,
            119,
            "Memory is used outside its bounds or life",
            "out of bounds, use after free, or unsound unsafe code",
        ),
        _ask(
            "resource-exhaustion",
            Level.WARNING,
            400,
            "A small input costs much",
            "one small request makes unbounded work or memory, such as a backtracking pattern",
        ),
    ),
    not_wanted=(
        "style, naming, missing comments, missing tests, performance without a security effect",
        "what a linter or the known findings below already say",
        "missing hardening with no way to exploit it, and advice such as “consider validating”",
        "test code, examples and generated code, unless a secret or a real system is at risk",
        "guesses about code that you cannot see: if it depends on that, leave it out or say confidence low",
    ),
    languages=CODE | {"html", "dockerfile", "yaml", "conf", "ini"},
)

LANES: Mapping[Lane, LaneSpec] = {_SECURITY.lane: _SECURITY}
"""The lanes that exist so far."""


def lane_spec(lane: Lane) -> LaneSpec:
    """The spec of a lane. Raises UsageError for one that has not been built yet."""
    if lane not in LANES:
        raise UsageError(f"lane {lane.value!r} is not available yet", hint=f"Available: {', '.join(LANES)}.")
    return LANES[lane]
