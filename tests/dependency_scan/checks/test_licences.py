"""Licence expressions, policies, and what does not go together."""

import json
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from mcp_tools.dependency_scan import licences
from mcp_tools.dependency_scan.licences import (
    Category,
    Expression,
    Joined,
    Leaf,
    LicencePolicy,
    Operator,
    Ruling,
    category_of,
    conflict,
    parse,
    rule_on,
)
from mcp_tools.dependency_scan.licences.table import CATEGORIES, NAMES, NEUTRAL, WEAKENING
from mcp_tools.dependency_scan.reporting import Sources
from mcp_tools.dependency_scan.values import FileRead
from mcp_tools.finding import Finding, Notice
from tests.dependency_scan.checks.checking import Check, lines, read_all


@pytest.mark.parametrize(
    ("text", "read", "category"),
    [
        ("MIT", "MIT", "permissive"),
        ("mit", "MIT", "permissive"),
        ("(MIT OR GPL-3.0-only)", "MIT OR GPL-3.0-only", "permissive"),
        ("MIT AND GPL-3.0-only", "MIT AND GPL-3.0-only", "strong-copyleft"),
        ("MIT AND (Apache-2.0 OR AGPL-3.0-only)", "MIT AND (Apache-2.0 OR AGPL-3.0-only)", "permissive"),
        ("MIT OR GPL-2.0-only AND MPL-2.0", "MIT OR (GPL-2.0-only AND MPL-2.0)", "permissive"),
        ("GPL-2.0", "GPL-2.0-only", "strong-copyleft"),
        ("LGPL-2.1+", "LGPL-2.1-or-later", "weak-copyleft"),
        ("GPL-2.0 WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0", "weak-copyleft"),
        ("GPL-2.0-only with odd-exception", "GPL-2.0-only WITH odd-exception", "unknown"),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception", "permissive"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0", "permissive"),
        ("MIT / Apache-2.0", "MIT OR Apache-2.0", "permissive"),
        ("MIT/X11", "MIT", "permissive"),
        ("Apache License, Version 2.0", "Apache-2.0", "permissive"),
        ("GPLv3+", "GPL-3.0-or-later", "strong-copyleft"),
        ("MIT or unheard-of", "MIT OR unheard-of", "permissive"),
        ("MIT AND unheard-of", "MIT AND unheard-of", "unknown"),
        ("GPL-3.0-only OR unheard-of", "GPL-3.0-only OR unheard-of", "unknown"),
        ("GPL-3.0-only AND unheard-of", "GPL-3.0-only AND unheard-of", "strong-copyleft"),
        ("LicenseRef-ours", "LicenseRef-ours", "unknown"),
        ("UNLICENSED", "UNLICENSED", "proprietary"),
        ("SEE LICENSE IN LICENSE.txt", "SEE LICENSE IN LICENSE.txt", "unknown"),
        ("BSD", "BSD", "unknown"),
        ("GPL", "GPL", "unknown"),
        ("Apache", "Apache", "unknown"),
        ("MIT, Apache", "MIT, Apache", "unknown"),
        ("BSD/GPL", "BSD/GPL", "unknown"),
        ("MIT OR", "MIT OR", "unknown"),
        ("(MIT", "(MIT", "unknown"),
        ("MIT)", "MIT)", "unknown"),
        ("MIT WITH", "MIT WITH", "unknown"),
        ("OR", "OR", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_an_expression_is_read_as_spdx_and_never_guessed(text: str, read: str, category: str) -> None:
    assert str(parse(text)) == read
    assert category_of(parse(text)).value == category


def test_a_text_that_is_deep_or_long_is_unknown_and_harmless() -> None:
    assert category_of(parse("(" * 400 + "MIT" + ")" * 400)) is Category.UNKNOWN
    assert category_of(parse("MIT OR " * 100_000 + "MIT")) is Category.UNKNOWN


_IDS = st.sampled_from(sorted(CATEGORIES))
_LEAVES = st.one_of(_IDS.map(Leaf), st.builds(Leaf, _IDS, st.sampled_from(sorted(WEAKENING | NEUTRAL))))


def _joined(operator: Operator, branches: list[Expression]) -> Expression:
    """As the parser builds it: a branch joined by the same operator is part of its parent."""
    flat: list[Expression] = []
    for each in branches:
        flat.extend(each.branches if isinstance(each, Joined) and each.operator is operator else (each,))
    return Joined(operator, tuple(flat))


_TREES: st.SearchStrategy[Expression] = st.recursive(
    _LEAVES,
    lambda below: st.builds(_joined, st.sampled_from(Operator), st.lists(below, min_size=2, max_size=3)),
    max_leaves=8,
)


@given(_TREES)
def test_what_is_written_is_read_back(tree: Expression) -> None:
    text = str(tree)
    if len(text) <= 1000:
        assert parse(text) == tree


@given(_TREES, _TREES)
def test_a_choice_never_asks_more_than_either_branch_and_a_sum_never_less(one: Expression, other: Expression) -> None:
    ranks = [category_of(one).rank, category_of(other).rank]
    assert category_of(Joined(Operator.OR, (one, other))).rank == min(ranks)
    assert category_of(Joined(Operator.AND, (one, other))).rank == max(ranks)


@given(st.text(max_size=60))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    assert isinstance(category_of(parse(text)), Category)


def test_the_names_lead_to_ids_of_the_table() -> None:
    assert set(NAMES.values()) <= set(CATEGORIES)
    assert all(name == name.lower() for name in NAMES)


@pytest.mark.parametrize(
    ("allow", "deny", "text", "ruling"),
    [
        ({"MIT"}, set[str](), "MIT", Ruling.ALLOWED),
        ({"MIT"}, set[str](), "ISC", Ruling.DENIED),
        ({"MIT"}, set[str](), "ISC OR MIT", Ruling.ALLOWED),
        ({"MIT"}, set[str](), "ISC AND MIT", Ruling.DENIED),
        ({"MIT"}, set[str](), "unheard-of", Ruling.UNDECIDED),
        ({"MIT"}, set[str](), "unheard-of OR MIT", Ruling.ALLOWED),
        ({"MIT", "unheard-of"}, set[str](), "unheard-of", Ruling.ALLOWED),
        ({"MIT", "unknown"}, set[str](), "unheard-of", Ruling.ALLOWED),
        (set[str](), {"strong-copyleft"}, "GPL-3.0-only", Ruling.DENIED),
        (set[str](), {"strong-copyleft"}, "GPL-2.0-only WITH Classpath-exception-2.0", Ruling.ALLOWED),
        (set[str](), {"GPL-2.0-only"}, "GPL-2.0-only WITH Classpath-exception-2.0", Ruling.DENIED),
        (set[str](), {"strong-copyleft"}, "unheard-of", Ruling.UNDECIDED),
        (set[str](), {"unknown"}, "unheard-of", Ruling.DENIED),
        ({"permissive"}, {"WTFPL"}, "WTFPL", Ruling.DENIED),
        ({"permissive"}, {"WTFPL"}, "MIT OR WTFPL", Ruling.ALLOWED),
    ],
)
def test_a_policy_rules_by_the_best_of_a_choice_and_the_worst_of_a_sum(
    allow: set[str], deny: set[str], text: str, ruling: Ruling
) -> None:
    assert rule_on(LicencePolicy(frozenset(allow), frozenset(deny)), parse(text)) is ruling


@pytest.mark.parametrize(
    ("project", "dependency", "certain"),
    [
        ("MIT", "Apache-2.0", None),
        ("MIT", "LGPL-3.0-only", None),
        ("MIT", "GPL-3.0-only", False),
        ("MIT", "GPL-3.0-only OR MIT", None),
        ("MIT", "GPL-3.0-only AND MIT", False),
        ("MIT", "GPL-2.0-only WITH Classpath-exception-2.0", None),
        ("MIT OR GPL-3.0-only", "GPL-3.0-only", None),
        ("MIT AND GPL-3.0-only", "GPL-3.0-only", False),
        ("UNLICENSED", "AGPL-3.0-only", False),
        ("UNLICENSED", "MPL-2.0", None),
        ("Apache-2.0", "GPL-2.0-only", True),
        ("Apache-2.0", "GPL-2.0-or-later", False),
        ("GPL-2.0-only", "Apache-2.0", True),
        ("GPL-2.0-or-later", "Apache-2.0", None),
        ("GPL-2.0-only", "GPL-3.0-or-later", True),
        ("GPL-3.0-only", "GPL-2.0-only", True),
        ("GPL-3.0-only", "GPL-2.0-or-later", None),
        ("GPL-3.0-only", "Apache-2.0", None),
        ("GPL-3.0-only", "AGPL-3.0-only", None),
        ("GPL-3.0-only", "CDDL-1.0", True),
        ("GPL-3.0-only", "Elastic-2.0", True),
        ("MPL-2.0", "GPL-3.0-only", None),
        ("unheard-of", "GPL-3.0-only", None),
        ("MIT", "unheard-of", None),
    ],
)
def test_only_a_clear_conflict_is_one(project: str, dependency: str, certain: bool | None) -> None:
    clash = conflict(parse(project), parse(dependency))
    assert (clash.is_certain if clash is not None else None) is certain


def texts(own: str | None) -> dict[str, str]:
    """A project with a lockfile that tells the licences of four packages."""
    packages = {
        "node_modules/a": {"version": "1.0.0", "license": "GPL-3.0-only"},
        "node_modules/b": {"version": "1.0.0", "license": "GPL-3.0-only", "dev": True},
        "node_modules/c": {"version": "1.0.0", "license": "Custom"},
        "node_modules/d": {"version": "1.0.0"},
    }
    manifest = {"name": "x"} if own is None else {"name": "x", "license": own}
    lock = {"lockfileVersion": 3, "packages": {"": {}, **packages}}
    return {"package.json": json.dumps(manifest), "web/package-lock.json": json.dumps(lock, indent=1)}


def under(policy: LicencePolicy) -> Check:
    """The check with a policy."""

    def check(files: Sequence[FileRead], sources: Sources) -> Iterator[Finding | Notice]:
        return licences.check(files, sources, policy)

    return check


def test_without_a_policy_only_a_conflict_of_what_is_passed_on_is_told() -> None:
    assert lines(licences.check, texts(None)) == []
    assert lines(licences.check, texts("MIT")) == snapshot(
        [
            (
                "web/package-lock.json:6: warning licence-conflict: a 1.0.0 is under GPL-3.0-only, the "
                "project under MIT: a work that includes it can be passed on only under GPL-3.0-only, "
                "not under MIT alone."
            )
        ]
    )


def test_a_policy_is_told_what_it_denies_what_is_unknown_and_how_many_say_nothing() -> None:
    check = under(LicencePolicy(deny=frozenset({"strong-copyleft"})))
    assert lines(check, texts(None)) == snapshot(
        [
            (
                "web/package-lock.json:6: error denied-licence: a 1.0.0 is under GPL-3.0-only "
                "(strong-copyleft), which the policy does not allow."
            ),
            (
                "web/package-lock.json:10: note denied-licence: b 1.0.0 is under GPL-3.0-only "
                "(strong-copyleft), which the policy does not allow."
            ),
            (
                "web/package-lock.json:15: note unknown-licence: c 1.0.0 says 'Custom' of its licence, "
                "which is not one that can be weighed."
            ),
        ]
    )
    notices = [item for item in check(*read_all(texts(None))) if isinstance(item, Notice)]
    assert [(notice.message, notice.incomplete) for notice in notices] == [
        ("the file does not tell the licence of 1 package", True)
    ]


def test_an_exempt_package_is_let_through() -> None:
    policy = LicencePolicy(deny=frozenset({"strong-copyleft"}), exempt=frozenset({"a", "b", "c"}))
    assert lines(under(policy), texts(None)) == []
