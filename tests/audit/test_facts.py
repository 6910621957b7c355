from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from kimi_lsp.audit.facts import facts
from kimi_lsp.audit.lanes import LANES, LaneSpec
from kimi_lsp.audit.memo import decode_findings, encode_findings
from mcp_tools.finding import Confidence, Finding, Lane, Level, Location, Notice, Origin, Region, Related, Rule
from mcp_tools.project import MemoryProject, Project

RULE = Rule("some-rule", "A rule.", Level.WARNING, Lane.SECURITY, ("CWE-1",))


class Memory:
    """A memory that counts."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get_many(self, keys: Iterable[str]) -> Mapping[str, str]:
        return {key: self.values[key] for key in keys if key in self.values}

    def put_many(self, values: Mapping[str, str], *, project: str) -> None:
        del project
        self.values.update(values)


class Tool:
    """Reports each line with `bad` in it and remembers what it was asked to look at."""

    def __init__(self, notices: Sequence[Notice] = ()) -> None:
        self.asked: list[str] = []
        self.notices = notices

    def __call__(self, project: Project, paths: Sequence[str]) -> Iterator[Finding | Notice]:
        self.asked.extend(paths)
        yield from self.notices
        for source in project.files(*paths):
            for number, line in source.lines():
                if "bad" in line:
                    region = Region(number, 0, number, len(line))
                    yield Finding(
                        RULE, "Bad.", Location(source.path, region), fingerprint=source.fingerprint(RULE.id, region)
                    )


def spec_for(tool: Tool) -> LaneSpec:
    return replace(LANES[Lane.SECURITY], tool=tool)


def run(tool: Tool, files: Mapping[str, str | bytes], memory: Memory | None) -> list[Finding | Notice]:
    project = MemoryProject(files)
    return list(facts(spec_for(tool), project, "p", project.listing().paths, memory, lambda done, read: None))


def test_a_file_that_did_not_change_is_not_looked_at_again() -> None:
    memory, tool = Memory(), Tool()
    first = run(tool, {"a.py": "bad\n", "b.py": "fine\n"}, memory)
    again = run(tool, {"a.py": "bad\n", "b.py": "bad\n"}, memory)
    assert tool.asked == ["a.py", "b.py", "b.py"]
    assert again[0] == first[0]
    assert len(again) == 2


def test_the_same_text_under_another_name_is_another_file() -> None:
    memory, tool = Memory(), Tool()
    run(tool, {"a.py": "bad\n"}, memory)
    run(tool, {"tests/a.py": "bad\n"}, memory)
    assert tool.asked == ["a.py", "tests/a.py"]


@pytest.mark.parametrize("notice", [Notice("ruff-unavailable", "no ruff"), Notice("parse-incomplete", "half", "a.py")])
def test_what_was_not_done_is_tried_again(notice: Notice) -> None:
    memory, tool = Memory(), Tool([notice])
    run(tool, {"a.py": "bad\n"}, memory)
    run(tool, {"a.py": "bad\n"}, memory)
    assert tool.asked == ["a.py", "a.py"]


def test_a_file_that_cannot_be_read_is_a_notice_and_never_reaches_the_tool() -> None:
    tool = Tool()
    items = run(tool, {"a.py": b"\0\1", "b.py": b"# caf\xe9 bad\n"}, None)
    assert tool.asked == ["b.py"]
    assert [item.code for item in items if isinstance(item, Notice)] == ["binary-file", "encoding-guessed"]
    assert len([item for item in items if isinstance(item, Finding)]) == 1


def test_progress_names_what_was_read() -> None:
    seen: list[tuple[int, Sequence[str]]] = []
    project = MemoryProject({f"f{n}.py": "x\n" for n in range(450)})
    paths = project.listing().paths
    list(facts(spec_for(Tool()), project, "p", paths, None, lambda done, read: seen.append((done, read))))
    assert [done for done, _ in seen] == [200, 400, 450]
    assert [path for _, read in seen for path in read] == list(paths)


def test_findings_survive_being_written_down() -> None:
    finding = Finding(
        RULE,
        "Bad.",
        Location("caf\udce9/a.py", Region(1, 2, 3, 4)),
        Confidence.LOW,
        evidence="x",
        fingerprint="f",
        related=(Related("there", Location("b.py")),),
        origin=Origin("kimi", "kimi-k2.6", "run/1"),
        level=Level.NOTE,
        suppressed="in source",
        protected_area="auth",
    )
    assert decode_findings(encode_findings([finding])) == (finding,)
    assert decode_findings(encode_findings([])) == ()


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", '[{"rule": {}}]', "null", '[{"rule": null}]'])
def test_what_cannot_be_read_back_is_unknown(text: str) -> None:
    assert decode_findings(text) is None
