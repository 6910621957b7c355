"""Findings written down as models write them, in many styles, and ways in which one of them goes wrong."""

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence

from kimi_lsp.audit.parse import Candidate, FindingParser, Malformed

Item = Mapping[str, str | int]
Reply = tuple[list[Candidate | Malformed], bool, bool]
_CODE = (
    "x = eval(data)",
    'print("a, b")',
    "if (a[0] == '}') {",
    'fmt.Errorf("%w: {%s}", err)',
    "re.compile(r'\\d+\\.\\w')",
    "for x in y:\n\tz = {'k': [1, 2]}",
    "let s = `\U0001f600 ${name}`;",
    'path = "C:\\\\new\\\\table"',
    "// don't { stop",
    "}",
)


def finding(number: int, random_: random.Random) -> dict[str, str | int]:
    """A finding with text that is hard to parse where it is not escaped."""
    return {
        "rule": f"rule-{number}",
        "line": number + 1,
        "quote": random_.choice(_CODE),
        "message": random_.choice(["It's unsafe: {a}, [b].", 'Uses "eval" here.', "Plain.", "a \\ b", "tab\there"]),
        "why": random_.choice(["Because.", "", "See `x` -> 'y'; then \"z\"."]),
        "confidence": "high",
    }


def _json(item: object) -> str:
    return json.dumps(item, ensure_ascii=False)


def _ascii(item: object) -> str:
    return json.dumps(item)


def _compact(item: object) -> str:
    return json.dumps(item, ensure_ascii=False, separators=(",", ":"))


def _pretty(item: object) -> str:
    return json.dumps(item, ensure_ascii=False, indent=2)


def _raw_newlines(item: object) -> str:
    shown = {"n": "\n", "t": "\t"}
    return re.sub(r"\\(.)", lambda match: shown.get(match[1], match[0]), _json(item))


def _trailing_comma(item: object) -> str:
    return _json(item)[:-1] + ",}"


def _commented(item: object) -> str:
    return "{ // it's a finding\n" + _json(item)[1:-1] + " /* don't ask */ }"


ENCODERS: tuple[Callable[[object], str], ...] = (
    *(_json, _ascii, _compact, _pretty, repr, _raw_newlines, _trailing_comma, _commented),
)


def _listed(items: Sequence[str]) -> str:
    return '{"findings": [' + ", ".join(items) + "]}"


WRAPPERS: Mapping[str, Callable[[Sequence[str]], str]] = {
    "object": _listed,
    "array": lambda items: "[" + ",\n".join(items) + "]",
    "lines": "\n".join,
    "fence": lambda items: f"Here it's {{x}}:\n```json\n{_listed(items)}\n```\nThat's all {{y}}.",
    "other key": lambda items: '{"summary": "I found {it} [here]", "issues": [' + ",".join(items) + "],}",
    "deep": lambda items: '{"result": {"file": "a.py", "issues": [' + ",".join(items) + "]}}",
    "unknown key": lambda items: '{"observations": [' + ",".join(items) + "]}",
    "prose between": "\n\nAnd here's {another}, isn't it:\n".join,
    "thought": lambda items: '<think>so {"findings": [] } or not</think>\n' + _listed(items),
    "mark": lambda items: "\ufeff" + _listed(items),
    "python": lambda items: "{'findings': [" + ", ".join(items) + "]}",
}


def _strike(text: str, at: int, count: int = 1) -> str:
    return text[:at] + text[at + count :]


def _no_end(text: str, _: random.Random) -> str:
    return text.rstrip()[:-1]


def _no_start(text: str, _: random.Random) -> str:
    return text[1:]


def _cut_short(text: str, random_: random.Random) -> str:
    comment = text.find("/*")  # a comment that never ends hides what follows, as it would from any reader
    return text[: random_.randrange(2, comment if comment > 0 else len(text) - 1)]


def _inner_quotes(text: str, random_: random.Random) -> str:
    at = text.index("rule-")
    return text[:at] + random_.choice(['a "b" c ', '"', "f(\"x\", 'y')"]) + text[at:]


def _lost_mark(text: str, random_: random.Random) -> str:
    marks = [match.start() for match in re.finditer(r"(?<!\\)[\"']", text)]
    return _strike(text, random_.choice(marks))


def _lost_comma(text: str, random_: random.Random) -> str:
    commas = [match.start() for match in re.finditer(",", text)]
    return _strike(text, random_.choice(commas))


def _lost_colon(text: str, random_: random.Random) -> str:
    return _strike(text, random_.choice([match.start() for match in re.finditer(":", text)]))


def _lost_value(text: str, _: random.Random) -> str:
    return re.sub(r"(line[\"']:\s*)\d+", r"\1", text, count=1)


def _bad_escape(text: str, _: random.Random) -> str:
    return text.replace("rule-", "\\d\\x \\", 1)


def _swallowing_escape(text: str, _: random.Random) -> str:
    return re.sub(r"([\"'])(,?\s*[\"']line)", r"\\\1\2", text, count=1)


def _garbage(text: str, random_: random.Random) -> str:
    comment = text.find("/*")
    at = random_.randrange(1, comment if comment > 0 else len(text))
    return text[:at] + random_.choice(["\0", "@@", "]", ")", "...", "<b>"]) + text[at:]


BREAKS: tuple[Callable[[str, random.Random], str], ...] = (
    *(_no_end, _no_start, _cut_short, _inner_quotes, _lost_mark, _lost_comma, _lost_colon, _lost_value, _bad_escape),
    *(_swallowing_escape, _garbage),
)


def read_reply(text: str, size: int = 0) -> Reply:
    """What a parser makes of a reply fed in chunks of this size (0: in one), `is_complete` and `saw_json`."""
    parser = FindingParser()
    items: list[Candidate | Malformed] = []
    step = size or max(len(text), 1)
    for at in range(0, len(text), step):
        items.extend(parser.feed(text[at : at + step]))
    items.extend(parser.close())
    return items, parser.is_complete, parser.saw_json


def candidates(reply: Reply) -> list[Candidate]:
    """The candidates of a reply."""
    return [item for item in reply[0] if isinstance(item, Candidate)]


def said(candidate: Candidate) -> dict[str, str | int | None]:
    """A candidate's fields, as `finding` makes them."""
    return {
        "rule": candidate.rule,
        "line": candidate.line,
        "quote": candidate.quote,
        "message": candidate.message,
        "why": candidate.why,
        "confidence": candidate.confidence,
    }
