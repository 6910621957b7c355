"""Columns in client units against Python's own codecs, one code point at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.lsp.encoding import PositionEncoding, to_character, to_column

LINE = st.text(
    st.one_of(st.sampled_from("ab\t é߿ࠀ\uffff\U00010000😀\x0b\x0c\x85\u2028"), st.characters(codec=None)), max_size=12
)
ENCODING = st.sampled_from(PositionEncoding)
HIGH, LOW = chr(0xD83D), chr(0xDE00)  # two halves that are no pair: two code points


def units(character: str, encoding: PositionEncoding) -> int:
    """How many code units a character takes: the independent count."""
    if encoding is PositionEncoding.UTF32:
        return 1
    if encoding is PositionEncoding.UTF16:
        return 2 if ord(character) > 0xFFFF else 1
    return len(character.encode("utf-8", "surrogatepass"))


@given(LINE, ENCODING)
def test_every_column_is_there_and_back_the_same(line: str, encoding: PositionEncoding) -> None:
    for column in range(len(line) + 1):
        character = to_character(line, column, encoding)
        assert character == sum(units(each, encoding) for each in line[:column])
        assert to_column(line, character, encoding) == column


@given(LINE, ENCODING, st.integers(-2, 60))
def test_a_place_within_a_character_is_before_it_and_one_past_the_end_is_the_end(
    line: str, encoding: PositionEncoding, character: int
) -> None:
    column = seen = 0
    for each in line:
        if seen + units(each, encoding) > character:
            break
        seen += units(each, encoding)
        column += 1
    assert to_column(line, character, encoding) == column


@pytest.mark.parametrize("encoding", PositionEncoding)
def test_two_lone_halves_of_a_pair_stay_two_characters(encoding: PositionEncoding) -> None:
    line = f"a{HIGH}{LOW}b"
    assert [to_column(line, to_character(line, column, encoding), encoding) for column in range(5)] == [0, 1, 2, 3, 4]


def test_a_column_past_the_line_is_its_end() -> None:
    assert to_character("é😀", 99, PositionEncoding.UTF8) == 6
    assert to_character("é😀", 99, PositionEncoding.UTF16) == 3
    assert to_character("é😀", -1, PositionEncoding.UTF16) == 0
