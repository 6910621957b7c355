"""The rules of the offline checks. Data; each has a page in `docs/rules`."""

from collections.abc import Mapping
from types import MappingProxyType

from mcp_tools.finding import Lane, Level, Rule


def _rule(rule_id: str, summary: str, level: Level, *tags: str) -> tuple[str, Rule]:
    return rule_id, Rule(rule_id, summary, level, Lane.DEPENDENCIES, tags)


RULES: Mapping[str, Rule] = MappingProxyType(
    dict(
        (
            # pins
            _rule("unpinned-dependency", "What gets installed is decided anew each time.", Level.WARNING, "CWE-1357"),
            _rule("unpinned-image", "A container image names no version.", Level.WARNING, "CWE-829"),
            _rule("unpinned-action", "A workflow uses what moves: a branch or a short tag.", Level.WARNING, "CWE-829"),
            # sources
            _rule("insecure-package-source", "Packages are fetched without encryption.", Level.WARNING, "CWE-319"),
            _rule("git-dependency", "A package comes from a git repository, not from a registry.", Level.NOTE),
            _rule("url-dependency", "A package comes from an address, not from a registry.", Level.NOTE),
            _rule("path-outside-project", "A package is taken from a folder outside the project.", Level.WARNING),
            _rule(
                "missing-integrity", "A locked package has no hash, while others have one.", Level.WARNING, "CWE-494"
            ),
            _rule("extra-package-index", "A name may be answered by more than one index.", Level.WARNING, "CWE-427"),
            # retired
            _rule("deprecated-dependency", "Its maintainers advise against a package.", Level.WARNING, "CWE-1104"),
            _rule("yanked-dependency", "A locked version was withdrawn by its maintainers.", Level.WARNING, "CWE-1104"),
            _rule("install-script", "A package runs a script when it is installed.", Level.NOTE, "CWE-829"),
            # licences
            _rule("denied-licence", "The project's policy does not allow a licence.", Level.ERROR),
            _rule("unknown-licence", "A licence could not be weighed against the project's policy.", Level.NOTE),
            _rule("licence-conflict", "A licence does not go with the project's own.", Level.WARNING),
            # drift
            _rule("lockfile-drift", "A manifest asks for what its lockfile does not hold.", Level.WARNING),
            _rule("duplicate-package", "One package is locked at several incompatible versions.", Level.NOTE),
            # confusion
            _rule("lookalike-package", "A name is almost that of a well-known package.", Level.WARNING, "CWE-1357"),
            _rule(
                "internal-name", "A private package's name can be taken in a public index.", Level.WARNING, "CWE-427"
            ),
        )
    )
)
