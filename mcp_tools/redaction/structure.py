"""Values that their key gives away: `password = "…"`, `api_key: …`, `--token …`, `<secret>…</secret>`, `?token=…`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mcp_tools.redaction import keys
from mcp_tools.redaction.keys import Family
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
)
from mcp_tools.redaction.secret import Secret

_TYPE = r":[ \t]{0,4}+[\w.\[\]&?*<>'|][\w.\[\]&?*<>', |]{0,60}?[ \t]{0,4}+=(?![=>])"  # of a declaration, up to its `=`
_OPERATOR = (
    rf"[ \t]{{0,40}}+(?:{_TYPE}|(?:string|str|std::string)?[ \t]?(?:\[\w{{0,5}}\][ \t]?)?(?::=|\?=|\|\|=|\+=|=>|:-|[=!]==?|=)|:|,|\()"
    r"|>|[ \t]{1,4}+(?:value|default)[ \t]?=|</key>\s{0,40}+<string>|[ \t]{1,4}+(?=[\"'])"
)
_KEY = re.compile(
    rf"(?P<word>{keys.WORD})(?P<tail>[a-z0-9_.-]{{0,40}}+)(?P<close>[\\\"'\])}}]{{0,6}}+)(?P<op>{_OPERATOR})"
)
_KEY_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789_.-"
_KEY_LEAD = 40  # characters before the word that can belong to the key

_BODY_D = r"(?:[^\"\\\r\n]++|\\[^\r\n])*+"
_BODY_S = r"(?:[^'\\\r\n]++|\\[^\r\n])*+"
_QUOTED = re.compile(
    r"[ \t]{0,40}+(?:\\?(?:\r\n|\n|\r)[ \t]{0,80}+)?(?:\([ \t]{0,4}+(?:(?:\r\n|\n|\r)[ \t]{0,80}+)?)?"
    r"(?:(?:new[ ])?(?:SecretStr|SecretBytes|Secret|str|bytes|[Ss]tring(?:::from)?|b64decode|base64\.b64decode|unhexlify|atob|quote|Some)\([A-Za-z]?"
    r"|[A-Za-z@$]{0,2}+)"
    rf"(?:\"\"\"(?P<d3>[^\"\\\r\n]++)\"\"\"|'''(?P<s3>[^'\\\r\n]++)'''"
    r"|\\++\"(?P<de>(?:[^\"\\\r\n]++|\\++[^\"\\\r\n])*+)\\++\"|\\++'(?P<se>(?:[^'\\\r\n]++|\\++[^'\\\r\n])*+)\\++'"
    rf"|\"(?P<d>{_BODY_D})\"|'(?P<s>{_BODY_S})'|`(?P<b>[^`\r\n]*+)`)"
)
_MORE = re.compile(
    rf"[ \t]{{0,40}}+(?:\+|\.\.?|&|\|\||<>)?[ \t]{{0,40}}+[A-Za-z@$]{{0,2}}+(?:\"(?P<d>{_BODY_D})\"|'(?P<s>{_BODY_S})')"
)
_BARE = re.compile(r"[ \t]{0,40}+(?:&quot;|%22|&#34;)?(?P<bare>[^\s\"'`<>(){}\[\],;|&\\]{4,1000}+)(?![(\[{])")
_ARGUMENT = re.compile(r"(?P<bare>[^\s\"'`<>|;]{4,1000}+)")
_REST = re.compile(r"[ \t]{0,40}+(?P<rest>[^\s\"'`][^\r\n]{2,1000}+)")
_COMMENT = re.compile(r"[ \t]+[#;].*\Z|[ \t,;]+\Z")
_ELEMENT = re.compile(r"\s{0,40}+(?P<bare>[^<>\r\n]{4,1000}+)(?=</)")
_FLAG = re.compile(
    r"(?<![\w-])--?(?P<lead>[a-z0-9_-]{0,40}?)(?P<word>%s)(?P<tail>[a-z0-9_-]{0,40}+)[ \t]{1,4}+" % keys.WORD
)
_PAIR = re.compile(
    r"[\"']?\b(?:name|key)[\"']?[ \t]{0,4}+[:=][ \t]{0,4}+[\"']?(?P<name>[\w.-]{3,80}+)[\"']?,?\s{1,80}+[\"']?value[\"']?[ \t]{0,4}+[:=][ \t]{0,4}+"
    r"(?P<quote>[\"']?)(?P<v>[^\s\"']{4,1000}+)(?P=quote)"
)  # an environment variable of a container: name on one line, value on the next
_PAIR_WORD = re.compile(keys.WORD)

_REGEX_SIGNS = re.compile(r"a-z|A-Z|0-9|\(\?|\[\^|\\[dwsb]|\[[a-z]-[a-z]\]|\.\*|\\\\")
_DIGEST_CONTEXT = re.compile(
    r"sha-?\d|md5|digest|checksum|integrity|fingerprint|commit|revision|\brev\b|etag|uuid|guid|hash", re.IGNORECASE
)
_DIGEST_SIZES = frozenset({32, 40, 56, 64, 96, 128})


@dataclass(frozen=True, slots=True)
class Setting:
    """What a path says about its text: may a bare word be a value there; is all of it only for tests or for show."""

    takes_bare_words: bool = False
    is_sample: bool = False


@dataclass(frozen=True, slots=True)
class _Key:
    """A key at its place, and how it is bound to what follows."""

    family: Family
    name: str
    start: int
    operator: str
    is_quoted: bool

    @property
    def binds(self) -> bool:
        """True where the value is given to the key, not compared with it or only standing beside it."""
        return self.operator not in {"==", "===", "!=", "!==", "(", ""} and (self.operator != "," or self.is_quoted)


def keyed_values(text: str, lowered: str, setting: Setting) -> Iterator[Secret]:
    """Every value whose key says that it is secret; `lowered` is the text in lower case, of the same length."""
    at = 0
    while match := _KEY.search(lowered, at):
        at = match.end("word")
        window = lowered[max(match.start() - _KEY_LEAD, 0) : match.start()]
        lead = window[len(window.rstrip(_KEY_CHARACTERS)) :]
        family = keys.family_of(match["word"], lead, match["tail"])
        if family is None:
            continue
        operator = match["op"].strip()
        if operator[0:1] == ":" and operator[-1:] == "=":
            operator = "="
        is_quoted = '"' in match["close"] or "'" in match["close"]
        key = _Key(family, f"{lead}{match['word']}{match['tail']}", match.start() - len(lead), operator, is_quoted)
        yield from _values(text, match.end(), key, setting)


def flagged_values(text: str, lowered: str, setting: Setting) -> Iterator[Secret]:
    """Every value of a command-line option such as `--password x`."""
    for match in _FLAG.finditer(lowered):
        family = keys.family_of(match["word"], match["lead"], match["tail"])
        value = _ARGUMENT.match(text, match.end())
        if family and value and not value["bare"].startswith("-"):
            key = _Key(family, match["word"], match.start(), " ", is_quoted=False)
            if _is_bare_secret(key, value["bare"], in_code=False):
                yield _secret(text, key, *value.span("bare"), setting)


def paired_values(text: str, lowered: str, setting: Setting) -> Iterator[Secret]:
    """Every value whose key stands on the line before: `name: DB_PASSWORD`, then `value: …`."""
    if "value" not in lowered:
        return
    for match in _PAIR.finditer(lowered):
        name = match["name"]
        for word in _PAIR_WORD.finditer(name):
            family = keys.family_of(word[0], name[: word.start()], name[word.end() :])
            if family:
                start, stop = match.span("v")
                key = _Key(family, name, match.start(), ":", is_quoted=True)
                if _is_quoted_secret(key, text[start:stop]):
                    yield _secret(text, key, start, stop, setting)
                break


def _values(text: str, at: int, key: _Key, setting: Setting) -> Iterator[Secret]:
    if key.operator.endswith((">", "<string>")) and key.operator != "=>":
        element = _ELEMENT.match(text, at)
        if element and _is_quoted_secret(key, element["bare"].strip()):
            yield _secret(text, key, *element.span("bare"), setting)
        return
    if quoted := _QUOTED.match(text, at):
        group = quoted.lastgroup or "d"
        if key.operator == "," and not _is_argument(text, at, quoted, key):
            return
        yield from _quoted_values(text, key, quoted.end(), quoted.span(group), setting)
        return
    if not key.binds or key.operator == ",":
        return
    if setting.takes_bare_words and (rest := _REST.match(text, at)) and _starts_line(text, key.start):
        value = _COMMENT.sub("", rest["rest"])
        if _is_config_secret(key, value):
            yield _secret(text, key, rest.start("rest"), rest.start("rest") + len(value), setting)
            return
    bare = _BARE.match(text, at)
    if bare and _is_bare_secret(key, bare["bare"], in_code=not setting.takes_bare_words):
        yield _secret(text, key, *bare.span("bare"), setting, is_bare=True)


def _is_argument(text: str, at: int, quoted: re.Match[str], key: _Key) -> bool:
    """Say whether a literal after a comma is the second argument after its key (`define("KEY", "…")`), not a next item."""
    opening = text[max(key.start - 8, 0) : key.start].rstrip("\\\"'brfuBRFU ")
    return opening.endswith(("(", "[")) and not any(end in text[at : quoted.start(quoted.lastgroup or "d")] for end in "\r\n")


def _quoted_values(text: str, key: _Key, at: int, span: tuple[int, int], setting: Setting) -> Iterator[Secret]:
    """A quoted value and the literals joined to it on the same line, judged as one."""
    spans = [span]
    while (more := _MORE.match(text, at)) and more[0].strip() and len(spans) < 50:
        spans.append(more.span(more.lastgroup or "d"))
        at = more.end()
    joined = "".join(text[start:stop] for start, stop in spans)
    if len(spans) > 1 and _is_quoted_secret(key, joined):
        yield from (_secret(text, key, start, stop, setting) for start, stop in spans if stop > start)
    elif _is_quoted_secret(key, text[span[0] : span[1]]):
        yield _secret(text, key, *span, setting)


def _starts_line(text: str, at: int) -> bool:
    """Say whether only indentation, `-`, `export` or `set` stands before a key on its line."""
    before = text[max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1 : at]
    return before.strip(" \t-\"'*").lower() in {"", "export", "set", "setenv", "env", "arg", "$env:"}


def _is_config_secret(key: _Key, value: str) -> bool:
    """Judge the rest of a line in a configuration file."""
    if len(value) < 4 or is_stand_in(value) or value[0] in "!&*|>{[" or is_address(value):
        return False
    if key.family.is_chosen:
        return " " not in value.strip() or "phrase" in key.name
    return " " not in value and (
        is_random(value, 10) or (is_mixed(value) and len(value) >= 8 and not is_dotted_name(value))
    )


def _is_bare_secret(key: _Key, value: str, *, in_code: bool) -> bool:
    """Judge a value without quotes: in code it must look random, for a bare word there is a name."""
    value = value.rstrip(".:")
    if len(value) < 4 or is_stand_in(value) or is_address(value) or is_dotted_name(value) or is_uuid(value) and in_code:
        return False
    if is_random(value, 16 if in_code else 10):
        return True
    if value[0] in "@$*&!-/\\" or "." in value or ":" in value or not is_mixed(value):
        return False
    has_digits = sum(map(str.isdigit, value)) >= 2 and any(map(str.isalpha, value))
    if in_code:
        return key.family.is_chosen and has_digits and len(value) >= 8 and "_" not in value and not value.isidentifier()
    return len(value) >= (5 if key.family.is_chosen else 8)


def _is_quoted_secret(key: _Key, value: str) -> bool:
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


def _secret(text: str, key: _Key, start: int, stop: int, setting: Setting, *, is_bare: bool = False) -> Secret:
    value = text[start:stop]
    family = key.family
    is_sure = (
        key.binds
        and not setting.is_sample
        and not (is_bare and not setting.takes_bare_words)
        and _is_sure(text, key, value)
    )
    return Secret(family.kind, start, stop, value, is_sure, family.name)


def _is_sure(text: str, key: _Key, value: str) -> bool:
    """The precision-first judgement: what a person would agree is a real secret."""
    if not key.family.is_reportable or has_stand_in_word(value) or is_uuid(value) or any(map(str.isspace, value)):
        return False
    if is_hex(value) and len(value) in _DIGEST_SIZES:
        line = text[max(text.rfind("\n", 0, key.start), key.start - 200) : key.start]
        if key.family.is_chosen or _DIGEST_CONTEXT.search(key.name) or _DIGEST_CONTEXT.search(line):
            return False
    if key.family.is_chosen:
        return len(value) >= 6 and (is_mixed(value) or is_random(value, 10)) and not is_dotted_name(value)
    return is_random(value, 16)
