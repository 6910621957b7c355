"""Where code stands tells how much it matters: what is found in tests, examples and bundles is a note. Data."""

import re

from mcp_tools.redaction.lazy import Lazy

_QUIET = Lazy(
    r"""
    (?:^|/)(?: tests? | testing | testdata | test_?data | __tests__ | __mocks__ | specs? | fixtures? | mocks? | e2e
      | cypress | examples? | samples? | demos? | docs? | tutorials? | benchmarks? | bench | snapshots? | cassettes? )/
    | (?:^|/)(?: test_[^/]*\.py | [^/]*_test\.(?:py|go|rs) | conftest\.py | tests?\.(?:py|rs|js|ts)
      | [^/]*[.-](?:test|spec)s?\.[cm]?[jt]sx? | [^/]*Tests?\.java | [^/]*IT\.java )\Z
    | \.min\.[cm]?js\Z | [.-]bundle\.js\Z | \.(?:md|markdown|mdx|rst|adoc|pot?)\Z
    """,
    re.VERBOSE,
)


def is_quiet(path: str) -> bool:
    """Say whether a finding in this file is only a note: a test, an example, documentation or a bundle."""
    return _QUIET.search(path) is not None
