"""Findings from a model's answer while it streams: chunks of text in, Candidate or Malformed out. Waits for nothing."""

import re
from collections.abc import Iterator
from enum import Enum, auto

from kimi_lsp.audit.candidate import FIELDS, Candidate, Malformed, read
from kimi_lsp.audit.lenient import normal, relaxed, salvage
from kimi_lsp.audit.scan import BARE, LISTS, LOOKAHEAD, OPEN, OPENING, STRING_REST, Frame, ObjectScan, Outcome

__all__ = ["Candidate", "FindingParser", "Malformed"]

# A broken finding ends where an object begins with one of these keys, or with the key it began with itself.
_FIRST_KEYS = frozenset(("rule", "ruleid", "id", "title", "message", "quote", "severity", "category"))
_MAX_SKIP = 16_384  # of a string or comment outside the findings; a longer one is none
_MAX_RAW = 2_000  # of a finding that was given up, kept for the trail
_MAX_REREAD = 1_000_000  # characters read again because an object broke, and eight for each one of the answer
_BATCH = 4_096
_KEPT = 128  # characters before the current place, to see what a bracket follows

_IN_PROSE = re.compile(r"[{\[<]")
_IN_WRAPPER = re.compile(r"\S")
_LIST = re.compile(r"\[\s{0,100}(?=\{)")
_LIST_OPENING = re.compile(r"\[\s{0,100}(?:\][ \t]{0,20}`{0,2})?")
_EMPTY_LIST = re.compile(r"\[\s{0,100}\][ \t]{0,20}(?:[\r\n]|```|\Z)")
_BEGINS_LINE = re.compile(r"(?:\A|\n)[ \t\ufeff]*(?:```\w*\s*)?\Z")
_LAST_BRACE = re.compile(r"\}\s{0,64}\]\s{0,64}\}?\s{0,64}(?:```)?\s*\Z")
_THINK, _END_THINK = "<think>", "</think>"


class _Mode(Enum):
    START = auto()  # nothing but white space so far
    THINK = auto()  # in a leftover of the reasoning
    LAX = auto()  # in prose, or between the findings of a list
    OBJECT = auto()  # in what may be a finding
    BROKEN = auto()  # in a finding that broke the grammar: looking for where the next one begins
    FULL = auto()  # past a cap


