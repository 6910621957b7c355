"""What the query patterns say of one text, kept up while it is edited: what changed is parsed and judged again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tree_sitter import Point, Tree

from mcp_tools.finding import Notice
from mcp_tools.project import Source
from mcp_tools.project.syntax import PARSED, encoded
from mcp_tools.redaction.live import Hunk
from mcp_tools.security_surface.by_query import TOO_LONG, judged, not_parsed, short_of
from mcp_tools.security_surface.drafts import Draft
from mcp_tools.security_surface.grammar import CALLS, FUNCTIONS
from mcp_tools.security_surface.imports import Imports
from mcp_tools.security_surface.live_words import LiveWords
from mcp_tools.security_surface.search import Place
from mcp_tools.security_surface.syntax import parse, path_to

_MAX_STEPS = 700  # of the parser, about 16 ms: one open quote can make it read all that follows
_FEW_PLACES = 40  # that are judged at every change; of more only those in the function that was changed, if it was one
_MAX_PLACES = 1_000  # of more only those near it
_NEAR_BYTES = 2_000
_IMPORT_WORDS = (b"import", b"require")


class FromByte:
    """From offsets in the bytes to offsets in the text, each from the one asked before."""

    def __init__(self, data: bytes) -> None:
        self._data, self._is_ascii = data, data.isascii()
        self._byte = self._char = 0

    def __call__(self, offset: int) -> int:
        """The offset of the character that holds a byte."""
        if self._is_ascii:
            return offset
        while 0 < offset < len(self._data) and self._data[offset] & 0xC0 == 0x80:  # within a character
            offset -= 1
        low, high = min(offset, self._byte), max(offset, self._byte)
        between = len(self._data[low:high].decode("utf-8", "surrogatepass"))
        self._char += between if offset > self._byte else -between
        self._byte = offset
        return self._char


class LiveQueries:
    """The drafts and notices of a text.

    What an edit changes is known at once, but for the tree where it is broken over a long stretch: then what was known
    is kept, moved along with its text. A look at the whole (a new instance) says what holds.
    """

    def __init__(self, source: Source) -> None:
        self.drafts: list[Draft] = []
        self.notices: list[Notice] = []
        self._source = source
        self._tree: Tree | None = None
        self._imports: Imports | None = None
        self._data = b""
        self._words: LiveWords | None = None
        if source.language in PARSED:
            self._data = encoded(source.text)
            self._words = LiveWords(source.language, source.path, self._data)
            self._judge(self._words)

    def update(self, source: Source, changed: Sequence[Hunk]) -> None:
        """Take a changed text in."""
        old, self._source = self._source.text, source
        if self._words is None or source.language is None:
            return
        before, self._data = self._data, encoded(source.text)
        in_bytes = list(_in_bytes(old, source.text, changed))
        self._words.update(before, self._data, in_bytes)
        self.drafts = list(_moved(self.drafts, changed))
        if self._tree is not None:
            for hunk in in_bytes:
                _edit(self._tree, before, self._data, hunk)
            tree = parse(source.language, self._data, self._tree, max_steps=_MAX_STEPS)
            if tree is None:
                return  # the old tree knows of the edits: the next text may cost less
            old_tree, self._tree = self._tree, tree
            if _touches_imports(tree, before, self._data, in_bytes):
                self._imports = None
            elif self._words.count > _FEW_PLACES and (functions := _functions(old_tree, tree, in_bytes)):
                self._judge(self._words, functions)
                return
        is_crowded = self._words.count > _MAX_PLACES
        self._judge(self._words, [_around(hunk) for hunk in in_bytes] if is_crowded else ())

    def _judge(self, words: LiveWords, near: Sequence[Place] = ()) -> None:
        """Judge all places, or only those in some byte ranges and keep what is known of the others."""
        source, language = self._source, self._source.language
        if not words.count or language is None:
            self.drafts, self.notices = [], []
            return
        if reason := not_parsed(source):
            self.drafts, self.notices = [], [short_of(source.path, reason)]
            return
        if self._tree is None:
            self._tree = parse(language, self._data)
        if self._tree is None:
            self.drafts, self.notices = [], [short_of(source.path, TOO_LONG)]
            return
        if self._imports is None:
            self._imports = Imports(language, source.text)
        wanted, from_byte = words.wanted, FromByte(self._data)
        if near:
            wanted = [(pattern, [each for each in places if _is_in(each, near)]) for pattern, places in wanted]
        drafts, self.notices = judged(source, self._tree, self._data, wanted, from_byte, self._imports)
        if near:
            spans = [(from_byte(start), from_byte(min(stop, len(self._data)))) for start, stop in near]
            new = {(draft.rule.id, draft.start, draft.stop) for draft in drafts}
            drafts += [
                draft
                for draft in self.drafts
                if not _is_in((draft.start, draft.stop), spans) and (draft.rule.id, draft.start, draft.stop) not in new
            ]
        self.drafts = drafts


def _around(hunk: Hunk) -> Place:
    return max(hunk.start - _NEAR_BYTES, 0), hunk.stop + _NEAR_BYTES


def _functions(old: Tree, tree: Tree, changed: Sequence[Hunk]) -> list[Place]:
    """The functions that hold all that changed, each the outermost; none where something else changed too.

    What a function holds hardly decides about what lies outside of it. One that is an argument of a call may.
    """
    root = tree.root_node
    functions: list[Place] = []
    for hunk in changed:
        leaf = root.descendant_for_byte_range(hunk.start, hunk.stop)
        for node in (*path_to(root, leaf), leaf) if leaf is not None else ():
            if node.type in CALLS or node.is_error:
                return []
            if node.type in FUNCTIONS:
                functions.append(node.byte_range)
                break
        else:
            return []
    for part in old.changed_ranges(tree):
        if not any(start <= part.start_byte and part.end_byte <= stop for start, stop in functions):
            return []
    return functions


def _is_in(span: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    return any(span[0] < stop and start < span[1] for start, stop in spans)


def _moved(drafts: Sequence[Draft], changed: Sequence[Hunk]) -> Iterator[Draft]:
    """The drafts that no hunk touches, where they stand now."""
    for draft in drafts:
        shift = sum(hunk.shift for hunk in changed if hunk.old_stop <= draft.start)
        if not any(hunk.old_start < draft.stop and draft.start < hunk.old_stop for hunk in changed):
            yield replace(draft, start=draft.start + shift, stop=draft.stop + shift) if shift else draft


def _in_bytes(old: str, new: str, changed: Sequence[Hunk]) -> Iterator[Hunk]:
    """The hunks in bytes. A CR before one is taken in: what follows it decides what becomes of it."""
    if old.isascii() and new.isascii():
        for hunk in changed:
            back = 1 if new[hunk.start - 1 : hunk.start] == "\r" else 0
            yield Hunk(hunk.old_start - back, hunk.old_stop, hunk.start - back, hunk.stop)
        return
    at = byte = old_byte = 0
    for hunk in changed:
        back = 1 if new[hunk.start - 1 : hunk.start] == "\r" and hunk.start > at else 0
        kept = _size(new[at : hunk.start - back])
        gone, come = _size(old[hunk.old_start - back : hunk.old_stop]), _size(new[hunk.start - back : hunk.stop])
        byte, old_byte = byte + kept, old_byte + kept
        yield Hunk(old_byte, old_byte + gone, byte, byte + come)
        byte, old_byte, at = byte + come, old_byte + gone, hunk.stop


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _edit(tree: Tree, before: bytes, data: bytes, hunk: Hunk) -> None:
    """Tell a tree of one hunk; those before it are known to it already."""
    start = Point(data.count(b"\n", 0, hunk.start), hunk.start - data.rfind(b"\n", 0, hunk.start) - 1)
    tree.edit(
        hunk.start,
        hunk.start + hunk.old_stop - hunk.old_start,
        hunk.stop,
        start,
        _end(start, before[hunk.old_start : hunk.old_stop]),
        _end(start, data[hunk.start : hunk.stop]),
    )


def _end(start: Point, data: bytes) -> Point:
    rows = data.count(b"\n")
    return Point(start.row + rows, len(data) - data.rfind(b"\n") - 1 if rows else start.column + len(data))


def _touches_imports(tree: Tree, before: bytes, data: bytes, changed: Sequence[Hunk]) -> bool:
    """Say whether an edit can change what is imported."""
    for hunk in changed:
        start = data.rfind(b"\n", 0, hunk.start) + 1
        back, stop = hunk.start - start, data.find(b"\n", hunk.stop)
        on = (len(data) if stop < 0 else stop) - hunk.stop
        lines = before[hunk.old_start - back : hunk.old_stop + on] + b"\n" + data[start : hunk.stop + on]
        if any(word in lines for word in _IMPORT_WORDS):
            return True
        root = tree.root_node
        leaf = root.descendant_for_byte_range(hunk.start, hunk.stop)
        if leaf is not None and any("import" in node.type for node in (*path_to(root, leaf), leaf)):
            return True
    return False
