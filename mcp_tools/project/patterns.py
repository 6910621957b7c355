"""Lists of gitignore patterns: what git says of a path, for any line, in linear time. Pure.

No line is an error: one that git could never match matches nothing. A pattern never gives back what an earlier star
took, so that a hostile ignore file cannot hold an audit up. Semantics: git's documentation of gitignore, and `dir.c`
and `wildmatch.c` of git 2.39 where it is silent; paths are matched byte by byte, as there. Tested against git.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

_SPECIAL = re.compile(rb"[*?\[\\]")
_ASCII = range(128)
_CLASSES = {
    b"alnum": frozenset(byte for byte in _ASCII if chr(byte).isalnum()),
    b"alpha": frozenset(byte for byte in _ASCII if chr(byte).isalpha()),
    b"blank": frozenset(b" \t"),
    b"cntrl": frozenset({*range(32), 127}),
    b"digit": frozenset(b"0123456789"),
    b"graph": frozenset(range(33, 127)),
    b"lower": frozenset(byte for byte in _ASCII if chr(byte).islower()),
    b"print": frozenset(range(32, 127)),
    b"punct": frozenset(byte for byte in range(33, 127) if not chr(byte).isalnum()),
    b"space": frozenset(b" \t\n\r"),
    b"upper": frozenset(byte for byte in _ASCII if chr(byte).isupper()),
    b"xdigit": frozenset(b"0123456789abcdefABCDEF"),
}


@dataclass(frozen=True, slots=True, order=True)
class _Rule:
    """What a line says of the paths that it matches. Of two lines the one with the higher number decides."""

    number: int
    includes: bool  # False for a `!` line, which takes back what an earlier one said
    folders_only: bool


@dataclass(frozen=True)
class _Glob:
    """A line with wildcards; compiled when a path may match it."""

    rule: _Rule
    source: bytes

    @cached_property
    def regex(self) -> re.Pattern[bytes]:
        return re.compile(self.source, re.DOTALL)


@dataclass(slots=True)
class _Table:
    """Lines by what they are compared with: the last part of a path, or all of it."""

    literals: dict[bytes, list[_Rule]] = field(default_factory=dict[bytes, list[_Rule]])
    globs: list[_Glob] = field(default_factory=list[_Glob])
    any_glob: re.Pattern[bytes] | None = None

    def matching(self, text: bytes) -> Iterator[_Rule]:
        """The rules of the lines that match a text."""
        yield from self.literals.get(text, ())
        if self.any_glob is not None and self.any_glob.match(text):
            yield from (glob.rule for glob in self.globs if glob.regex.match(text))


class Patterns:
    """A list of gitignore patterns, for paths relative to the folder that the list is for.

    `glob_count` is the number of lines with wildcards: each is compared with each path.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._names, self._paths = _Table(), _Table()
        for number, line in enumerate(lines):
            self._add(number, _encoded(line))
        for table in (self._names, self._paths):
            if table.globs:
                table.any_glob = re.compile(b"|".join(glob.source for glob in table.globs), re.DOTALL)
        self.glob_count = len(self._names.globs) + len(self._paths.globs)

    def _add(self, number: int, line: bytes) -> None:
        text = _trimmed(line.partition(b"\0")[0])
        if text.startswith(b"#"):
            return
        includes = not text.startswith(b"!")
        text = text if includes else text[1:]
        rule = _Rule(number, includes, text.endswith(b"/"))
        text = text.removesuffix(b"/")
        is_path = b"/" in text
        text = text.removeprefix(b"/")
        table = self._paths if is_path else self._names
        if not _SPECIAL.search(text):
            table.literals.setdefault(text, []).append(rule)
        elif (source := _regex(text)) is not None:
            table.globs.append(_Glob(rule, source))

    def verdict(self, path: str, *, is_folder: bool) -> bool | None:
        """What the last line that matches this very path says: True where it includes it, None when none matches.

        What is said of a folder above the path does not count here.
        """
        text = _encoded(path)
        rules = (*self._names.matching(text.rpartition(b"/")[2]), *self._paths.matching(text))
        last = max((rule for rule in rules if is_folder or not rule.folders_only), default=None)
        return None if last is None else last.includes

    def covers(self, path: str, *, is_folder: bool = False) -> bool:
        """Say whether the list includes a path, or a folder that it lies in: a `!` line cannot take that back."""
        slash = path.find("/")
        while slash != -1:
            if self.verdict(path[:slash], is_folder=True):
                return True
            slash = path.find("/", slash + 1)
        return bool(self.verdict(path, is_folder=is_folder))


