"""The grammar of one object in a model's answer, read as it comes: where it closes, breaks, or holds the findings."""

import re
from dataclasses import dataclass, field
from enum import Enum, auto

from kimi_lsp.audit.candidate import FIELDS
from kimi_lsp.audit.lenient import normal

LISTS = frozenset("findings issues results problems items vulnerabilities violations comments bugs defects".split())
# Objects under these keys belong to a finding, whatever their own fields are called.
_NESTED = frozenset("location locations range region span start end position related references evidence steps".split())

_LEAD = r"\{(?:\s{0,60}(?://[^\n]{0,120}\n|/\*[^*]{0,120}\*/)){0,2}\s{0,100}"
_NAME = r"[A-Za-z_$][\w .$\-]{0,60}"
OPEN = re.compile(rf"{_LEAD}(?:(?P<mark>[\"'`]?)(?P<key>{_NAME})(?P=mark)\s{{0,60}}:|\}})")
OPENING = re.compile(  # what may become OPEN when more comes
    rf"{_LEAD}(?:[\"'`]?(?:{_NAME})?[\"'`]?\s{{0,60}}|/(?:/[^\n]{{0,120}}|\*[^*]{{0,120}}\*?)?)"
)
LOOKAHEAD = 640  # more than the longest match of OPEN
STRING_REST = {mark: re.compile(rf"(?:[^{mark}\\]|\\.)*", re.DOTALL) for mark in "\"'`"}
BARE = re.compile(r"[^\s,:\[\]{}\"'`]+")
_SPACE = re.compile(r"\s*")


class Outcome(Enum):
    """What reading an object came to."""

    MORE = auto()  # it goes on
    CLOSED = auto()
    WRAPS = auto()  # it is no finding: it holds the findings, and its open frames stay on the stack
    BROKEN = auto()
    TOO_LARGE = auto()
    CUT = auto()


@dataclass(slots=True)
class Frame:
    """An open brace or bracket. `is_findings`: a list whose items are findings."""

    mark: str
    is_findings: bool = False
    key: str = ""  # the last key read in it, normalised; of a list, the key it stands under


class _Expect(Enum):
    KEY = auto()
    COLON = auto()
    VALUE = auto()
    COMMA = auto()


