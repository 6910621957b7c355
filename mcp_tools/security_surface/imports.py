"""Where a file's names come from: `pkl` is `pickle`, `exec` is `child_process.exec`. Read from the import lines."""

import re
from collections.abc import Callable, Iterator, Mapping

from mcp_tools.redaction.lazy import Lazy

_PY_IMPORT = Lazy(
    r"^[ \t]*import[ \t]+([\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w.]+(?:[ \t]+as[ \t]+\w+)?)*)", re.MULTILINE
)
_PY_FROM = Lazy(r"^[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]*(?:\(([^)]*)\)|([^\r\n#;]+))", re.MULTILINE)
_PY_NAME = Lazy(r"(\w+)(?:[ \t]+as[ \t]+(\w+))?")
_JS_IMPORT = Lazy(r"\bimport\s+(?:type\s+)?([\w$*{},\s]+?)\s+from\s*['\"]([^'\"\r\n]+)['\"]")
_JS_REQUIRE = Lazy(
    r"([\w$]+|\{[^{}]*\})\s*=\s*(?:await\s+import|require)\(\s*['\"]([^'\"\r\n]+)['\"]\s*\)(?:\.([\w$]+))?"
)
_JS_NAME = Lazy(r"([\w$*]+)(?:\s*(?:\bas\b|:)\s*([\w$]+))?")
_JS_INLINE = Lazy(r"require\(\s*['\"]([^'\"\r\n]+)['\"]\s*\)")
_GO_BLOCK = Lazy(r"^import\s*\(([^)]*)\)|^import\s+(\S[^\r\n]*)", re.MULTILINE)
_GO_SPEC = Lazy(r"(?:([\w.]+)[ \t]+)?[\"`]([^\"`\r\n]+)[\"`]")
_GO_VERSION = Lazy(r"/v\d+$|\.v\d+$")


def _python(text: str) -> Iterator[tuple[str, str]]:
    for line in _PY_IMPORT.finditer(text):
        for item in line[1].split(","):
            module, _, alias = (part.strip() for part in item.partition(" as "))
            yield (alias, module) if alias else (module.partition(".")[0], module.partition(".")[0])
    for line in _PY_FROM.finditer(text):
        for name in _PY_NAME.finditer(re.sub(r"#[^\r\n]*", "", line[2] or line[3] or "")):
            yield name[2] or name[1], f"{line[1]}.{name[1]}"


def _javascript(text: str) -> Iterator[tuple[str, str]]:
    for line in (*_JS_IMPORT.finditer(text), *_JS_REQUIRE.finditer(text)):
        module = line[2].removeprefix("node:")
        member = line[3] if line.re is _JS_REQUIRE.compiled else None
        outer, _, inner = line[1].partition("{")
        for name in _JS_NAME.finditer(outer):  # the module as a whole
            yield name[2] or name[1], f"{module}.{member}" if member else module
        for name in _JS_NAME.finditer(inner):  # names out of it
            yield name[2] or name[1], f"{module}.{name[1]}"


def _go(text: str) -> Iterator[tuple[str, str]]:
    for block in _GO_BLOCK.finditer(text):
        for spec in _GO_SPEC.finditer(block[1] or block[2]):
            last = _GO_VERSION.sub("", spec[2]).rpartition("/")[2]
            yield spec[1] or last, spec[2]


_READERS: Mapping[str, Callable[[str], Iterator[tuple[str, str]]]] = {
    "python": _python,
    "javascript": _javascript,
    "typescript": _javascript,
    "tsx": _javascript,
    "go": _go,
}


class Imports:
    """The origins of a file's names."""

    def __init__(self, language: str, text: str) -> None:
        reader = _READERS.get(language)
        self._origins = dict(reader(text)) if reader else {}

    def origin(self, name: str) -> str | None:
        """The full name of a dotted name as it stands in the text; None when it was not imported."""
        if inline := _JS_INLINE.match(name):
            return inline[1].removeprefix("node:") + name[inline.end() :]
        first, dot, rest = name.partition(".")
        known = self._origins.get(first)
        return None if known is None else known + dot + rest