def count_globs(lines: Iterable[str]) -> int:
    """How many of the lines may hold a wildcard, without the cost of understanding them."""
    return sum(1 for line in lines if any(char in line for char in "*?[\\"))


def _encoded(text: str) -> bytes:
    """The bytes that a path or line stood for; a surrogate that stands for none is kept apart from all that do."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _trimmed(line: bytes) -> bytes:
    """A line without the spaces at its end that no backslash keeps."""
    stop = len(line.rstrip(b" "))
    backslashes = stop - len(line[:stop].rstrip(b"\\"))
    return line[: stop + 1] if backslashes % 2 else line[:stop]


def _regex(text: bytes) -> bytes | None:
    """A pattern as a regular expression for a whole path or name; None when nothing can match it."""
    tokens = list(_tokens(text))
    if None in tokens:
        return None
    groups: list[list[bytes]] = [[]]
    joints: list[bytes] = []
    for token in tokens:
        if token in (_FOLDERS, _FOLDER_AT_LEAST):
            joints.append(token)
            groups.append([])
        elif token is not None:
            groups[-1].append(token)
    source = _group(groups[0])
    for joint, group in zip(joints[:-1], groups[1:-1], strict=True):
        source += b"(?>" + joint + _group(group) + b")"  # the first place that fits leaves the most for the rest
    if joints:
        source += joints[-1] + _group(groups[-1])
    return rb"(?:" + source + rb")\Z"


_STAR = rb"[^/]*"
_ALL = rb".*"
_FOLDERS = rb"(?:[^/]*+/)*?"
_FOLDER_AT_LEAST = rb"(?:[^/]*+/)+?"
_ANY = rb"[^/]"


def _group(tokens: list[bytes]) -> bytes:
    """The expression of what stands between two `**/`."""
    source, fixed, is_open = b"", b"", False
    for token in (*tokens, b""):
        if token not in (_STAR, b"/", _ALL, b""):
            fixed += token
            continue
        if is_open:  # all of `fixed` has one length: before another star its first place is best, else its last
            source += b"(?>" + (rb"[^/]*?" if token == _STAR else _STAR) + fixed + b")"
        else:
            source += fixed
        fixed, is_open = b"", token == _STAR
        source += b"" if is_open else token
    return source


def _tokens(text: bytes) -> Iterator[bytes | None]:
    """The parts of a pattern as expressions; a None for what nothing can match."""
    special = _SPECIAL.search(text)
    first = special.start() if special else len(text)
    at = 0
    while at < len(text):
        char = text[at : at + 1]
        if char == b"*":
            stop = len(text) - len(text[at:].lstrip(b"*"))
            rest = text[stop:]
            is_deep = stop - at > 1 and (at == first or text[at - 1 : at] == b"/")  # git compares what precedes apart
            at = stop
            if is_deep and not rest:
                yield _ALL
            elif is_deep and rest.startswith(b"/"):
                yield _FOLDERS
                at += 1
            elif is_deep and rest.startswith(b"\\/"):
                yield _FOLDER_AT_LEAST
                at += 2
            else:
                yield _STAR
        elif char == b"?":
            yield _ANY
            at += 1
        elif char == b"[":
            found = _bracket(text, at + 1)
            if found is None:
                yield None
                return
            yield found[0]
            at = found[1]
        else:
            at += char == b"\\"
            yield re.escape(text[at : at + 1]) if at < len(text) else None
            at += 1


def _bracket(text: bytes, at: int) -> tuple[bytes, int] | None:
    """The class that begins past a `[`, and where it ends; None when it does not end or names no known class."""
    is_negated = text[at : at + 1] in (b"!", b"^")
    at += is_negated
    members: set[int] = set()
    previous, is_first = -1, True
    while is_first or text[at : at + 1] != b"]":
        is_first = False
        if at >= len(text):
            return None
        char = text[at]
        if char == ord("-") and previous > 0 and text[at + 1 : at + 2] not in (b"", b"]"):
            at += 1 + (text[at + 1 : at + 2] == b"\\")
            if at >= len(text):
                return None
            members.update(range(previous, text[at] + 1))
            previous = -1
        elif text[at : at + 2] == b"[:" and (stop := text.find(b"]", at + 2)) > at + 2 and text[stop - 1] == ord(":"):
            named = _CLASSES.get(text[at + 2 : stop - 1])
            if named is None:
                return None
            members |= named
            previous, at = -1, stop
        else:
            at += char == ord("\\")
            if at >= len(text):
                return None
            previous = text[at]
            members.add(previous)
        at += 1
    members = (set(range(256)) - members if is_negated else members) - {ord("/")}
    return (b"[" + b"".join(b"\\x%02x" % member for member in sorted(members)) + b"]" if members else b"(?!)"), at + 1
