"""Names that say what they hold is secret (`db_password`, `apiKey`), and the many that only sound so (`token_type`)."""

from dataclasses import dataclass
from functools import lru_cache

from mcp_tools.redaction.lazy import Lazy


@dataclass(frozen=True, slots=True)
class Family:
    """Keys of one kind. `is_chosen`: people choose such values, so that a plain word can be one."""

    kind: str
    name: str
    is_chosen: bool = False
    is_reportable: bool = True


PASSWORD = Family("password", "password", is_chosen=True)
_TOKEN = Family("token", "token")
_SECRET = Family("secret", "secret")
_API_KEY = Family("api-key", "API key")
_CREDENTIAL = Family("credential", "credential")
_AUTH = Family("auth", "authorization value", is_reportable=False)
_SALT = Family("salt", "salt", is_reportable=False)

_FAMILIES = {
    r"pass(?:w(?:or)?d|_?phrase|wort)": PASSWORD,
    r"pass(?![a-z])": PASSWORD,
    r"kennwort": PASSWORD,
    r"pwd": PASSWORD,
    r"pw(?![a-z])": PASSWORD,
    r"psk(?![a-z])": PASSWORD,
    r"token": _TOKEN,
    r"bearer": _TOKEN,
    r"jwt": _TOKEN,
    r"csrf": _TOKEN,
    r"sess(?:ion)?(?:_?id)?(?![a-z])": _TOKEN,
    r"cookie(?![a-z])": _TOKEN,
    r"secret": _SECRET,
    r"mnemonic": _SECRET,
    r"seed_?phrase": _SECRET,
    r"otp_?seed": _SECRET,
    r"recovery_?code": _SECRET,
    r"key": _API_KEY,
    r"cred(?:ential|s?(?![a-z]))": _CREDENTIAL,
    r"conn(?:ection)?_?str(?:ing)?": _CREDENTIAL,
    r"auth(?:orization)?(?![a-z])": _AUTH,
    r"salt(?![a-z])": _SALT,
    r"pepper(?![a-z])": _SALT,
}
WORD = "|".join(_FAMILIES)  # every alternative starts with a letter of its own, so that the engine can skip ahead
_COMPILED = tuple((Lazy(pattern.replace("(?![a-z])", "")), family) for pattern, family in _FAMILIES.items())

_SECRET_KEY = Lazy(
    r"(?:\b|_|\.|-|[a-z])(?:api|app|application|account|master|encryption|encrypt|enc|signing|sign|signature|service|subscription|licen[cs]e|ssh|aes|des|hmac|shared|"
    r"storage|consumer|webhook|deploy|admin|root|access|private|priv|client|secret|auth|session|cookie|crypto|write|ingest|token|password|user)[_.-]?\Z"
)
_SHORT_WORDS = frozenset({"pass", "pw", "psk", "pepper", "auth", "salt", "cred", "creds"})

_BENIGN_TAIL = Lazy(
    r"(?:names?|type|url|uri|path|file|fields?|len|length|size|count|num|max|min|limit|header|prefix|suffix|regexp?|re|pattern|label|title|error|err|"
    r"msg|message|class|cls|format|fmt|policy|expir\w*|ttl|timeout|method|mode|version|index|idx|kind|hint|prompt|text|placeholder|help|desc|"
    r"description|docs?|input|widget|form|view|page|link|reset|changed?|required|enabled|disabled|valid\w*|verif\w*|checker|check|hashers?|provider|"
    r"manager|store|backend|handler|helper|factory|service|endpoint|host|port|scheme|usage|cost|budget|price|stats?|ids?|ref|arn|env|var|"
    r"column|col|table|row|map|dict|list|set|keys|parser?|izer|iter|range|start|stop|end|pos|position|offset|span|line|style|color|colour|"
    r"algorithm|alg|algo|cipher|encoding|charset|strength|rule|test|salt|exception|invalid|missing|denied|failed|failure|flow|state|status|"
    r"scopes?|location|source|src|target|dest|group|role|func|function|fn|callback|cmd|command|action|event|hook|option|param|arg|attr|property|"
    r"property_?name|schema|model|spec|config|settings|template|example|sample|info|meta|metadata|data_?type|object|obj|lookup|getter|setter|"
    r"modifiers?|code_?point|board|word|ring|chain|args?|kwargs?|encode|decode|starts_?with|ends_?with|l?r?strip|split|join|\.get|\.pop|press|down|up|frame|frames|space|share|strokes?)s?\Z"
)
_BENIGN_KEY = Lazy(
    r"tokeni[sz]|(?:max|min|num|n|total|stop|pad|eos|bos|unk|sep|cls|mask|special|prompt|completion|input|output|cached|reasoning|punct|next|prev|"
    r"current|last|first|end|start|lex|syntax|sub|word|comment|expr|op|opening|closing|cancel|ct|page|continuation|sync|parse\w*)[_.-]?tokens?\Z|"
    r"tokens\Z|regex|getpass|public|sha-?\d|md5|checksum|digest|fingerprint|integrity|etag|foreign|primary|cache_?key|pub_?key|no_?pass|"
    r"no_?auth|oauth\Z|by_?pass|com_?pass|is_|has_|use_|with_|show_|hide_|require"
)


def family_of(word: str, lead: str, tail: str) -> Family | None:
    """The family of a key, all lower case: a word of `WORD`, what stands before it in the name, and what after.

    None when the name only sounds secret.
    """
    if word == "key" and not _SECRET_KEY.search(lead):
        return None
    if word in _SHORT_WORDS and lead[-1:].isalpha() and not lead.endswith(("db", "user", "basic", "my")):
        return None
    family = _family(word)
    end = tail.strip("_.-")
    if end and (_BENIGN_TAIL.search(end) or family in (_AUTH, _SALT)):
        return None
    return None if _BENIGN_KEY.search(f"{lead}{word}{tail}".rstrip("_.-")) else family


@lru_cache(256)
def _family(word: str) -> Family | None:
    return next((family for pattern, family in _COMPILED if pattern.fullmatch(word)), None)
