"""Texts and edits as people make them: typing, pasting, deleting, undoing, in code that has much to find."""

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass, field

from mcp_tools.finding import Finding, Notice
from mcp_tools.project import Source
from mcp_tools.security_surface import RULES, scan_source
from tests.security_surface.pages import examples

Edit = tuple[int, int, int]

_DRAWN = random.Random(11)
_TOKEN = "gh" + "p_" + "".join(_DRAWN.choices(string.ascii_letters + string.digits, k=36))
_KEY = "\n".join("".join(_DRAWN.choices(string.ascii_letters + string.digits, k=64)) for _ in range(5))
_KIND = "PRIVATE" + " KEY"
TYPED = (
    "x = eval(data)\n",
    "    os.system('ls ' + name)\n",
    f'TOKEN = "{_TOKEN}"\n',
    "password = 'hunterZ7!x'\n",
    "import os\n",
    "from subprocess import run\n",
    "def f(a, b):\n",
    "cursor.execute('SELECT * FROM t WHERE a = ' + a)\n",
    "subprocess.run(cmd, shell=True)\n",
    "curl -u bob:Secr3tPw9 http://h\n",
    "value = {'a': [1, 2], \"b\": compute(x)}  # it isn't\n",
    "  # noqa\n",
    "é = 'naïve 🙂'\n",
)
PASTED = (
    *TYPED,
    f"-----BEGIN {_KIND}-----\n{_KEY}\n-----END {_KIND}-----\n",
    '"""\n',
    "{\n}\n",
    "\r\n",
    "\r",
    "\u2028",
)


@dataclass(slots=True)
class Editor:
    """A text that somebody works on. `step` gives the text after one more change, and the edits that led to it."""

    text: str
    drawn: random.Random
    _typing: str = ""
    _at: int = 0
    _before: list[str] = field(default_factory=list[str])

    def step(self) -> tuple[str, list[Edit]]:
        """Type a character, or paste, delete, duplicate, undo; sometimes at two places at once."""
        old = self.text
        if self._before and self.drawn.random() < 0.08:
            self.text = self._before.pop()
            self._typing = ""
            return self.text, [(0, len(old), len(self.text))]
        edits = [self._once() for _ in range(self.drawn.choice((1, 1, 1, 1, 2)))]
        self._before = [*self._before[-5:], old]
        return self.text, edits

    def _once(self) -> Edit:
        start, stop, new = self._typed() if self._typing or self.drawn.random() < 0.5 else self._changed()
        self.text = self.text[:start] + new + self.text[stop:]
        return start, stop, start + len(new)

    def _typed(self) -> tuple[int, int, str]:
        if not self._typing:
            self._typing, self._at = self.drawn.choice(TYPED), self._line()
        character, self._typing = self._typing[0], self._typing[1:]
        at = min(self._at, len(self.text))
        self._at = at + 1
        return at, at, character

    def _changed(self) -> tuple[int, int, str]:
        line = self._line()
        end = self.text.find("\n", line)
        match self.drawn.randrange(6):
            case 0:
                return line, line, self.drawn.choice(PASTED)
            case 1:
                return line, len(self.text) if end < 0 else end + 1, ""
            case 2:
                return line, line, self.text[line : end + 1]
            case 3:
                at = self.drawn.randrange(len(self.text) + 1)
                return at, min(at + self.drawn.randrange(1, 5), len(self.text)), ""
            case 4:
                return line, min(line + self.drawn.randrange(1, 300), len(self.text)), ""
            case _:
                at = self.drawn.randrange(len(self.text) + 1)
                return at, at, self.drawn.choice("(){}[]'\"#\\ \n=.,:ax0")

    def _line(self) -> int:
        return self.text.rfind("\n", 0, self.drawn.randrange(len(self.text) + 1)) + 1


def crowded() -> Iterator[Source]:
    """For each language a text of all its rules' examples: much to find, close together."""
    by_language: dict[str, list[Source]] = {}
    for rule_id in RULES:
        for example in examples(rule_id):
            by_language.setdefault(example.source.language or "", []).append(example.source)
    for language, sources in sorted(by_language.items()):
        yield Source(sources[0].path, "\n\n".join(source.text for source in sources) + "\n", language)


def whole(source: Source) -> tuple[tuple[Finding, ...], tuple[Notice, ...]]:
    """What a scan of the whole text says."""
    items = list(scan_source(source))
    return (
        tuple(item for item in items if isinstance(item, Finding)),
        tuple(item for item in items if isinstance(item, Notice)),
    )
