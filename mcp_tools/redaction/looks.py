"""Say what a value looks like: random, a word, a stand-in for a secret, a piece of code. Pure functions."""

import math
import re
from collections import Counter

from mcp_tools.redaction.lazy import Lazy

_FOLLOWERS = (
    "abcdfgiklmnprstuvxy baceijlorsu cacehiklorstu dadeilorsu eabcdefgilmnpqrstvwxy faefilortu gaehilnrsu haeiort "
    "iabcdefglmnoprstvxz je keis ladefilostuy mabeimopsuv nacdefgiklnopstuvy oabcdegiklmnoprstuvw paeiloprstuy qu "
    "racdegiklmnorstuvy sacehiklopstuy tacehiloprstuwy uabcdegilmnprst vaei waehinor xceipt ynpst ze"
)  # a letter, then the letters that often follow it: 96.5 % of the pairs in the words of 1,500 Python files
_COMMON_PAIRS = frozenset(word[0] + follower for word in _FOLLOWERS.split() for follower in word[1:])
_LONGEST_JUDGED = 160  # characters that are enough to tell

_TEMPLATE = Lazy(
    r"\$\{[^}\r\n]{0,80}\}?|\$\([^)\r\n]{0,200}\)?|\{\{.{0,80}?\}\}|\{%.{0,80}?%\}|#\{[^}\r\n]{0,80}\}|"
    r"\{[\w.!:\[\]()\"' -]{0,80}\}|%\(\w{1,40}\)s|%[-+.\d]{0,6}[sdrvq](?![A-Za-z0-9])|%[A-Z_]{3,40}%|"
    r"(?<![\w$])\$(?:[A-Z_][A-Z0-9_]{0,60}|[a-z_][A-Za-z_]{0,60}|\d)(?![\w!#%^&*])|"
    r"<[A-Za-z][^<>\r\n]{0,60}>|\[[A-Z][A-Za-z _-]{3,40}\]|@[A-Z_]{3,40}@|__[A-Z][A-Z_]{2,40}__"
)
_TEMPLATE_SIGNS = frozenset("$%{<[@_")
_STANDS_IN = Lazy(
    r"(?:x{3,}|\*{3,}|\.{3,}|…|-{3,}|_{3,}|#{3,}|\?{3,}|0{4,}|1{4,}|1234(?:5(?:6(?:7(?:89?0?)?)?)?)?|abcd?e?f?|"
    r"change[-_ ]?(?:me|it|this|now|in[-_ ]?production)|replace[-_ ]?(?:me|this|with[a-z _-]*)|place[-_ ]?holder|"
    r"to[-_ ]?do|tbd|fixme|insert[a-z _-]*here|(?:enter|put|add|set|paste|use)[-_ ](?:your|the|a|an)[-_ ][a-z _-]*|"
    r"(?:my|your|the|some|a|an|this|our)[-_ ][a-z _-]*|your[a-z]+|pass|passwd|user:pass|none|null|nil|undefined|true|"
    r"false|yes|no|on|off|n/?a|empty|missing|unset|unknown|invalid|required|optional|example|sample|dummy|fake|mock|"
    r"foo|bar|baz|test(?:ing)?|redacted|masked|hidden|removed|secret|password|string|str|text|bytes|number|integer|"
    r"int|boolean|bool|object|array|any|date|uuid|token|key|value|default)",
    re.IGNORECASE,
)
_STAND_IN_WORD = Lazy(
    r"example|sample|dummy|fake|mock|place[-_ ]?holder|your|change[-_ ]?(?:me|it|this)|replace|redact|insert|x{4,}|"
    r"\*{3,}|\.{3,}|fo{2}(?:bar)?|todo|fixme|lorem|test|demo|invalid|not[-_ ]?(?:a[-_ ]?)?real|default|1234|abcd|4321|"
    r"qwert|deadbeef|cafebabe|(.)\1{5,}|s3cr3t|pass(?:word|wd|phrase)?|secret|hunter2|letmein|admin|guest|token|"
    r"correct[-_ ]?horse",
    re.IGNORECASE,
)
_FORMAT_STAND_IN = Lazy(
    r"example|sample|dummy|fake|place[-_ ]?holder|your|change[-_ ]?me|redact|x{5,}|\*{3,}|\.{3,}|lorem|"
    r"test[-_]?(?:key|token)|not[-_ ]?real|0?12345678|abcdefg|deadbeef|(.)\1{6,}|(?:(..)\2|(...)\3){3}",
    re.IGNORECASE,
)
_WORDS = Lazy(r"[^\W\d]+(?:[ _.\-/:]+[^\W\d]+)*[.!?:]?")
_LABEL = Lazy(
    r"pass|secret|token|key|cred|auth|user|name|login|field|input|hash|crypt|bearer|basic|digest|oauth|string|text|value|"
    r"type|id$|none|null|header|required|optional|invalid|error|plain|prompt|config|env|file|vault|keyring|hidden|show",
    re.IGNORECASE,
)
_ADDRESS = Lazy(
    r"(?:[a-z][a-z0-9+.-]{1,20}:)?//|\.{0,2}/[\w./-]*\Z|~/|[A-Za-z]:\\|data:|urn:|mailto:|arn:", re.IGNORECASE
)
_VERSION = Lazy(r"v?\d+(?:[._-]\d+){1,4}(?:[-+.]?(?:a|b|rc|dev|post|alpha|beta)[\d.]*)?", re.IGNORECASE)
_TECHNICAL_NAME = Lazy(
    r"(?:utf|iso|cp|ucs|latin|windows|sha|md|base|hmac|aes|rsa|des|blake|http|oauth|ipv|int|uint|float|str|vec|mp|x|"
    r"python|py|es|ecma|rfc|u|i|f)[-_]?\d+(?:[-_.]\w{1,6})*",
    re.IGNORECASE,
)
_DATE = Lazy(r"\d{4}-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d[\d.]*)?(?:Z|[+-]\d\d:?\d\d)?)?)?")
_HEX = Lazy(r"(?:0x)?[0-9a-f]+|(?:0x)?[0-9A-F]+")
_UUID = Lazy(r"\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?", re.IGNORECASE)
_DOTTED_NAME = Lazy(r"[A-Za-z_$][\w$]*(?:(?:\.|::|->)[A-Za-z_$][\w$]*)+")