class FindingParser:
    """Reads findings from an answer, in whatever JSON-like form it comes; see `feed`.

    The result does not depend on how the text is cut into chunks. The work is linear in the text's length; no more is
    held than `max_object` characters and a chunk.
    """

    def __init__(self, *, max_object: int = 65_536, max_findings: int = 10_000) -> None:
        """Bound the size of one finding's text, in characters, and the number of findings."""
        self._max_object = max_object
        self._max_findings = max_findings
        self._text = ""
        self._forgotten = 0  # characters dropped from the front of `_text`
        self._pending: list[str] = []  # chunks that lie within a string
        self._pending_size = 0
        self._at = 0
        self._mode = _Mode.START
        self._is_final = False
        self._stack: list[Frame] = []
        self._out: list[Candidate | Malformed] = []
        self._count = 0
        self._is_closed = False
        self._saw_json = False
        self._scan: ObjectScan | None = None
        # of what is broken:
        self._start = 0
        self._first_key = ""
        self._is_finding = False
        self._is_cut = False
        self._search = 0
        self._is_skipping = False
        self._reread = 0

    @property
    def is_complete(self) -> bool:
        """True once a well-formed answer was seen to its end: its outermost bracket closed. It may hold no finding."""
        return self._is_closed and not self._stack and self._mode is _Mode.LAX

    @property
    def saw_json(self) -> bool:
        """True once there was a finding, a list of findings, or what was meant to be one."""
        return self._saw_json

    def feed(self, text: str) -> Iterator[Candidate | Malformed]:
        """Take a chunk in and give what it completes: each finding when its own object closes."""
        scan = self._scan
        if scan and scan.mark and scan.at == len(self._text) and scan.mark not in text and "\\" not in text:
            self._pending.append(text)
            self._pending_size += len(text)
            if self._pending_size < _BATCH:
                return iter(())
            text = ""
        return self._advance(text)

    def close(self) -> Iterator[Candidate | Malformed]:
        """End the answer and give what is left: a finding that was cut is salvaged or Malformed."""
        self._is_final = True
        return self._advance("")

    def _advance(self, text: str) -> Iterator[Candidate | Malformed]:
        self._text += "".join([*self._pending, text]) if self._pending else text
        self._pending.clear()
        self._pending_size = 0
        self._out = []
        while self._step():
            pass
        self._forget()
        return iter(self._out)

    def _forget(self) -> None:
        """Drop the text that is done with."""
        if self._scan is not None:
            cut = self._scan.start
        elif self._mode is _Mode.BROKEN and not self._is_skipping:
            cut = self._start
        else:
            cut = self._at
        cut = min(cut, len(self._text)) - _KEPT
        if cut > _KEPT or cut * 2 > len(self._text) > 0:
            self._text = self._text[cut:]
            self._forgotten += cut
            self._at -= cut
            self._start -= cut
            self._search -= cut
            if self._scan is not None:
                self._scan.shift(cut)

    # Each step reads one thing and says whether there may be more to read now.

    def _step(self) -> bool:
        match self._mode:
            case _Mode.START:
                return self._begin()
            case _Mode.THINK:
                return self._think()
            case _Mode.LAX:
                return self._lax()
            case _Mode.OBJECT:
                return self._object()
            case _Mode.BROKEN:
                return self._broken()
            case _Mode.FULL:
                self._at = len(self._text)
                return False

    def _begin(self) -> bool:
        self._text = self._text.lstrip("\ufeff \t\r\n")
        if self._text.startswith(_THINK):
            self._mode, self._at = _Mode.THINK, len(_THINK)
        elif self._waits(_THINK.startswith(self._text)):
            return False
        else:
            self._mode = _Mode.LAX
        return True

    def _think(self) -> bool:
        end = self._text.find(_END_THINK, self._at)
        if end < 0:
            self._at = max(self._at, len(self._text) - len(_END_THINK))
            return False
        self._at, self._mode = end + len(_END_THINK), _Mode.LAX
        return True

    def _waits(self, is_undecided: object) -> bool:
        """Say whether what is read cannot be told yet and more text may come."""
        return bool(is_undecided) and not self._is_final

    def _lax(self) -> bool:
        match = (_IN_WRAPPER if self._stack else _IN_PROSE).search(self._text, self._at)
        if match is None:
            self._at = len(self._text)
            return False
        self._at = match.start()
        sign = match[0]
        if sign == "{":
            return self._opened()
        return self._in_wrapper(sign) if self._stack else self._in_prose(sign)

    def _opened(self) -> bool:
        """At a brace outside any object: begin one where a key follows."""
        if self._waits(OPENING.fullmatch(self._text, self._at)):
            return False
        if OPEN.match(self._text, self._at):
            self._scan = ObjectScan(self._at, self._stack, self._max_object)
            self._mode = _Mode.OBJECT
        elif self._is_listed:
            self._break(self._at, is_finding=True)
        else:
            self._at += 1
        return True

    def _in_prose(self, sign: str) -> bool:
        if sign == "<":
            if self._text.startswith(_END_THINK, self._at):
                self._is_closed = False  # what came before was reasoning
            elif self._waits(_END_THINK.startswith(self._text[self._at : self._at + len(_END_THINK)])):
                return False
            self._at += 1
            return True
        if found := _LIST.match(self._text, self._at):
            if self._waits(OPENING.fullmatch(self._text, found.end())):
                return False
            if OPEN.match(self._text, found.end()):
                self._stack.append(Frame("[", is_findings=True))
        elif self._waits(_LIST_OPENING.fullmatch(self._text, self._at)):
            return False
        elif _EMPTY_LIST.match(self._text, self._at) and _BEGINS_LINE.search(self._text, 0, self._at):
            self._saw_json = self._is_closed = True
        self._at += 1
        return True

    def _in_wrapper(self, sign: str) -> bool:
        top = self._stack[-1]
        if sign in "]}":
            self._at += 1
            self._unwind("[" if sign == "]" else "{")
        elif sign == "[":
            self._stack.append(Frame("[", is_findings=top.key in LISTS))
            self._at += 1
        elif sign in "/#":
            return self._comment(sign)
        elif sign in ",:":
            self._at += 1
        elif top.is_findings:
            self._break(self._at, is_finding=True)
        elif sign in STRING_REST:
            return self._wrapper_string(top, sign)
        else:
            found = BARE.match(self._text, self._at)
            self._at = found.end() if found else self._at + 1
        return True

    def _unwind(self, mark: str) -> None:
        """Close the innermost frame of a kind, and what was left open in it."""
        depth = next((n for n in range(len(self._stack) - 1, -1, -1) if self._stack[n].mark == mark), None)
        if depth is not None:
            del self._stack[depth:]
            self._is_closed = not self._stack

    def _wrapper_string(self, top: Frame, sign: str) -> bool:
        begin = self._at + 1
        rest = STRING_REST[sign].match(self._text, begin, begin + _MAX_SKIP)
        end = rest.end() if rest else begin
        if self._text[end : end + 1] == sign:
            top.key = normal(self._text[begin:end][:64])
            self._at = end + 1
            return True
        if self._waits(len(self._text) < begin + _MAX_SKIP):
            return False
        self._at = begin  # a mark that opens nothing
        return True

    def _comment(self, sign: str) -> bool:
        opening = self._text[self._at : self._at + 2]
        if sign == "/" and self._waits(len(opening) < 2):
            return False
        if sign == "#" or opening in ("//", "/*"):
            close = "*/" if opening == "/*" else "\n"
            stop = self._text.find(close, self._at, self._at + _MAX_SKIP)
            if stop < 0 and self._waits(len(self._text) < self._at + _MAX_SKIP):
                return False
            self._at = stop if stop >= 0 else min(self._at + _MAX_SKIP, len(self._text))
        else:
            self._at += 1
        return True

    @property
    def _is_listed(self) -> bool:
        return bool(self._stack) and self._stack[-1].is_findings

    def _object(self) -> bool:
        scan = self._scan
        if scan is None:
            raise AssertionError("no object is being read")
        outcome = scan.run(self._text, is_final=self._is_final)
        if outcome is Outcome.MORE:
            return False
        self._at, self._scan, self._mode = scan.at, None, _Mode.LAX
        if outcome is Outcome.WRAPS:
            self._saw_json, self._is_closed = True, False
        elif outcome is Outcome.CLOSED:
            raw = self._text[scan.start : scan.at]
            value = relaxed(raw)
            if isinstance(value, dict):
                self._emit(read(value, raw, is_listed=self._is_listed))
            else:
                self._salvage(raw, is_cut=False)
        else:
            del self._stack[scan.base :]
            self._reread += scan.at - scan.start
            self._first_key = scan.first_key
            self._break(scan.start, is_finding=bool(scan.fields) or self._is_listed, is_cut=outcome is Outcome.CUT)
        return True

    def _break(self, start: int, *, is_finding: bool, is_cut: bool = False) -> None:
        """What begins here is broken: look for where the next finding begins."""
        self._mode = _Mode.BROKEN
        self._start, self._search = start, start + 1
        self._first_key = self._first_key if self._text[start : start + 1] == "{" else ""
        self._is_finding, self._is_cut, self._is_skipping = is_finding, is_cut, False
        if self._reread > _MAX_REREAD + 8 * (self._forgotten + start):
            self._emit(Malformed("the answer is too garbled to read on", self._text[start:][:_MAX_RAW]))
            self._mode = _Mode.FULL

    def _broken(self) -> bool:
        for found in OPEN.finditer(self._text, self._search):
            if self._is_boundary(found):
                self._give_up(found.start())
                return True
            self._search = found.start() + 1
        if self._is_final:
            self._finish()
            return True
        self._search = self._undecided()
        if not self._is_skipping and self._search > self._start + self._max_object:
            self._too_large()
        if self._is_skipping:
            self._at = self._search
        return False

    def _undecided(self) -> int:
        """Where the first brace stands of which more text may yet make an opening; else the text's end."""
        at = max(self._search, len(self._text) - LOOKAHEAD)
        while (at := self._text.find("{", at)) >= 0 and OPENING.fullmatch(self._text, at) is None:
            at += 1
        return at if at >= 0 else len(self._text)

    def _is_boundary(self, found: re.Match[str]) -> bool:
        """Say whether an object that begins here is the next finding and no part of the broken one."""
        key = normal(found["key"] or "")
        if not self._is_finding:
            return key in FIELDS or key in LISTS
        before = self._text[max(found.start() - 64, 0) : found.start()].rstrip()[-1:]
        return bool(key) and (key == self._first_key or (key in _FIRST_KEYS and before not in (":", "[", "(")))

    def _finish(self) -> None:
        """At the end of the answer: what is broken ends at the brace before the brackets that close the answer."""
        tail = _LAST_BRACE.search(self._text, self._start) if self._stack and not self._is_cut else None
        if tail is not None:
            self._give_up(tail.start() + 1)
        else:
            self._is_cut = True
            self._give_up(len(self._text))

    def _give_up(self, stop: int) -> None:
        """End what is broken here, and say what is left of it."""
        self._mode, self._at = _Mode.LAX, stop
        is_cut = self._is_cut and stop == len(self._text)
        if not self._is_skipping and stop - self._start > self._max_object:
            self._too_large()
        elif not self._is_skipping and self._is_finding:
            raw = self._text[self._start : stop]
            self._salvage(raw, is_cut=is_cut and not raw.rstrip().endswith("}"))
        if is_cut and self._is_finding:
            self._is_closed = False

    def _too_large(self) -> None:
        self._is_skipping = True
        if self._is_finding:
            self._emit(
                Malformed(f"it is longer than {self._max_object} characters", self._text[self._start :][:_MAX_RAW])
            )

    def _salvage(self, raw: str, *, is_cut: bool) -> None:
        fields = salvage(raw, FIELDS, is_cut=is_cut)
        candidate = read(fields, raw, is_listed=False, is_salvaged=True)
        if isinstance(candidate, Candidate) and candidate.rule and candidate.message and candidate.quote.strip():
            self._emit(candidate)
        elif self._is_listed or fields:
            self._emit(Malformed("it was cut" if is_cut else "it is no JSON object", raw[:_MAX_RAW]))

    def _emit(self, item: Candidate | Malformed | None) -> None:
        if item is None:
            return
        self._saw_json = True
        self._is_closed = not self._stack
        self._count += 1
        if self._count > self._max_findings:
            item = Malformed(f"the answer holds more than {self._max_findings} findings; the rest was not read")
            self._mode = _Mode.FULL
        self._out.append(item)
