"""A text that a model's findings can be about, and those findings as a model writes them."""

import json

MOST = 60
_STEP = 16


def text(salt: int = 0) -> str:
    """A thousand statements; another salt gives another text with the same findings."""
    return "".join(f"{_statement(number)}\n" for number in range(1_000)) + f"salt = {salt}\n"


def findings(count: int = MOST) -> dict[int, str]:
    """The JSON of so many findings by their 0-based line."""
    return {number * _STEP: _finding(number * _STEP) for number in range(min(count, MOST))}


def _statement(number: int) -> str:
    return f"value_{number} = compute_{number}(argument, {number})"


def _finding(line: int) -> str:
    return json.dumps(
        {
            "rule": "weak-cryptography",
            "line": line + 1,
            "quote": _statement(line),
            "message": f"The value that line {line + 1} computes can be guessed.",
            "confidence": "high",
        }
    )
