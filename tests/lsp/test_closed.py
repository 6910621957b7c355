from kimi_lsp.lsp.closed import Closed, Kept
from mcp_tools.finding import Finding, Lane, Level, Location, Region, Rule

RULE = Rule("path-traversal", "A path", Level.ERROR, Lane.SECURITY)


def kept(path: str, stamp: str, generation: int = 1, message: str = "Bad.") -> Kept:
    return Kept(Finding(RULE, message, Location(path, Region(1, 0, 1, 4)), fingerprint=stamp), "text", generation)


def test_the_same_finding_is_renewed_and_another_is_added() -> None:
    closed = Closed()
    closed.add("shop", "a.py", kept("a.py", "f1"))
    closed.add("shop", "a.py", kept("a.py", "f2"))
    known = closed.add("shop", "a.py", kept("a.py", "f1", 2, "Worse."))
    assert known is not None
    assert [one.message for one in known] == ["Bad.", "Worse."]


def test_a_file_that_is_opened_is_not_closed_any_more() -> None:
    closed = Closed()
    closed.put("shop", "a.py", [kept("a.py", "f1")])
    assert [one.finding.fingerprint for one in closed.take("shop", "a.py")] == ["f1"]
    assert closed.take("shop", "a.py") == []


def test_an_audit_that_is_done_takes_away_what_it_did_not_find_again_in_its_paths() -> None:
    closed = Closed()
    for path in ("a.py", "b.py"):
        closed.add("shop", path, kept(path, "old", 1))
    closed.add("other", "a.py", kept("a.py", "old", 1))
    closed.add("shop", "a.py", kept("a.py", "new", 2))
    assert closed.close_generation("shop", ["a.py"], 2) == ["a.py"]
    assert [one.fingerprint for one in closed.findings("shop", "a.py")] == ["new"]
    assert [one.fingerprint for one in closed.findings("shop", "b.py")] == ["old"]
    assert closed.close_generation("shop", None, 2) == ["b.py"]
    assert closed.findings("other", "a.py")


def test_a_cancelled_audit_leaves_nothing() -> None:
    closed = Closed()
    closed.add("shop", "a.py", kept("a.py", "f1", 1))
    closed.add("shop", "a.py", kept("a.py", "f2", 2))
    assert closed.drop_generation("shop", 2) == ["a.py"]
    assert [one.fingerprint for one in closed.findings("shop", "a.py")] == ["f1"]


def test_there_is_room_for_so_many_files_and_the_rest_is_left_out() -> None:
    closed = Closed()
    taken = [closed.add("shop", f"{number}.py", kept(f"{number}.py", "f")) is not None for number in range(2_100)]
    assert taken == [True] * 2_000 + [False] * 100
    assert closed.add("shop", "0.py", kept("0.py", "g"))
    closed.take("shop", "5.py")
    assert closed.add("shop", "2050.py", kept("2050.py", "f"))
