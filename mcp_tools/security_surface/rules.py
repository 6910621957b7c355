"""The rules that this tool can report. Data; each has a page in `docs/rules`."""

from collections.abc import Mapping
from types import MappingProxyType

from mcp_tools.finding import Lane, Level, Rule


def _rule(rule_id: str, summary: str, level: Level, *tags: str) -> tuple[str, Rule]:
    return rule_id, Rule(rule_id, summary, level, Lane.SECURITY, tags)


RULES: Mapping[str, Rule] = MappingProxyType(
    dict(
        (
            _rule("hard-coded-secret", "A password, token or key stands in the text.", Level.ERROR, "CWE-798"),
            _rule("private-key", "A private key stands in the text.", Level.ERROR, "CWE-321"),
            _rule("sql-injection", "SQL is built from text that is not constant.", Level.ERROR, "CWE-89"),
            _rule("shell-injection", "A shell command is built from text that is not constant.", Level.ERROR, "CWE-78"),
            _rule("code-injection", "Text that is not constant is run as code.", Level.ERROR, "CWE-95"),
            _rule("unsafe-deserialization", "Data is read by a loader that can run code.", Level.ERROR, "CWE-502"),
            _rule("tls-verification-disabled", "A TLS or SSH peer is not verified.", Level.ERROR, "CWE-295"),
            _rule("weak-hash", "A hash function that no longer withstands attack is used.", Level.WARNING, "CWE-328"),
            _rule("weak-random", "A secret is made by a predictable random generator.", Level.WARNING, "CWE-338"),
            _rule(
                "insecure-temp-file", "A temporary file's name is chosen before it exists.", Level.WARNING, "CWE-377"
            ),
            _rule("debug-enabled", "A debug mode is switched on in the code.", Level.WARNING, "CWE-489"),
        )
    )
)
