"""The session in the documentation is one that the agent still has."""

from pathlib import Path

import pytest

from tests.acp.session_page import page

_PAGE = Path(__file__).parents[2] / "docs" / "acp-session.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve()


async def test_the_session_in_the_documentation_is_what_the_agent_says(folder: Path) -> None:
    shown = await page(folder)
    assert shown == _PAGE.read_text("utf-8"), "run: python -m tests.acp.session_page > docs/acp-session.md"
