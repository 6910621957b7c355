import itertools

from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.model.think import ThinkSplitter
from tests.model.sse import merged, said


def split(*chunks: str) -> str:
    splitter = ThinkSplitter()
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return said(merged([*events, *splitter.flush()]))


def test_text_in_tags_is_reasoning_and_what_follows_the_answer() -> None:
    assert split("<think>why</think>{}") == "think 'why' | say '{}'"


def test_white_space_before_the_tag_is_dropped() -> None:
    assert split("\n ", "<think>why</think>\n{}") == "think 'why' | say '\\n{}'"


def test_a_missing_opening_tag_still_gives_reasoning() -> None:
    assert split("Let me", " see.</thi", "nk>{}") == "think 'Let me see.' | say '{}'"


def test_json_is_an_answer_at_once_and_a_tag_inside_it_means_nothing() -> None:
    splitter = ThinkSplitter()
    assert said(splitter.feed('{"quote": "</think>"')) == 'say \'{"quote": "</think>"\''


def test_only_the_first_block_is_reasoning() -> None:
    assert split("<think>a</think>b<think>c</think>") == "think 'a' | say 'b<think>c</think>'"


def test_reasoning_is_given_while_it_comes_but_for_what_may_be_a_tag() -> None:
    splitter = ThinkSplitter()
    assert said(splitter.feed("<think>one </th")) == "think 'one '"
    assert said(splitter.feed("e end")) == "think '</the end'"


def test_prose_without_any_tag_is_an_answer() -> None:
    assert split("I found ", "nothing.") == "say 'I found nothing.'"


def test_a_stream_cut_in_its_reasoning_keeps_it() -> None:
    assert split("<think>half a </thi") == "think 'half a </thi'"


def test_held_prose_is_let_go_after_a_while() -> None:
    splitter = ThinkSplitter()
    events = [event for _ in range(300) for event in splitter.feed("x" * 1024)]
    assert said(merged(events)) == f"say {'x' * 300 * 1024!r}"


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<thi", "nk>", "</", "a", " \n", "{", "é", "<"]), max_size=20),
    st.data(),
)
def test_where_the_chunks_end_changes_nothing(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    borders = [0, *sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=10))), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(borders) if start < end]
    assert split(*pieces) == split(text) == split(*text)


@given(st.text(alphabet="ab<>/think{ \n"))
def test_no_character_is_lost_but_tags_and_leading_space(text: str) -> None:
    splitter = ThinkSplitter()
    kept = "".join(event.text for event in [*splitter.feed(text), *splitter.flush()])
    rest = text.lstrip().removeprefix("<think>") if text.lstrip().startswith("<think>") else text
    assert kept in (rest, rest.replace("</think>", "", 1))
