"""Redaction: speed over real code beside a bare keyword search, what it leaves alone, and growth on hostile input."""

import json
import random
import re
import string
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mcp_tools.redaction import Redactor, find_secrets, keys
from tests.bench.figure import Figure, at_least, at_most, reported
from tests.redaction.samples import ALNUM, BASE64, TOKENS, draw

_KEY = b"the key of this bench"
_KEYWORDS = re.compile(keys.WORD, re.IGNORECASE)
_BEGIN = "-----BEGIN " + "PRIVATE " + "KEY-----"
_HOSTILE = (
    *(
        "a",
        "password",
        '"',
        "=",
        "'",
        "`",
        "\\",
        '\\"',
        " ",
        "\n",
        "-",
        "🔑",
        "${",
        "{{",
        "⟦",
        "\\u0041",
        "://",
        "://a:b@",
    ),
    *("password=", 'password="', 'password = "', '"a"+', 'password="a"+', "password,", "<password>", "password: a b"),
    *(
        "token:",
        "api_key=",
        "key_",
        "secret_key = ",
        "eyJ",
        "sk-",
        "gh" + "p_",
        "AK" + "IA",
        "--token ",
        "bearer ",
        "basic ",
    ),
    *("authorization:", "name: a\nvalue: ", "⟦SECRET:a:", "⟦SECRET:password:01234567⟧", _BEGIN, _BEGIN + "\n"),
    *(
        'password = x "',
        "a=b password=",
        "-pass pass:",
        "cookie: ",
        "password=a&b",
        'login("a", ',
        "zip a ",
        "echo a | ",
    ),
    *(draw(BASE64, 5_000), draw(ALNUM, 61) + " ", "token=" + draw(ALNUM, 30) + ":"),
)


def run(quick: bool) -> Iterator[Figure]:
    """Yield the figures; quick takes a fortieth of the files and small hostile inputs."""
    files = _files(40 if quick else 1)
    size = sum(len(text) for _, text in files) / 1e6
    lines = sum(text.count("\n") + 1 for _, text in files)
    yield from _speeds(files[:: 1 if quick else 4])
    yield from _effects(files, lines)
    yield from _trips(files[:: 1 if quick else 10])
    yield from _growth(20_000 if quick else 250_000)
    yield at_least("redaction: tokens of vendors found", _share_found(), "%", 100)
    yield reported("redaction: code read", size, "MB")


def _files(step: int) -> list[tuple[str, str]]:
    root = Path(sysconfig.get_paths()["purelib"])
    found: list[tuple[str, str]] = []
    for path in sorted(root.rglob("*.py"))[::step]:
        try:
            found.append((path.relative_to(root).as_posix(), path.read_bytes().decode()))
        except UnicodeDecodeError:
            continue
    return found


def _speeds(files: Sequence[tuple[str, str]]) -> Iterator[Figure]:
    """Each file by ours and by the floor in turn, so that both see the same machine."""
    redactor, learned = Redactor(_KEY), Redactor(_KEY)
    for number in range(1_000):
        learned.learn(f"DB_PASSWORD={draw(ALNUM, 20, number)}", ".env")
    spent = {"find": 0.0, "floor": 0.0, "redact": 0.0, "redact learned": 0.0, "scan": 0.0}

    def timed(name: str, work: Callable[[], object]) -> object:
        start = time.perf_counter()
        result = work()
        spent[name] += time.perf_counter() - start
        return result

    for path, text in files:
        timed("find", lambda: find_secrets(text, path))  # noqa: B023 - called at once
        timed("floor", lambda: sum(1 for _ in _KEYWORDS.finditer(text)))  # noqa: B023 - called before the loop goes on
        redacted = timed("redact", lambda: redactor.redact(text, path))  # noqa: B023 - called before the loop goes on
        timed("redact learned", lambda: learned.redact(text, path))  # noqa: B023 - called before the loop goes on
        body = json.dumps({"messages": [{"role": "user", "content": redacted}]}).encode()
        timed("scan", lambda: redactor.scan(body))  # noqa: B023 - called before the loop goes on
    size = sum(len(text) for _, text in files) / 1e6
    yield at_least("redaction: find_secrets", size / spent["find"], "MB/s", 2)
    yield reported(
        "redaction: find_secrets beside its floor",
        size / spent["find"],
        "MB/s",
        peer=size / spent["floor"],
        peer_name="re.finditer over the key words",
    )
    yield reported("redaction: redact", size / spent["redact"], "MB/s")
    yield reported("redaction: redact with 1,000 learned values", size / spent["redact learned"], "MB/s")
    yield reported("redaction: scan of a body", size / spent["scan"], "MB/s")


def _effects(files: Sequence[tuple[str, str]], lines: int) -> Iterator[Figure]:
    changed = surely = 0
    for path, text in files:
        found = find_secrets(text, path)
        changed += len({text.count("\n", 0, secret.start) for secret in found})
        surely += sum(secret.is_reportable for secret in found)
    yield at_most("redaction: lines of ordinary code changed", changed / lines * 100, "%", 0.3)
    yield at_most("redaction: reportable in 100,000 lines of ordinary code", surely / lines * 100_000, "findings", 1)


def _trips(files: Sequence[tuple[str, str]]) -> Iterator[Figure]:
    """Redact, number the lines, scan, restore: counts what goes wrong."""
    redactor = Redactor(_KEY)
    altered = moved = blocked = 0
    for path, text in files:
        redacted = redactor.redact(text, path)
        altered += redactor.restore(redacted) != text or redactor.redact(redacted, path) != redacted
        moved += len(redacted.splitlines()) != len(text.splitlines())
        numbered = "".join(f"{number:>5}| {line}" for number, line in enumerate(redacted.splitlines(keepends=True), 1))
        blocked += redactor.scan(json.dumps({"messages": [{"content": f"Review:\n{numbered}"}]}).encode()) != []
    yield at_most("redaction: files not restored or not stable", altered, "files", 0)
    yield at_most("redaction: files whose line count changed", moved, "files", 0)
    yield at_most("redaction: redacted files that the scan blocks", blocked, "files", 0)


def _growth(size: int) -> Iterator[Figure]:
    """The time of four times as much hostile text, and the slowest of all."""
    worst_growth = slowest = 0.0
    for unit in _HOSTILE:
        small, large = (_fastest(unit, length) for length in (size, 4 * size))
        slowest = max(slowest, large / (4 * size / 1e6))
        if large > 0.2:  # below, the clock says little
            worst_growth = max(worst_growth, large / small)
    yield at_most("redaction: growth of time, four times as much hostile text", worst_growth, "x", 6)
    yield at_most("redaction: slowest hostile text", slowest, "s/MB", 15)


def _fastest(unit: str, size: int) -> float:
    text = (unit * (size // len(unit) + 1))[:size]
    times: list[float] = []
    for _ in range(2):
        start = time.perf_counter()
        find_secrets(text, "config.yml")  # where a bare word counts, more is tried
        times.append(time.perf_counter() - start)
    return min(times)


def _share_found() -> float:
    chance = random.Random(7)
    found = 0
    for sample in TOKENS:
        word = "".join(chance.choices(string.ascii_lowercase, k=6))
        text = f"# {word} {sample.before}{sample.token}\n"
        found += any(secret.value == sample.token for secret in find_secrets(text))
    return found / len(TOKENS) * 100
