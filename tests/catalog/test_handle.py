import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.catalog.handle import CursorError, Signer, call_digest, found_digest

SIGNER = Signer(b"k" * 32)
CALL, FOUND = call_digest("tool", {"paths": None}), found_digest(["a", "b"])


@given(st.integers(min_value=0, max_value=2**48 - 1))
def test_a_cursor_says_where_it_points(offset: int) -> None:
    assert SIGNER.offset(SIGNER.cursor(CALL, FOUND, offset), CALL, FOUND) == offset


@given(st.text(max_size=600))
def test_a_forged_cursor_is_refused_with_the_same_words(text: str) -> None:
    with pytest.raises(CursorError, match=r"^not a cursor of this server"):
        SIGNER.offset(text, CALL, FOUND)


@given(st.integers(min_value=0, max_value=25 * 8 - 1))
def test_a_cursor_with_one_bit_turned_is_refused(bit: int) -> None:
    import base64

    cursor = SIGNER.cursor(CALL, FOUND, 20)
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CursorError):
        SIGNER.offset(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="), CALL, FOUND)


def test_a_cursor_of_another_server_or_other_arguments_is_refused() -> None:
    cursor = SIGNER.cursor(CALL, FOUND, 20)
    with pytest.raises(CursorError, match="for these arguments"):
        Signer(b"x" * 32).offset(cursor, CALL, FOUND)
    with pytest.raises(CursorError, match="for these arguments"):
        SIGNER.offset(cursor, call_digest("tool", {"paths": ["src"]}), FOUND)


def test_a_cursor_is_stale_once_the_results_changed() -> None:
    with pytest.raises(CursorError, match="results have changed"):
        SIGNER.offset(SIGNER.cursor(CALL, FOUND, 20), CALL, found_digest(["a"]))