def entropy(value: str) -> float:
    """Shannon entropy of the characters, in bits a character; 0 for an empty value."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values()) if size else 0.0


def strangeness(value: str) -> float:
    """Share of neighbouring letters and digits that words rarely have: about 0.05 for words, 0.7 for random text."""
    odd = judged = 0
    previous, was_upper = "", False
    for character in value[:_LONGEST_JUDGED]:
        if not (character.isascii() and character.isalnum()):
            previous = ""
            continue
        is_upper = character.isupper()
        folded = character.lower()
        is_camel_hump = is_upper and not was_upper and previous.isalpha()
        if previous and not is_camel_hump and not (previous.isdigit() and folded.isdigit()):
            judged += 1
            odd += previous.isdigit() != folded.isdigit() or previous + folded not in _COMMON_PAIRS
        previous, was_upper = folded, is_upper
    return odd / judged if judged else 0.0


def is_random(value: str, least: int = 16) -> bool:
    """Say whether a value of at least so many characters looks drawn at random, not written by a person."""
    if len(value) < least or not any(map(str.isalnum, value)) or " " in value:
        return False
    bits = entropy(value[:_LONGEST_JUDGED])
    return bits >= min(3.6, math.log2(len(value)) * 0.72) and strangeness(value) >= 0.36


def is_mixed(value: str) -> bool:
    """Say whether letters stand beside digits or signs, as in a password, and it is not a name, date or version."""
    value = value[:_LONGEST_JUDGED]
    letters = sum(map(str.isalpha, value))
    digits = sum(map(str.isdigit, value))
    signs = sum(character in "!@#$%^&*?~+=" for character in value)
    if (
        not letters
        or not (digits or signs)
        or _VERSION.fullmatch(value)
        or _DATE.fullmatch(value)
        or _TECHNICAL_NAME.fullmatch(value)
    ):
        return False
    return digits >= 2 or signs >= 2 or strangeness(value) >= 0.14


def is_words(value: str) -> bool:
    """Say whether a value is words: letters with separators between them, in an order that words have."""
    return _WORDS.fullmatch(value) is not None and strangeness(value) < 0.36


def is_label(value: str) -> bool:
    """Say whether words name a field or a type (`"password"`, `"api token"`) and are no secret."""
    return _LABEL.search(value) is not None


def is_address(value: str) -> bool:
    """Say whether a value is a path or a URL."""
    return _ADDRESS.match(value) is not None


def is_dotted_name(value: str) -> bool:
    """Say whether a value reads like `self.config.token` or `os::env`, every part a name."""
    return _DOTTED_NAME.fullmatch(value) is not None and (not any(map(str.isdigit, value)) or strangeness(value) < 0.36)


def is_hex(value: str) -> bool:
    """Say whether a value is hexadecimal digits of one case."""
    return _HEX.fullmatch(value) is not None


def is_uuid(value: str) -> bool:
    """Say whether a value is a UUID."""
    return _UUID.fullmatch(value) is not None


def is_stand_in(value: str) -> bool:
    """Say whether nothing of a value can be secret: a template, `<your-key>`, `xxx`, `changeme`, `None`."""
    value = value.strip()
    if not value or _STANDS_IN.fullmatch(value) or len(set(value)) <= 2:
        return True
    if _TEMPLATE_SIGNS.isdisjoint(value):
        return False
    rest, count = _TEMPLATE.subn(" ", value)
    if not count:
        return False
    return not any(is_random(part, 10) for part in rest.split())


def has_stand_in_word(value: str) -> bool:
    """Say whether a value of free form says of itself that it is an example, a dummy or a common password."""
    return _STAND_IN_WORD.search(value) is not None


def is_sample_token(value: str) -> bool:
    """Say whether a value of a known token format is an obvious sample."""
    return _FORMAT_STAND_IN.search(value) is not None or len(set(value)) < min(9, len(value) // 2)
