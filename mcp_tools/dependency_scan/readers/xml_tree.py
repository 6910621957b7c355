"""XML text to elements with places, by expat. A document type is refused, so no entity can be defined or fetched."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from mcp_tools.dependency_scan.readers.tree import MAX_DEPTH, not_parsed
from mcp_tools.finding import Notice
from mcp_tools.project import Source

MAX_ELEMENTS: Final = 200_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG_END = re.compile(r"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_ATTRIBUTE = re.compile(r"""\s([^\s=/>"']++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")


@dataclass(slots=True)
class Element:
    """An element: its name without namespace, its attributes, and the text of which it consists. Places in offsets."""

    name: str
    attributes: dict[str, str]
    start: int
    inner: int  # where its content begins
    stop: int = 0  # where its content ends
    children: "list[Element]" = field(default_factory=list["Element"])
    _text: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """Its own text, without white space around it."""
        return "".join(self._text).strip()

    def add_text(self, text: str) -> None:
        """Take a piece of text in."""
        self._text.append(text)

    def child(self, name: str) -> "Element | None":
        """The first child of a name."""
        return next((child for child in self.children if child.name == name), None)

    def below(self, *names: str) -> "Iterator[Element]":
        """The elements at a path of names below it."""
        level = [self]
        for name in names:
            level = [child for element in level for child in element.children if child.name == name]
        yield from level

    def said(self, name: str) -> str:
        """The text of a child, or nothing."""
        child = self.child(name)
        return child.text if child is not None else ""


class _RefusedError(Exception):
    """The document holds what is not read."""


@dataclass(frozen=True, slots=True)
class XmlDocument:
    """A parsed document: what stands before an error is in `root`."""

    source: Source
    root: Element | None
    notices: tuple[Notice, ...] = ()

    def text_place(self, element: Element) -> tuple[int, int]:
        """The place of an element's text, without white space around it."""
        raw = self.source.text[element.inner : element.stop]
        at = raw.find(element.text) if element.text else -1
        if at >= 0:
            return element.inner + at, element.inner + at + len(element.text)
        return element.start, max(element.stop, element.inner)

    def attribute_place(self, element: Element, name: str) -> tuple[int, int]:
        """The place of an attribute's value."""
        tag = self.source.text[element.start : element.inner]
        for found in _ATTRIBUTE.finditer(tag):
            if found[1] == name:
                span = found.span(2 if found[2] is not None else 3)
                return element.start + span[0], element.start + span[1]
        return element.start, element.inner


class _Builder:
    """Listens to expat."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._parser = expat.ParserCreate("utf-8", "\x01")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._open: list[Element] = []
        self._count = 0
        self.root: Element | None = None

    def run(self) -> Notice | None:
        text = _SURROGATE.sub("\ufffd", self._source.text)
        try:
            self._parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            return not_parsed(self._source, "XML", expat.ErrorString(error.code), self._at(self._parser.ErrorByteIndex))
        except _RefusedError as error:
            return not_parsed(self._source, "XML", str(error), self._here())
        return None

    def _here(self) -> int:
        return self._at(self._parser.CurrentByteIndex)

    def _at(self, byte: int) -> int:
        return self._source.from_byte(max(byte, 0))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise _RefusedError(f"nested more than {MAX_DEPTH} deep, or more than {MAX_ELEMENTS:,} elements")
        start = self._here()
        end = _TAG_END.match(self._source.text, start)
        inner = end.end() if end is not None else start
        plain = {key.rpartition("\x01")[2]: value for key, value in attributes.items()}
        element = Element(name.rpartition("\x01")[2], plain, start, inner, inner)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        element.stop = max(self._here(), element.inner)

    def _data(self, data: str) -> None:
        if self._open:
            self._open[-1].add_text(data)

    def _doctype(self, *_args: object) -> None:
        raise _RefusedError("a document type is not read: it could define entities")


def parse_xml(source: Source) -> XmlDocument:
    """Parse a text as XML. Never fetches anything; entities other than XML's five are an error."""
    builder = _Builder(source)
    notice = builder.run()
    return XmlDocument(source, builder.root, () if notice is None else (notice,))
