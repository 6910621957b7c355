"""Several processes on one store, and processes that die."""

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from kimi_lsp.errors import BudgetError
from kimi_lsp.store import Ceilings, Store
from kimi_lsp.store.ledger import CallState
from tests.store.helpers import WAIT_S, line_of, reserve, together, worker


def test_racing_processes_never_overspend_and_lose_no_record(shared_place: Path | str) -> None:
    granted = [int(words[0]) for words in together("race", shared_place, 4, "25")]

    assert sum(granted) == 50  # 4 x 25 x $0.01 were asked for, under a ceiling of $0.50
    with Store.open(shared_place) as store:
        settled = sum(count - count // 2 for count in granted)
        assert store.ledger.spending(since="day").cost_usd == Decimal("0.01") * settled
        assert store.ledger.spending(since="day").reserved_usd == Decimal("0.01") * (50 - settled)
        assert len(store.ledger.open_reservations()) == 50 - settled
        records = store.trail.records(limit=1000)
        assert len(records) == 100
        assert sorted(f"{record.body['worker']}/{record.body['attempt']}" for record in records) == sorted(
            f"{number}/{attempt}" for number in range(4) for attempt in range(25)
        )
        assert store.trail.verify(store.trail.head()).is_ok


def test_processes_that_open_a_fresh_directory_at_once_share_one_store_and_one_key(tmp_path: Path) -> None:
    state = tmp_path / "not" / "there" / "yet"

    keys = {words[0] for words in together("first_open", state, 5)}

    assert len(keys) == 1
    with Store.open(state) as store:
        assert sorted(str(record.body["worker"]) for record in store.trail.records()) == ["0", "1", "2", "3", "4"]
        assert store.trail.verify().is_ok


def test_a_process_killed_in_its_transaction_leaves_a_usable_store(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.trail.append("before", {})
        with worker("hold", tmp_path) as process:
            assert line_of(process) == "ready"
            process.kill()
            process.wait(timeout=WAIT_S)
            store.trail.append("after", {})
            reserve(store)

        assert store.consents.all() == []
        assert [record.kind for record in store.trail.records()] == ["before", "after"]
        assert store.trail.verify().is_ok


def test_every_record_that_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    with worker("append", tmp_path) as process:
        acknowledged = [line_of(process) for _ in range(30)]
        process.kill()
        process.wait(timeout=WAIT_S)

    with Store.open(tmp_path) as store:
        assert store.trail.verify().is_ok
        assert [record.id for record in store.trail.records(limit=30)] == acknowledged


def test_a_reservation_of_a_dead_process_goes_on_counting_and_can_be_seen(tmp_path: Path) -> None:
    with worker("die_reserved", tmp_path) as process:
        process.wait(timeout=WAIT_S)

    with Store.open(tmp_path) as store:
        (left,) = store.ledger.open_reservations()
        assert left.cost_usd == Decimal("0.40")
        with pytest.raises(BudgetError, match=r"\$0\.00 spent, \$0\.40 reserved, \$0\.20 needed"):
            reserve(store, "0.20", Ceilings(week_usd=Decimal("0.50")))
        store.ledger.release(left)
        assert store.ledger.entries()[0].state is CallState.RELEASED
        reserve(store, "0.20", Ceilings(week_usd=Decimal("0.50")))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_store_that_was_open_at_a_fork_works_in_parent_and_children(tmp_path: Path) -> None:
    with worker("fork", tmp_path) as process:
        out, problem = process.communicate(timeout=WAIT_S)

    assert json.loads(out or problem) == {"codes": [0, 0], "checked": 31, "problem": ""}


def test_nothing_is_written_outside_the_state_directory(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with worker("watch", state) as process:
        out, problem = process.communicate(timeout=WAIT_S)

    assert process.returncode == 0, problem
    changed = [Path(path) for path in json.loads(out)]
    assert state / "store.db" in changed
    assert state / "install.key" in changed
    assert [path for path in changed if not path.is_relative_to(state)] == []
    assert list(tmp_path.iterdir()) == [state]
    assert {path.name for path in state.iterdir()} == {"store.db", "install.key"}
