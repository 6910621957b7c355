"""Which of ruff's `S` rules are asked for, what they are called here, and why the others are not. Data.

Each was judged on runs over installed packages: a code is kept when what it adds to our own queries is mostly right,
or when its agreement makes a finding surer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mcp_tools.finding import Confidence, Notice

_LOW, _MEDIUM, _HIGH = Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH


@dataclass(frozen=True, slots=True)
class Code:
    """One code of ruff that is asked for.

    `alone` is the confidence of a hit where no query of ours agrees; None where such hits are mostly wrong, and only
    agreement counts.
    """

    rule: str
    alone: Confidence | None
    why: str
    unless: str = ""  # a part of ruff's message that marks a harmless hit


@dataclass(frozen=True, slots=True)
class RuffHit:
    """One diagnostic of ruff at offsets in the text that we hold."""

    code: str
    message: str
    start: int
    stop: int


@dataclass(slots=True)
class RuffAnswer:
    """What ruff said about a batch, by path, and what it could not do."""

    hits: dict[str, list[RuffHit]] = field(default_factory=dict[str, list[RuffHit]])
    notices: list[Notice] = field(default_factory=list[Notice])


CODES: Mapping[str, Code] = {
    "S102": Code("code-injection", None, "any exec(): what it adds to ours is exec() of constants"),
    "S201": Code("debug-enabled", _HIGH, "Flask's debug=True, resolved through imports"),
    "S301": Code(
        "unsafe-deserialization", None, "pickle: what it adds to ours is mostly pickles of constants in tests"
    ),
    "S302": Code("unsafe-deserialization", None, "as S301, for marshal"),
    "S306": Code("insecure-temp-file", _HIGH, "mktemp through any alias"),
    "S307": Code("code-injection", None, "any eval(): what it adds to ours is eval() of constants"),
    "S323": Code("tls-verification-disabled", _MEDIUM, "ssl._create_unverified_context, also where only named"),
    "S324": Code("weak-hash", _MEDIUM, "hashlib and crypt through any alias; knows usedforsecurity"),
    "S501": Code("tls-verification-disabled", _HIGH, "requests and httpx with verify=False, resolved through imports"),
    "S506": Code("unsafe-deserialization", _MEDIUM, "yaml.load without a safe loader, resolved through imports"),
    "S507": Code("tls-verification-disabled", _HIGH, "paramiko policies that accept any host key"),
    "S602": Code("shell-injection", _LOW, "shell=True; says when the command is constant", unless="seems safe"),
    "S605": Code("shell-injection", _LOW, "os.system and such; says when the command is constant", unless="seems safe"),
    "S608": Code("sql-injection", None, "any text that reads like SQL: alone, mostly messages and SQL compilers"),
}

DROPPED: Mapping[str, str] = {
    "S101": "assert: not a weakness in most code",
    "S103": "file modes: mostly deliberate (executables)",
    "S104": "binding to all interfaces: a deployment choice",
    "S105": "our own secrets scan is stricter: names alone are noise",
    "S106": "as S105",
    "S107": "as S105",
    "S108": "a path below /tmp: rarely written with a guessable name",
    "S110": "try/except/pass: a matter of style",
    "S112": "try/except/continue: a matter of style",
    "S113": "no timeout: reliability, not security",
    "S202": "tarfile members: safe by default since Python 3.14, and the filter is not seen",
    "S303": "as S324, for older names",
    "S304": "old ciphers: too rare to be judged",
    "S305": "ECB mode: too rare to be judged",
    "S308": "mark_safe: right only where the text comes from outside",
    "S310": "urlopen: fires on every call whose URL is not a literal",
    "S311": "random: right only where a secret is made; see weak-random",
    "S312": "telnetlib: a protocol choice",
    "S313": "XML parsers: safe against entities in Expat >= 2.7",
    "S314": "as S313",
    "S315": "as S313",
    "S316": "as S313",
    "S317": "as S313",
    "S318": "as S313",
    "S319": "as S313",
    "S321": "ftplib: a protocol choice",
    "S401": "an import alone is no weakness",
    "S402": "an import alone is no weakness",
    "S403": "an import alone is no weakness",
    "S404": "an import alone is no weakness",
    "S405": "an import alone is no weakness",
    "S406": "an import alone is no weakness",
    "S407": "an import alone is no weakness",
    "S408": "an import alone is no weakness",
    "S409": "an import alone is no weakness",
    "S411": "an import alone is no weakness",
    "S412": "an import alone is no weakness",
    "S413": "an import alone is no weakness",
    "S415": "an import alone is no weakness",
    "S502": "old TLS versions: fires on names that OpenSSL maps to any version",
    "S503": "as S502",
    "S504": "no TLS version named: the default is right",
    "S505": "short keys: too rare to be judged",
    "S508": "SNMP versions: a protocol choice",
    "S509": "SNMP without privacy: a protocol choice",
    "S601": "paramiko's exec_command: fires on constants",
    "S603": "a process without a shell: not a weakness by itself",
    "S604": "shell=True of functions that are not known to start a process: mostly settings handed on",
    "S606": "a process without a shell: not a weakness by itself",
    "S607": "a program found through PATH: not a weakness in most code",
    "S609": "wildcards in commands: too rare to be judged",
    "S610": "Django's extra(): fires on constants",
    "S611": "RawSQL: fires on constants; see sql-injection",
    "S612": "logging.config.listen: too rare to be judged",
    "S701": "jinja2 without autoescape: templates are often not HTML",
    "S702": "Mako templates: as S701",
    "S704": "Markup(): right only where the text comes from outside",
}

CODES_OF_RULE: Mapping[str, frozenset[str]] = {
    rule: frozenset(code for code, row in CODES.items() if row.rule == rule)
    for rule in {row.rule for row in CODES.values()}
}
