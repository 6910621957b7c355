"""The cache: found again, pushed out in the order of use, never in the way."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from kimi_lsp.store import Store
from tests.store.helpers import Ticker


def noise(seed: int, size: int = 1000) -> str:
    """Text that hardly compresses: about half its length."""
    return random.Random(seed).randbytes(size).hex()


def keys(store: Store, count: int = 100) -> list[int]:
    return sorted(int(key) for key in store.cache.get_many(map(str, range(count))))


@pytest.mark.parametrize("value", ["", "text", "審\U0001f600\0", "half \ud83d", "x" * 1_000_000])
def test_a_value_is_found_again(store: Store, value: str) -> None:
    store.cache.put("key", value, project="p")
    assert store.cache.get("key") == value
    assert store.cache.get("other") is None


def test_a_new_value_takes_the_old_ones_place(store: Store) -> None:
    store.cache.put("key", "old", project="p")
    store.cache.put("key", "new", project="q")
    assert store.cache.get("key") == "new"
    assert store.cache.forget("p") == 0
    assert store.cache.forget("q") == 1


def test_many_keys_are_answered_at_once(store: Store) -> None:
    store.cache.put_many({f"key {number}": str(number) for number in range(0, 2000, 2)}, project="p")
    found = store.cache.get_many(f"key {number}" for number in range(2000))
    assert found == {f"key {number}": str(number) for number in range(0, 2000, 2)}
    assert store.cache.get_many([]) == {}
    store.cache.put_many({}, project="p")


def test_values_are_kept_compressed(store: Store) -> None:
    store.cache.put("key", "the same again and again " * 1000, project="p")
    assert store.cache.size_bytes() < 500


def test_what_is_unused_for_longest_goes_first(store: Store, clock: Ticker) -> None:
    for number in range(4):
        store.cache.put(str(number), noise(number), project="p")
        clock.advance(hours=2)
    assert store.cache.get("0") == noise(0)  # used again: now the newest
    size = store.cache.size_bytes()

    assert store.cache.prune(max_bytes=size) == 0
    assert store.cache.prune(max_bytes=size * 3 // 5) == 2
    assert keys(store) == [0, 3]


def test_what_is_unused_for_longer_than_a_time_goes(store: Store, clock: Ticker) -> None:
    store.cache.put_many({"1": "a", "2": "b"}, project="p")
    clock.advance(days=10)
    assert store.cache.get("2") == "b"
    clock.advance(days=10)
    assert store.cache.prune(older_than=timedelta(days=15)) == 1
    assert keys(store) == [2]


def test_a_full_cache_makes_room_by_itself(tmp_path: Path, clock: Ticker) -> None:
    with Store.open(tmp_path, clock=clock, max_cache_bytes=50_000) as store:
        for number in range(100):
            store.cache.put(str(number), noise(number), project="p")
            clock.advance(hours=2)
            assert store.cache.size_bytes() <= 50_000 + 50_000 // 16 + 2000
        left = keys(store)
        assert len(left) > 20
        assert left == list(range(left[0], 100))


def test_a_value_larger_than_the_whole_cache_is_let_go(tmp_path: Path) -> None:
    with Store.open(tmp_path, max_cache_bytes=1000) as store:
        store.cache.put("big", noise(1, 50_000), project="p")
        assert store.cache.get("big") is None
        assert store.cache.size_bytes() == 0


def test_a_damaged_value_counts_as_absent(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.cache.put_many({"1": "a", "2": "b", "3": "c"}, project="p")
        with store.database.write("cache") as connection:
            connection.exec_driver_sql("UPDATE kimi_cache SET data = x'00' WHERE key = '1'")
            connection.exec_driver_sql("UPDATE kimi_cache SET data = 5 WHERE key = '2'")
        assert store.cache.get_many("123") == {"3": "c"}


def test_reading_again_within_the_hour_writes_nothing(tmp_path: Path, clock: Ticker) -> None:
    with Store.open(tmp_path, clock=clock) as store, Store.open(tmp_path, clock=clock) as other:
        store.cache.put("key", "value", project="p")
        clock.advance(minutes=59)
        with other.database.write("cache"):  # a write here would wait for this one
            assert store.cache.get("key") == "value"
