"""Model answers with a known truth: spans of real text, corrupted as models corrupt quotes, and quotes of nothing."""

import json
import random
import re
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mcp_tools.project import Source


@dataclass(frozen=True, slots=True)
class Answer:
    """A quote with its line hint (1-based), and the 0-based first and last line it came from; none for an invention."""

    source: Source
    quote: str
    line: int | None
    truth: tuple[int, int] | None
    kind: str  # unique, repeated, invented
    corruption: str


@dataclass(frozen=True, slots=True)
class Span:
    """Whole lines of a source, without their line ends."""

    first: int
    lines: Sequence[str]

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


Corrupted = tuple[str, int, int]
Corruption = Callable[[Span, random.Random], Corrupted | None]
_NAME = re.compile(r"[A-Za-z_]\w{3,}")


def bare(text: str) -> str:
    """A text without its white space."""
    return "".join(text.split())


def _whole(span: Span, quote: str) -> Corrupted:
    return quote, span.first, span.last


def verbatim(span: Span, _: random.Random) -> Corrupted:
    return _whole(span, span.text)


def dedent(span: Span, random_: random.Random) -> Corrupted:
    if random_.random() < 0.5:
        return _whole(span, textwrap.dedent(span.text))
    return _whole(span, "\n".join(line.strip() for line in span.lines))


def number_prefix(span: Span, random_: random.Random) -> Corrupted:
    style = random_.choice(["{n:>4}| {t}", "{n}: {t}", "{n} | {t}", "L{n}: {t}", "{n}\t{t}", "{n:>6}→{t}"])
    first = span.first + random_.choice([0, 0, 0, 1, -3]) + 1
    return _whole(span, "\n".join(style.format(n=max(first, 1) + n, t=line) for n, line in enumerate(span.lines)))


def smart_quotes(span: Span, random_: random.Random) -> Corrupted | None:
    if not re.search("[\"']", span.text):
        return None
    text = re.sub(r'"([^"\n]*)"', "\u201c\\1\u201d", span.text)
    text = re.sub(r"'([^'\n]*)'", "\u2018\\1\u2019", text)
    if random_.random() < 0.3:
        text = span.text.translate({34: 39, 39: 34})
    return _whole(span, text.replace("-", "\u2013") if random_.random() < 0.2 else text)


def json_escape(span: Span, random_: random.Random) -> Corrupted:
    once = json.dumps(span.text, ensure_ascii=False)[1:-1]
    return _whole(span, once if random_.random() < 0.7 else json.dumps(once, ensure_ascii=False)[1:-1])


def white_space(span: Span, random_: random.Random) -> Corrupted:
    match random_.randrange(4):
        case 0:
            text = span.text.replace("    ", "\t")
        case 1:
            text = re.sub(r"\s*([=,(){}+])\s*", r" \1 ", span.text)
        case 2:
            text = re.sub(r"[ \t]+", "  ", span.text)
        case _:
            text = "\n\n".join(line.rstrip() + " " for line in span.lines).replace("\n", "\r\n")
    return _whole(span, text)


def ellipsis(span: Span, random_: random.Random) -> Corrupted | None:
    mark = random_.choice(["...", "…"])
    if len(span.lines) >= 3:
        if min(len(bare(span.lines[0])), len(bare(span.lines[-1]))) < 10:
            return None
        indent = " " * random_.choice([0, 4])
        gap = random_.choice([mark, f"# {mark}", f"// {mark}", f"[{mark}]"])
        return _whole(span, f"{span.lines[0]}\n{indent}{gap}\n{span.lines[-1]}")
    text = span.text.strip()
    if len(bare(text)) < 24:
        return None
    match random_.randrange(3):
        case 0:
            return _whole(span, f"{mark}\n{span.text}\n{mark}")
        case 1:
            return _cut(span, random_, mark)
        case _:
            line = span.lines[0].strip()
            middle = len(line) // 2
            return None if len(span.lines) > 1 else _whole(span, f"{line[: middle - 3]}{mark}{line[middle + 3 :]}")


