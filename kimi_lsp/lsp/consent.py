"""Ask the user once before a project's text goes to a remote endpoint. Never in an untrusted workspace."""

from collections.abc import Awaitable, Callable

import anyio
import msgspec

from kimi_lsp.audit import Outgoing
from kimi_lsp.faces.outgoing import question
from kimi_lsp.lsp.connection import Connection, RequestError
from kimi_lsp.lsp.protocol import MessageActionItem, MessageType, ShowMessageRequestParams

_YES = "Send it, and remember for this project"
_NO = "Do not send"


class Consent:
    """Asks one question at a time; what was answered in this session is not asked again for what nobody clicked on."""

    def __init__(self, connection: Connection, is_trusted: Callable[[], bool]) -> None:
        self._connection = connection
        self._is_trusted = is_trusted
        self._one = anyio.Lock()
        self._agreed: set[tuple[str, str]] = set()

    def asker(self, project: str, *, may_ask: bool) -> Callable[[Outgoing], Awaitable[bool]]:
        """The question as an audit of this project asks it; without asking anybody unless a user wants the audit."""

        async def ask(outgoing: Outgoing) -> bool:
            if not self._is_trusted() or not may_ask:
                return False
            async with self._one:
                if (project, outgoing.endpoint) in self._agreed:
                    return True
                if not await self._ask(outgoing):
                    return False
                self._agreed.add((project, outgoing.endpoint))
                return True

        return ask

    async def _ask(self, outgoing: Outgoing) -> bool:
        params = ShowMessageRequestParams(MessageType.WARNING, question(outgoing), [_item(_YES), _item(_NO)])
        try:
            answer = await self._connection.request("window/showMessageRequest", params, object, timeout_s=None)
        except RequestError:
            return False  # a client that cannot ask: the configuration can say it
        try:
            return msgspec.convert(answer, MessageActionItem).title == _YES
        except msgspec.ValidationError:
            return False  # the user closed the box


def _item(title: str) -> MessageActionItem:
    return MessageActionItem(title)
