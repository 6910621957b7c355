import pytest

from kimi_lsp.audit.lanes import LANES
from kimi_lsp.audit.prompts import answer_schema, messages, project_text, prompt_version, system_text, unit_text
from kimi_lsp.audit.select import review_order, secret_files, units_for
from kimi_lsp.audit.units import Unit
from kimi_lsp.model import normalise
from mcp_tools.finding import Finding, Lane, Level, Location, Notice, Region, Rule
from mcp_tools.project import MemoryProject, Source
from mcp_tools.redaction import Redactor
from mcp_tools.rules import page

SPEC = LANES[Lane.SECURITY]
SOURCE = Source("a.py", "one\ntwo\nthree\nfour\n", "python")
RULE = Rule("some-rule", "A rule.", Level.WARNING, Lane.SECURITY)


@pytest.mark.parametrize("lane", LANES)
def test_the_stable_prefix_names_every_rule_and_passes_redaction_unchanged(lane: Lane) -> None:
    text = system_text(lane)
    for rule_id in LANES[lane].rules:
        assert f"- {rule_id}: " in text
    assert Redactor(b"k").redact(text) == text
    assert system_text(lane) is text, "the provider's prefix cache pays only for the same bytes"


@pytest.mark.parametrize("lane", LANES)
def test_every_rule_that_a_model_may_name_has_a_page(lane: Lane) -> None:
    for rule_id in LANES[lane].rules:
        assert page(rule_id), rule_id


@pytest.mark.parametrize("lane", LANES)
def test_the_schema_is_one_that_moonshot_takes_as_it_is(lane: Lane) -> None:
    assert normalise(answer_schema(lane)) == answer_schema(lane)


def test_lines_are_numbered_as_in_the_file_and_fenced() -> None:
    text = unit_text(Unit(SOURCE, 1, 2, ("1-1| one",)), [], SOURCE.text, "c0ffee")
    assert "<<<MATERIAL c0ffee\n2| two\n3| three\nMATERIAL c0ffee>>>\n" in text
    assert "lines 2-3 of 5" in text
    assert "one\n" in text.partition("<<<")[0]


def test_known_findings_of_the_unit_are_named_and_others_are_not() -> None:
    known = [Finding(RULE, "m", Location("a.py", Region(line, 0, line, 1))) for line in (0, 2)]
    text = unit_text(Unit(SOURCE, 1, 2), known, SOURCE.text, "x")
    assert "- 3: some-rule\n" in text
    assert "- 1: some-rule" not in text


def test_a_redaction_that_moves_lines_is_a_bug_and_stops() -> None:
    with pytest.raises(AssertionError, match="line count"):
        unit_text(Unit(SOURCE, 0, 3), [], "one\n", "x")


def test_a_secret_in_a_path_is_redacted_like_any_other() -> None:
    token = "gh" + "p_" + "Zq8" * 12
    source = Source(f"dumps/{token}.py", "x = 1\n", "python")
    texts = messages(SPEC, project_text("p", [source.path]), Unit(source, 0, 1), [], Redactor(b"k"), "m")
    assert all(token not in text for text in texts)


def test_the_map_of_a_large_project_is_bounded() -> None:
    text = project_text("big", [f"d{n}/s{n % 7}/f.py" for n in range(5_000)])
    assert len(text.splitlines()) < 140
    assert "more folders" in text


def test_the_version_of_a_prompt_is_a_digest_of_it() -> None:
    assert len(prompt_version(Lane.SECURITY)) == 64


def test_product_code_is_reviewed_before_tests() -> None:
    paths = ["tests/test_a.py", "a_test.go", "src/app.py", "examples/x.py", "lib/contest.py"]
    assert sorted(paths, key=review_order) == [
        "lib/contest.py",
        "src/app.py",
        "a_test.go",
        "examples/x.py",
        "tests/test_a.py",
    ]


def test_secret_files_lock_files_and_denied_paths_are_never_units() -> None:
    project = MemoryProject(
        {
            ".env": "A=b\n",
            "poetry.lock": "x\n",
            "a.py": "x = 1\n",
            "private/b.py": "y = 1\n",
            "data.csv": "1\n",
            "k.pem": "x\n",
        }
    )
    items = list(units_for(SPEC, project, project.listing().paths, 1_000, ["private/"]))
    assert [item.label for item in items if isinstance(item, Unit)] == ["a.py"]
    assert sorted(item.path or "" for item in items if isinstance(item, Notice)) == [".env", "k.pem", "private/b.py"]


def test_secret_files_are_known_even_where_they_are_not_listed() -> None:
    project = MemoryProject({".env.local": "A=b\n", "a.py": "x = 1\n"})
    assert [source.path for source in secret_files(project, ["a.py"])] == [".env.local"]
