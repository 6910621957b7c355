"""Hover, quick fixes, code lens, inlay hints: what is known of the findings at a place."""

from collections.abc import Awaitable, Sequence

from anyio import to_thread

from kimi_lsp.faces.reasons import Because, Reasons
from kimi_lsp.lsp.actions_menu import Entry, at_place, menu
from kimi_lsp.lsp.commands import CommandName, FindingArgument
from kimi_lsp.lsp.convert import Shown, is_models, place, to_range, to_region, touching
from kimi_lsp.lsp.documents import Document
from kimi_lsp.lsp.explain import Explained, hover
from kimi_lsp.lsp.parts import Parts
from kimi_lsp.lsp.protocol import (
    CodeAction,
    CodeActionParams,
    CodeLens,
    Command,
    DocumentParams,
    Hover,
    InlayHint,
    InlayHintParams,
    Position,
    PositionParams,
    Range,
)
from mcp_tools.project import Source


class Explain:
    """Answers about findings. The text is looked at before anything is awaited."""

    def __init__(self, parts: Parts, reasons: Reasons) -> None:
        self._parts = parts
        self._reasons = reasons

    def hover(self, params: PositionParams) -> Awaitable[Hover | None] | Hover | None:
        """What the findings at a place say, and why."""
        document = self._parts.documents.get(params.text_document.uri)
        if document is None:
            return None
        source = document.source()
        where = to_region(Range(params.position, params.position), source, self._parts.encoding)
        found = touching(self._parts.publisher.shown(document), where, source)
        if not found:
            return None
        if document.home is None or not any(one.finding.origin.trail_id for one in found):
            return self._hover(document, found, source, {})
        return self._hover_with_reasons(document, found, source)

    async def _hover_with_reasons(self, document: Document, found: Sequence[Shown], source: Source) -> Hover:
        session = document.home.session if document.home is not None else None
        reasons: dict[str, Because] = {}
        for trail_id in dict.fromkeys(one.finding.origin.trail_id for one in found):
            if session is not None and trail_id is not None:
                because = await to_thread.run_sync(self._reasons.look_up, session, trail_id)
                if because is not None:
                    reasons[trail_id] = because
        return self._hover(document, found, source, reasons)

    def _hover(self, document: Document, found: Sequence[Shown], source: Source, reasons: dict[str, Because]) -> Hover:
        items = [
            Explained(
                one, reasons.get(one.finding.origin.trail_id or ""), self._parts.book.of(document.home, one.finding)
            )
            for one in found
        ]
        contents = hover(items, source, is_markdown=self._parts.caps.markdown_hover)
        return Hover(contents, to_range(place(found[0], source), source, self._parts.encoding))

    def code_action(self, params: CodeActionParams) -> list[CodeAction | Command]:
        """What can be done about the findings at a place."""
        parts = self._parts
        document = parts.documents.get(params.text_document.uri)
        if document is None:
            return []
        source = document.source()
        found = at_place(parts.publisher.shown(document), params, source, parts.encoding)
        entries = [
            Entry(
                one,
                parts.publisher.diagnostic(one, source, document.home),
                parts.book.of(document.home, one.finding),
            )
            for one in found
        ]
        return menu(entries, params, has_literals=parts.caps.code_action_literals)

    def code_lens(self, params: DocumentParams) -> list[CodeLens]:
        """A line above each finding of a model, where the user wants it."""
        document = self._parts.documents.get(params.text_document.uri)
        if document is None or not self._parts.settings.code_lens:
            return []
        source = document.source()
        lenses: list[CodeLens] = []
        for one in self._parts.publisher.shown(document):
            if is_models(one.finding):
                argument = FindingArgument(document.uri, one.finding.fingerprint)
                command = Command(f"Kimi: why {one.finding.rule.id}?", CommandName.SHOW_REASONING.value, [argument])
                lenses.append(CodeLens(to_range(place(one, source), source, self._parts.encoding), command))
        return lenses

    def inlay_hint(self, params: InlayHintParams) -> list[InlayHint]:
        """The rule's name at the end of a line with a finding, where the user wants it."""
        document = self._parts.documents.get(params.text_document.uri)
        if document is None or not self._parts.settings.inlay_hints:
            return []
        source, encoding = document.source(), self._parts.encoding
        where = to_region(params.range, source, encoding)
        by_line: dict[int, list[str]] = {}
        for one in touching(self._parts.publisher.shown(document), where, source):
            by_line.setdefault(place(one, source).start_line, []).append(one.finding.rule.id)
        return [
            InlayHint(
                Position(line, _length(line, source, document)), ", ".join(dict.fromkeys(names)), padding_left=True
            )
            for line, names in sorted(by_line.items())
        ]


def _length(line: int, source: Source, document: Document) -> int:
    """A line's length in the client's units."""
    return document.mirror.position(source.offset(line, len(source.text)))[1]
