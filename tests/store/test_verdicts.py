"""Verdicts: the last word of a human on a finding."""

import pytest

from kimi_lsp.errors import UsageError
from kimi_lsp.store import Decision, Store, Verdict
from tests.store.helpers import Ticker


def test_a_verdict_is_found_by_project_and_fingerprint(store: Store) -> None:
    given = store.verdicts.set("p", "f1", Decision.DISMISSED, reason=" only in tests \n", who="ann")
    store.verdicts.set("q", "f2", Decision.CONFIRMED)
    assert given == Verdict("f1", Decision.DISMISSED, "only in tests", "ann", "2026-11-25T12:00:00.000000Z")
    assert store.verdicts.get_many("p", ["f1", "f2", "f1", "f3"]) == {"f1": given}
    assert store.verdicts.get_many("p", []) == {}


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_dismissal_without_a_reason_is_refused_and_the_old_word_stands(store: Store, reason: str) -> None:
    store.verdicts.set("p", "f1", Decision.CONFIRMED)
    with pytest.raises(UsageError, match="dismissed with a reason"):
        store.verdicts.set("p", "f1", Decision.DISMISSED, reason=reason)
    assert store.verdicts.get_many("p", ["f1"])["f1"].decision is Decision.CONFIRMED


def test_the_last_word_counts(store: Store, clock: Ticker) -> None:
    store.verdicts.set("p", "f1", Decision.DISMISSED, reason="no")
    store.verdicts.set("p", "f2", Decision.CONFIRMED)
    clock.advance(days=1)
    last = store.verdicts.set("p", "f1", Decision.CONFIRMED, reason="it does hold", who="bob")
    assert store.verdicts.get_many("p", ["f1"]) == {"f1": last}
    assert [verdict.fingerprint for verdict in store.verdicts.all("p")] == ["f2", "f1"]


def test_a_verdict_can_be_taken_back(store: Store) -> None:
    store.verdicts.set("p", "f1", Decision.CONFIRMED)
    assert store.verdicts.clear("p", "f1")
    assert not store.verdicts.clear("p", "f1")
    assert store.verdicts.all("p") == []


def test_thousands_of_fingerprints_are_asked_at_once(store: Store) -> None:
    for number in range(0, 1200, 100):
        store.verdicts.set("p", f"f{number}", Decision.CONFIRMED)
    assert len(store.verdicts.get_many("p", [f"f{number}" for number in range(1200)])) == 12
