"""The other process: `python -m tests.store.worker COMMAND STATE ARGUMENTS`. Run by the tests, never collected."""

import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from kimi_lsp.errors import BudgetError, StoreError
from kimi_lsp.store import Ceilings, Decision, Store, install_key, verify_export
from kimi_lsp.usage import Usage
from tests.store.helpers import WAIT_S, reserve


def _say(text: str) -> None:
    print(text, flush=True)


def _wait_for_go() -> None:
    _say("ready")
    sys.stdin.readline()


def race(state: Path | str, number: str, attempts: str) -> None:
    """Reserve as often as asked for under one daily ceiling; settle every second grant; record each attempt."""
    with Store.open(state) as store:
        _wait_for_go()
        granted = 0
        for attempt in range(int(attempts)):
            try:
                held = reserve(store, "0.01", Ceilings(day_usd=Decimal("0.50")), run=f"run-{number}")
            except BudgetError:
                store.trail.append("refused", {"worker": number, "attempt": attempt}, run_id=f"run-{number}")
                continue
            granted += 1
            if granted % 2:
                store.ledger.settle(held, Usage(prompt_tokens=100), Decimal("0.01"))
            store.trail.append("granted", {"worker": number, "attempt": attempt}, {"answer": f"{number}/{attempt}"})
        _say(str(granted))


def first_open(state: Path, number: str) -> None:
    """Open a store that is not there yet, with everybody else."""
    Store.open("sqlite://").close()  # the import is not what is raced
    _wait_for_go()
    with Store.open(state) as store:
        store.trail.append("opened", {"worker": number})
    _say(hashlib.sha256(install_key(state, "test")).hexdigest())


def talk(state: Path | str, number: str, rounds: str, conversation: str) -> None:
    """Append to one conversation, three entries at a time, and rename it as often."""
    with Store.open(state) as store:
        _wait_for_go()
        for turn in range(int(rounds)):
            store.conversations.append(conversation, [f"{number}/{turn}/{part}" for part in range(3)])
            store.conversations.rename(conversation, f"{number}/{turn}")
    _say("done")


def talk_first(state: Path | str, number: str) -> None:
    """Open a store with everybody else and begin a conversation."""
    Store.open("sqlite://").close()  # the import is not what is raced
    _wait_for_go()
    with Store.open(state) as store:
        _say(store.conversations.create(number, "/shop").id)


def found(state: Path | str, _: str, conversation: str) -> None:
    """Create a conversation that others want to create too."""
    with Store.open(state) as store:
        _wait_for_go()
        try:
            store.conversations.create(conversation, "/shop")
        except StoreError:
            _say("taken")
        else:
            _say("mine")


def hold(state: Path) -> None:
    """Stop in the middle of a transaction that has written something."""
    with Store.open(state) as store:
        from kimi_lsp.store.tables import consents, heads

        with store.database.write("trail") as connection:
            connection.execute(consents.insert().values(project="p", endpoint="e", given_at="never"))
            connection.execute(heads.update().where(heads.c.name == "trail").values(seq=99))
            _wait_for_go()


def append(state: Path) -> None:
    """Append until killed."""
    with Store.open(state) as store:
        number = 0
        while True:
            number += 1
            _say(store.trail.append("call", {"number": number}, {"answer": f"answer {number} " * 2000}))


def die_reserved(state: Path) -> None:
    """Reserve, and end without a word."""
    reserve(Store.open(state), "0.40")
    os._exit(1)


def fork(state: Path) -> None:
    """Use one open store in a parent and its children at once; they are born while a thread writes."""
    with Store.open(state) as store:
        store.trail.append("parent", {})
        with store.database.read() as connection:
            inherited = id(connection.connection.driver_connection)
        is_writing = threading.Event()

        def write() -> None:
            with store.database.write("trail"):
                is_writing.set()
                sum(range(10_000_000))

        def child() -> int:
            with store.database.read() as connection:
                is_shared = id(connection.connection.driver_connection) == inherited
            for number in range(10):
                store.trail.append("child", {"number": number})
            return int(is_shared)

        thread = threading.Thread(target=write)
        thread.start()
        is_writing.wait(WAIT_S)
        children = [_forked(child) for _ in range(2)]
        thread.join(WAIT_S)
        for number in range(10):
            store.trail.append("parent", {"number": number})
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        verification = store.trail.verify()
        _say(json.dumps({"codes": codes, "checked": verification.checked, "problem": verification.problem}))


def _forked(run: Callable[[], int]) -> int:
    """The id of a child that runs this and ends with the number it returns, or 9."""
    child = os.fork()
    if child == 0:
        code = 9
        signal.alarm(WAIT_S)  # nobody is left to end it, should it hang
        try:
            code = run()
        finally:
            os._exit(code)
    return child


def _name(path: object) -> str:
    return os.fsdecode(path) if isinstance(path, str | bytes | Path) else repr(path)


def watch(state: Path) -> None:
    """Use the whole store and print every path that was opened for writing, made, moved, changed or removed."""
    Store.open("sqlite://").close()  # what is imported by now is not what is watched
    changed: set[str] = set()

    def listen(event: str, args: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = args
            is_write = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            if is_write and not isinstance(path, int):  # a number is a file that was opened before, by its name
                changed.add(_name(path))
        elif event in {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.chmod"}:
            changed.update(_name(arg) for arg in args if not isinstance(arg, int))
        elif event in {"sqlite3.connect", "os.truncate", "os.utime", "shutil.move"}:
            changed.add(str(args[0]))
        elif event in {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect"}:
            changed.add(f"{event}: {args!r}")

    sys.addaudithook(listen)
    with Store.open(state) as store:
        install_key(state, "test")
        held = reserve(store)
        store.ledger.settle(held, Usage(prompt_tokens=1), Decimal("0.001"))
        store.trail.append("call", {"x": 1}, {"answer": "text"})
        store.trail.erase(hashlib.sha256(b"text").hexdigest(), reason="asked for")
        assert store.trail.verify().is_ok
        assert verify_export(store.trail.export()).is_ok
        store.cache.put_many({str(number): "x" * 1000 for number in range(2000)}, project="p")
        store.cache.prune(max_bytes=10)
        store.consents.give("p", "e")
        store.verdicts.set("p", "f", Decision.CONFIRMED)
        store.conversations.create("c", "/p")
        store.conversations.append("c", ["x" * 1000])
        assert store.conversations.delete("c")
        assert len(store.ledger.entries()) == len(store.consents.all()) == len(store.verdicts.all("p")) == 1
    _say(json.dumps(sorted(changed)))


_COMMANDS: dict[str, Callable[..., None]] = {
    command.__name__: command
    for command in (race, first_open, talk, talk_first, found, hold, append, die_reserved, fork, watch)
}

if __name__ == "__main__":
    place = sys.argv[2]
    _COMMANDS[sys.argv[1]](place if "://" in place else Path(place), *sys.argv[3:])
