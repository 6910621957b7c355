from pathlib import Path

from tests.mcp.faces import FACES
from tests.mcp.hostile import hostile_project
from tests.mcp.wire_client import Era


def test_both_eras_and_transports_are_tried() -> None:
    assert len(FACES) == 4
    assert {era.value for era in Era} == {"2025-11-25", "2026-07-28"}


def test_the_project_is_as_hostile_as_it_claims(tmp_path: Path) -> None:
    hostile = hostile_project(tmp_path)
    assert "root:" in (hostile.root / "passwd").read_text()
    assert hostile.secrets[0] in (hostile.root / "config.py").read_text()
    assert (hostile.root / "up" / "proj-secret" / "x").read_text() == hostile.secrets[2]
    assert not hostile.marker.exists()