@dataclass(slots=True)
class ObjectScan:
    """Reads one object by a relaxed grammar: any quotation marks, comments, bare words, surplus commas.

    Strings end at the first mark that no backslash precedes; text in which that is wrong breaks the grammar soon after.
    `start`, `at` and `stop` are offsets in the text that `run` is given; `shift` moves them when its beginning is
    forgotten. `stack` is shared with the caller: its frames below `base` are not the object's.
    """

    start: int
    stack: list[Frame]
    max_size: int
    at: int = 0
    base: int = 0
    fields: set[str] = field(default_factory=set[str])  # what the object's own keys give, of a finding's fields
    first_key: str = ""
    mark: str = ""  # the quotation mark of the string that is open
    _string_start: int = 0
    _expect: _Expect = _Expect.KEY
    _text: str = ""
    _end: int = 0
    _is_final: bool = False

    def __post_init__(self) -> None:
        """Step over the opening brace."""
        self.base = len(self.stack)
        self.stack.append(Frame("{"))
        self.at = self.start + 1

    def shift(self, cut: int) -> None:
        """Forget that many characters before the object."""
        self.start -= cut
        self.at -= cut
        self._string_start -= cut

    def run(self, text: str, *, is_final: bool) -> Outcome:
        """Read on. The text is what was given before and more; only what is new is looked at."""
        self._text, self._is_final = text, is_final
        self._end = min(len(text), self.start + self.max_size)
        while (outcome := self._step()) is None:
            pass
        self._text = ""
        return outcome

    def _step(self) -> Outcome | None:
        if self.mark:
            return self._string()
        space = _SPACE.match(self._text, self.at, self._end)
        self.at = space.end() if space else self.at
        if self.at >= self._end:
            return self._ran_out()
        sign = self._text[self.at]
        if sign in "/#" and self._expect is not _Expect.COLON:
            return self._comment(sign)
        match self._expect:
            case _Expect.KEY:
                return self._key(sign)
            case _Expect.COLON:
                self.at += 1
                self._expect = _Expect.VALUE
                return None if sign == ":" else Outcome.BROKEN
            case _Expect.VALUE:
                return self._value(sign)
            case _Expect.COMMA:
                return self._comma(sign)

    def _ran_out(self) -> Outcome:
        if self._end == self.start + self.max_size:
            return Outcome.TOO_LARGE
        return Outcome.CUT if self._is_final else Outcome.MORE

    def _string(self) -> Outcome | None:
        rest = STRING_REST[self.mark].match(self._text, self.at, self._end)
        self.at = rest.end() if rest else self.at
        if self.at >= self._end or self._text[self.at] != self.mark:
            return self._ran_out()
        body = self._text[self._string_start : self.at]
        self.at += 1
        self.mark = ""
        if self._expect is _Expect.KEY:
            self._have_key(body)
        else:
            self._expect = _Expect.COMMA
        return None

    def _comment(self, sign: str) -> Outcome | None:
        opening = self._text[self.at : min(self.at + 2, self._end)]
        if sign == "/" and len(opening) < 2:
            return self._ran_out()
        if sign == "/" and opening not in ("//", "/*"):
            return Outcome.BROKEN
        close = "*/" if opening == "/*" else "\n"
        stop = self._text.find(close, self.at, self._end)
        if stop < 0:
            return self._ran_out()
        self.at = stop + len(close)
        return None

    def _have_key(self, key: str) -> None:
        key = normal(key[:64])
        self._expect = _Expect.COLON
        self.stack[-1].key = key
        if len(self.stack) == self.base + 1:
            self.first_key = self.first_key or key
            if key in FIELDS:
                self.fields.add(FIELDS[key])

    def _bare(self) -> str | None:
        """A word without quotation marks; None where its end has not come."""
        found = BARE.match(self._text, self.at, self._end)
        stop = found.end() if found else self.at + 1
        if stop >= self._end:
            return None
        word = self._text[self.at : stop]
        self.at = stop
        return word

    def _key(self, sign: str) -> Outcome | None:
        if sign == "}":
            return self._close()
        if sign == ",":
            self.at += 1
        elif sign in STRING_REST:
            self._open_string(sign)
        elif sign.isalpha() or sign in "_$":
            word = self._bare()
            if word is None:
                return self._ran_out()
            self._have_key(word)
        else:
            return Outcome.BROKEN
        return None

    def _open_string(self, sign: str) -> None:
        self.at += 1
        self.mark, self._string_start = sign, self.at

    def _value(self, sign: str) -> Outcome | None:
        is_list = self.stack[-1].mark == "["
        if sign in STRING_REST:
            self._open_string(sign)
        elif sign in "{[":
            return self._nested(sign)
        elif is_list and sign == "]":
            return self._close()
        elif is_list and sign == ",":
            self.at += 1
        elif sign in ",:]}":
            return Outcome.BROKEN
        else:
            if self._bare() is None:
                return self._ran_out()
            self._expect = _Expect.COMMA
        return None

    def _comma(self, sign: str) -> Outcome | None:
        is_object = self.stack[-1].mark == "{"
        if sign == ",":
            self.at += 1
            self._expect = _Expect.KEY if is_object else _Expect.VALUE
            return None
        return self._close() if sign == ("}" if is_object else "]") else Outcome.BROKEN

    def _nested(self, sign: str) -> Outcome | None:
        """A brace or bracket within the object, which may turn out to be no finding but what holds the findings."""
        top = self.stack[-1]
        key = top.key
        is_finding = {"message", "quote"} <= self.fields
        if sign == "[" and key in LISTS and top.mark == "{" and not is_finding:
            self.stack.append(Frame("[", is_findings=True))
            self.at += 1
            return Outcome.WRAPS
        if sign == "{" and not self.fields and key not in _NESTED:
            if OPENING.fullmatch(self._text, self.at) and not self._is_final:
                return Outcome.MORE
            found = OPEN.match(self._text, self.at)
            if found and found["key"] and normal(found["key"]) in FIELDS:
                top.is_findings = top.mark == "["
                return Outcome.WRAPS
        self.stack.append(Frame(sign, key=key if sign == "[" else ""))
        self._expect = _Expect.KEY if sign == "{" else _Expect.VALUE
        self.at += 1
        return None

    def _close(self) -> Outcome | None:
        self.at += 1
        self.stack.pop()
        self._expect = _Expect.COMMA
        return Outcome.CLOSED if len(self.stack) == self.base else None
