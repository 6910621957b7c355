"""The query files as data: they compile, each pattern has an example, and looking first for words changes nothing."""

import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from mcp_tools.project import Source
from mcp_tools.project.syntax import PARSED, parse_bytes
from mcp_tools.security_surface import RULES
from mcp_tools.security_surface.drafts import through_gates
from mcp_tools.security_surface.gates import GATES, File
from mcp_tools.security_surface.patterns import places as places_of
from mcp_tools.security_surface.patterns import query_set
from mcp_tools.security_surface.search import Match, in_code
from mcp_tools.security_surface.search import matches as search
from tests.security_surface.pages import examples

SOURCES = [example.source for rule_id in RULES for example in examples(rule_id) if example.source.language in PARSED]
LIBRARY = [Path(module.__file__) for module in (subprocess, tarfile) if module.__file__]
DESCRIBED = "python javascript go java rust".split()  # the others share a file with one of these


def matches(source: Source, places: Sequence[tuple[int, int]] | None = None) -> list[Match]:
    """What the queries match: around the trigger words, or around the given places."""
    language = source.language or ""
    data = source.text.encode()
    tree = parse_bytes(language, data)
    assert tree is not None
    queries = query_set(language)
    wanted = queries.wanted(source.path, data)
    around = places_of(wanted, data)
    pairs = in_code(tree.root_node, [(pattern, around[pattern.anchor]) for pattern in wanted])
    if places is not None:
        pairs = [(pattern, places) for pattern in queries.patterns if pattern.takes(source.path)]
    return [match for match in search(tree.root_node, pairs) if match is not None]


def survivors(source: Source, found: Sequence[Match]) -> set[tuple[str, int, int]]:
    """Rule and place of the matches that pass their gates."""
    data = source.text.encode()
    tree = parse_bytes(source.language or "", data)
    assert tree is not None
    file = File(source, tree, data)
    hits = [(match.pattern.rule.id, through_gates(match, file)) for match in found]
    return {(rule_id, *hit.node.byte_range) for rule_id, hit in hits if hit is not None}


@pytest.mark.parametrize("language", sorted(PARSED))
def test_every_query_compiles_and_its_settings_are_known(language: str) -> None:
    for pattern in query_set(language).patterns:
        assert pattern.query.pattern_count == 1
        assert (
            pattern.query.pattern_settings(0).items() >= {"rule": pattern.rule.id, "message": pattern.message}.items()
        )
        assert pattern.query.pattern_settings(0).get("path") == (pattern.path and pattern.path.pattern)
        assert pattern.rule.id in RULES
        assert pattern.message.endswith(".")
        assert set(pattern.gates) <= set(GATES)
        assert ("imported" in pattern.gates) == bool(pattern.modules)
        assert ("sql" in pattern.gates) == (pattern.needs is not None)


@pytest.mark.parametrize("language", DESCRIBED)
def test_every_pattern_reports_a_line_of_its_rules_page(language: str) -> None:
    queries = query_set(language)
    seen = {
        id(match.pattern)
        for source in SOURCES
        if source.language == language
        for match in matches(source)
        if survivors(source, [match])
    }
    unseen = [pattern for pattern in queries.patterns if id(pattern) not in seen]
    assert [f"{pattern.rule.id} {pattern.anchor.texts[0]!r}" for pattern in unseen] == []


def test_looking_for_words_first_changes_nothing_on_the_examples() -> None:
    for source in SOURCES:
        whole = survivors(source, matches(source, [(0, len(source.text.encode()))]))
        assert survivors(source, matches(source)) == whole


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.name)
def test_looking_for_words_first_changes_nothing_on_real_code(path: Path) -> None:
    source = Source(path.name, path.read_text(encoding="utf-8"), "python")
    assert survivors(source, matches(source)) == survivors(source, matches(source, [(0, len(source.text.encode()))]))


def test_an_example_among_much_other_code_is_found_all_the_same() -> None:
    for source in SOURCES:
        if source.language == "python" and source.path == "app.py":
            filler = "".join(f"def filler_{number}(a, b):\n    return a + b\n\n\n" for number in range(300))
            buried = Source(source.path, filler + source.text + "\n" + filler, "python")
            shift = len(filler)
            expected = {(rule, start + shift, stop + shift) for rule, start, stop in survivors(source, matches(source))}
            assert survivors(buried, matches(buried)) == expected


def test_a_text_without_trigger_words_is_not_parsed_for() -> None:
    assert query_set("python").wanted("a.py", b"def add(a, b):\n    return a + b\n") == []
    assert query_set("python").wanted("a.py", b"context = textual + evaluate\n") == []
