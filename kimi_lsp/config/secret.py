"""A value that is used and never shown. Pure."""

import hmac
from typing import Final, NoReturn, Self


class Secret:
    """Text that no `repr`, `str`, format, log line, pickle or dataclass dump shows. `reveal()` is the only way out."""

    __slots__ = ("_text",)
    _text: Final[str]

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: call it where the text is used, and keep the result nowhere."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(*(one.reveal().encode("utf-8", "surrogatepass") for one in (self, other)))

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")