def token_edit(span: Span, random_: random.Random) -> Corrupted | None:
    names = list(re.finditer(r"[A-Za-z_]\w{3,}|\d+", span.text))
    if not names or len(bare(span.text)) < 16:
        return None
    match = random_.choice(names)
    word = match[0]
    at = random_.randrange(len(word))
    if word.isdigit():
        new = str(int(word) + random_.choice([1, 2, 10])) if len(word) < 20 else word[:-1]
    else:
        new = random_.choice(
            [
                word[:at] + word[at + 1 :],
                word[:at] + random_.choice("aeiourst") + word[at:],
                word + "s",
                word.replace("_", "", 1) if "_" in word else word + "_",
                word[: -(len(word) // 3)],
            ]
        )
    if new == word:
        return None
    return _whole(span, span.text[: match.start()] + new + span.text[match.end() :])


def diff_marker(span: Span, random_: random.Random) -> Corrupted:
    mark = random_.choice(["+", "-", "+ ", "- ", "> "])
    lines = span.lines if random_.random() < 0.5 else tuple(line.strip() for line in span.lines)
    return _whole(span, "\n".join(mark + line for line in lines))


def truncated(span: Span, random_: random.Random) -> Corrupted | None:
    return _cut(span, random_, "")


def _cut(span: Span, random_: random.Random, mark: str) -> Corrupted | None:
    last = span.lines[-1].rstrip()
    stop = len(last) - len(last.lstrip()) + int(len(last.strip()) * random_.uniform(0.5, 0.9))
    text = "\n".join([*span.lines[:-1], last[:stop].rstrip()])
    if len(bare(text)) < 14 or not last[:stop].strip():
        return None
    return _whole(span, text + mark)


def missing_line(span: Span, random_: random.Random) -> Corrupted | None:
    if len(span.lines) < 3 or min(len(bare(span.lines[0])), len(bare(span.lines[-1]))) < 5:
        return None
    gone = random_.randrange(1, len(span.lines) - 1)
    return _whole(span, "\n".join([*span.lines[:gone], *span.lines[gone + 1 :]]))


def fence(span: Span, random_: random.Random) -> Corrupted:
    if len(span.lines) == 1 and random_.random() < 0.6:
        return _whole(span, f"`{span.text.strip()}`")
    return _whole(span, f"```{random_.choice(['', 'python', 'ts'])}\n{span.text}\n```")


def joined(span: Span, random_: random.Random) -> Corrupted | None:
    code = [re.sub(r"\s+(#|//) .*$", "", line) for line in span.lines]
    if len(code) == 1 and code[0] == span.lines[0]:
        return None
    if not all(map(bare, code)) or len(bare("".join(code))) < 12:
        return None
    return _whole(span, (" " if random_.random() < 0.5 else "\n").join(line.strip() for line in code))


def trailing_punctuation(span: Span, random_: random.Random) -> Corrupted:
    text = span.text.rstrip()
    return _whole(span, text[:-1] if text[-1] in ";,:" else text + random_.choice([".", ";", ",", "..."]))


def letter_case(span: Span, random_: random.Random) -> Corrupted:
    return _whole(span, span.text.lower() if random_.random() < 0.7 else span.text.upper())


def composition(span: Span, random_: random.Random) -> Corrupted | None:
    if span.text.isascii():
        return None
    return _whole(span, unicodedata.normalize(random_.choice(["NFC", "NFD"]), span.text))


CORRUPTIONS: tuple[Corruption, ...] = (
    verbatim,
    dedent,
    number_prefix,
    smart_quotes,
    json_escape,
    white_space,
    ellipsis,
    token_edit,
    diff_marker,
    truncated,
    missing_line,
    fence,
    joined,
    trailing_punctuation,
    letter_case,
    composition,
)
GENERIC = (
    *(
        "return",
        "}",
        "pass",
        "else:",
        "",
        " ",
        "\n\t\n",
        "#",
        "//",
        "/* */",
        "...",
        "\u2026",
        "try:",
        "{",
        "});",
        "break",
    ),
    *(
        "return;",
        "```\n```",
        "(",
        "self",
        "if",
        "end",
        '"""',
        "null",
        "0",
        "---",
        "12|",
        "12: }",
        "+",
        "- return",
        "`}`",
    ),
)
_INVENTED = (
    "{a}_{b} = {c}.get_{a}({b}=True, retries={n})",
    "if not {a}.{b}_is_valid({c}):",
    "await {a}Client.post{B}(payload, {{ timeout: {n} }});",
    'query = "SELECT * FROM {a}s WHERE {b} = \'" + {c} + "\'"',
    "os.system(f'rm -rf {{{a}_{b}}}')",
    "{a} := make([]{B}, {n})\nfor i := range {a} {{",
    "subprocess.run({a}_{b}, shell=True, timeout={n})",
    "let {a}_{b}: Vec<{B}> = Vec::with_capacity({n});",
    "hashlib.md5({a}.{b}.encode()).hexdigest()",
    'private static final String {B} = "{a}-{b}-{n}";',
)
_PARTS = (
    "kayak zephyr quorum mantle pigeon gravel walnut bonnet cactus dragon helium iguana jasmine kernel lagoon".split()
)


def hint(truth_line: int, total: int, random_: random.Random) -> int | None:
    """A 1-based line as a model names it: exact in 3 of 11, absent in 1, else off by one to fifteen."""
    roll = random_.randrange(11)
    if roll == 0:
        return None
    wrong = 0 if roll <= 3 else random_.choice([-1, 1]) * random_.randrange(1, 16)
    return min(max(truth_line + 1 + wrong, 1), total)


def answers(sources: Sequence[Source], seed: int, per_source: int) -> Iterator[Answer]:
    """Answers for each source in turn, a sixth of them invented. The same seed gives the same answers."""
    random_ = random.Random(seed)
    for source in sources:
        book = _Book(source)
        for _ in range(per_source):
            answer = _invented(book, sources, random_) if random_.randrange(6) == 0 else _quoted(book, random_)
            if answer is not None:
                yield answer


class _Book:
    """A source's lines, what they are without white space, and how often each block stands there."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = [line for _, line in source.lines()]
        self.bare = [bare(line) for line in self.lines]
        self.text = "".join(self.bare)
        self.counts = Counter(self.bare)
        self.telling = [n for n, line in enumerate(self.bare) if len(line) >= 10 and _NAME.search(line)]
        self.again = [n for n in self.telling if self.counts[self.bare[n]] > 1]

    def count(self, span: Span) -> int:
        block = [bare(line) for line in span.lines]
        starts = (n for n, line in enumerate(self.bare) if line == block[0])
        return sum(self.bare[n : n + len(block)] == block for n in starts)


def _quoted(book: _Book, random_: random.Random) -> Answer | None:
    corruption = random_.choice(CORRUPTIONS)
    starts = book.again if book.again and random_.random() < 0.25 else book.telling
    for _ in range(30):
        first = random_.choice(starts)
        size = random_.choice([1, 1, 1, 2, 3])
        if corruption is missing_line:
            size = random_.choice([3, 4, 5])
        elif corruption is ellipsis and random_.random() < 0.5:
            size = random_.randrange(3, 13)
        lines = tuple(book.lines[first : first + size])
        if len(lines) < size or not bare(lines[-1]):
            continue
        span = Span(first, lines)
        made = corruption(span, random_)
        if made is None or (corruption is token_edit and bare(made[0]) in book.text):
            continue
        quote, begin, end = made
        kind = "unique" if book.count(span) == 1 else "repeated"
        return Answer(
            book.source,
            quote,
            hint(begin, len(lines) + len(book.lines), random_),
            (begin, end),
            kind,
            corruption.__name__,
        )
    return None


def _invented(book: _Book, sources: Sequence[Source], random_: random.Random) -> Answer | None:
    line = random_.choice([None, *[random_.randrange(1, len(book.lines) + 1)] * 10])
    roll = random_.randrange(10)
    if roll < 3:
        return Answer(book.source, random_.choice(GENERIC), line, None, "invented", "generic")
    if roll < 6:
        a, b, c = random_.sample(_PARTS, 3)
        text = random_.choice(_INVENTED).format(a=a, b=b, c=c, B=b.capitalize(), n=random_.randrange(1000))
        return Answer(book.source, text, line, None, "invented", "made up")
    alike = [source for source in sources if source.language == book.source.language and source is not book.source]
    if not alike:
        return None
    other = _Book(random_.choice(alike))
    for _ in range(20):
        first = random_.choice(other.telling)
        lines = other.lines[first : first + random_.choice([1, 1, 2, 3])]
        if bare("".join(lines)) not in book.text:
            return Answer(book.source, "\n".join(lines), line, None, "invented", "other file")
    return None
