from pathlib import Path

from kimi_lsp.store import Decision, Store
from kimi_lsp.store.files import DATABASE_NAME
from kimi_lsp.store.peek import peek_verdicts


def test_verdicts_are_seen_without_opening_the_store(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.verdicts.set("shop", "f1", Decision.DISMISSED, reason="known", who="ada")
        store.verdicts.set("other", "f2", Decision.CONFIRMED)
        expected = store.verdicts.get_many("shop", ["f1"])
        assert peek_verdicts(tmp_path, "shop") == expected
    assert peek_verdicts(tmp_path, "shop") == expected


def test_no_store_or_a_broken_one_has_no_verdicts(tmp_path: Path) -> None:
    assert peek_verdicts(tmp_path, "shop") == {}
    assert list(tmp_path.iterdir()) == []
    (tmp_path / DATABASE_NAME).write_bytes(b"no database")
    assert peek_verdicts(tmp_path, "shop") == {}


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import sys, kimi_lsp.store.peek; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.strip() == "False"
