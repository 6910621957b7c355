"""Judge what stands after a telling key: is it secret at all, and is it surely so."""

import re
from dataclasses import dataclass

from mcp_tools.redaction.keys import Family
from mcp_tools.redaction.lazy import Lazy
from mcp_tools.redaction.looks import (
    has_stand_in_word,
    is_address,
    is_dotted_name,
    is_hex,
    is_label,
    is_mixed,
    is_random,
    is_stand_in,
    is_uuid,
    is_words,
    strangeness,
)

PROSE = frozenset({"", "is", "was", "is:", "was:"})
"""Operators between a key and a value in a sentence."""

_COMPARING = frozenset({"==", "===", "!=", "!=="})
_REGEX_SIGNS = Lazy(r"a-z|A-Z|0-9|\(\?|\[\^|\\[dwsb]|\[[a-z]-[a-z]\]|\.\*|\\\\")
_DIGEST_CONTEXT = Lazy(
    r"sha-?\d|md5|digest|checksum|integrity|fingerprint|commit|revision|\brev\b|etag|uuid|guid|hash", re.IGNORECASE
)
_DIGEST_SIZES = frozenset({32, 40, 56, 64, 96, 128})


@dataclass(frozen=True, slots=True)
class Key:
    """A telling key at its place in a text, and how it is bound to what follows: by `=`, `:`, `,`, a word, …."""

    family: Family
    name: str
    start: int
    operator: str
    is_quoted: bool = False

    @property
    def binds(self) -> bool:
        """True where the value is given to the key, not compared with it or only standing beside it."""
        if self.operator == ",":
            return self.is_quoted
        return self.operator != "(" and self.operator not in _COMPARING and self.operator not in PROSE


def is_config_secret(key: Key, value: str) -> bool:
    """Judge the rest of a line in a configuration file."""
    if len(value) < 4 or is_stand_in(value) or value[0] in "!&*|>{[" or is_address(value):
        return False
    if key.family.is_chosen:
        return " " not in value.strip() or "phrase" in key.name
    return " " not in value and (
        is_random(value, 10) or (is_mixed(value) and len(value) >= 8 and not is_dotted_name(value))
    )


def is_prose_secret(value: str) -> bool:
    """Judge a word after `the token` or `password is`."""
    if is_stand_in(value) or is_address(value) or is_uuid(value) or is_dotted_name(value):
        return False
    has_signs = any(sign in value for sign in "!#$%^&*~")
    return is_random(value, 16) or (has_signs and len(value) >= 8 and value[-1] not in ")]}" and _digits(value) >= 2)


def _digits(value: str) -> int:
    return sum(map(str.isdigit, value)) if any(map(str.isalpha, value)) else 0


def is_bare_secret(key: Key, value: str, *, in_code: bool) -> bool:
    """Judge a value without quotes: in code it must look random, for a bare word there is a name."""
    value = value.rstrip(".:")
    if len(value) < 4 or is_stand_in(value) or is_address(value) or is_dotted_name(value):
        return False
    if is_uuid(value):
        return not in_code
    if is_random(value, 16 if in_code else 10):
        return True
    if value[0] in "@$*&!-/\\" or "." in value or ":" in value or not is_mixed(value):
        return False
    if in_code:
        is_name = "_" in value or (value.isidentifier() and strangeness(value) < 0.4)
        return key.family.is_chosen and _digits(value) >= 2 and len(value) >= 8 and not is_name
    return len(value) >= (5 if key.family.is_chosen else 8)


def is_quoted_secret(key: Key, value: str) -> bool:
    """Judge a string literal."""
    if len(value) < 4 or is_stand_in(value) or is_address(value) or is_dotted_name(value) or _REGEX_SIGNS.search(value):
        return False
    if not any(map(str.isalnum, value)) or "-----BEGIN" in value:
        return False
    has_space = any(map(str.isspace, value))
    if not key.family.is_chosen:
        if has_space:
            return False
        least = 12 if not key.family.is_reportable else 10
        return is_random(value, least) or (
            key.binds and key.family.is_reportable and len(value) >= 8 and is_mixed(value)
        )
    if has_space:
        return "phrase" in key.name and value.count(" ") >= 3
    if is_words(value):
        return (
            key.binds
            and key.operator != ","
            and not is_label(value)
            and len(value) >= 5
            and value.lower() not in key.name
        )
    return (key.binds and key.operator != ",") or is_mixed(value) or is_random(value, 8)


def is_sure(text: str, key: Key, value: str) -> bool:
    """The precision-first judgement: what a person would agree is a real secret."""
    if not key.family.is_reportable or has_stand_in_word(value) or is_uuid(value) or any(map(str.isspace, value)):
        return False
    if is_hex(value) and len(value) in _DIGEST_SIZES:
        line = text[max(key.start - 200, 0) : key.start].rpartition("\n")[2]
        if key.family.is_chosen or _DIGEST_CONTEXT.search(key.name) or _DIGEST_CONTEXT.search(line):
            return False
    if key.family.is_chosen:
        return len(value) >= 6 and (is_mixed(value) or is_random(value, 10)) and not is_dotted_name(value)
    return is_random(value, 16)
