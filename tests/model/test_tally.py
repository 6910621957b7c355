import pytest

from kimi_lsp.model.tally import Tally, read_usage
from kimi_lsp.model.tokens import estimate_tokens
from kimi_lsp.usage import Usage


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({"prompt_tokens": 19, "completion_tokens": 21, "cached_tokens": 10}, Usage(19, 10, 21)),
        (
            {"prompt_tokens": 19, "completion_tokens": 21, "prompt_tokens_details": {"cached_tokens": 10}},
            Usage(19, 10, 21),
        ),
        (
            {
                "prompt_tokens": 19,
                "completion_tokens": 21,
                "cached_tokens": 0,
                "prompt_tokens_details": {"cached_tokens": 10},
            },
            Usage(19, 0, 21),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cache_write_tokens": 4}},
            Usage(9, 0, 5, 0, 4),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 4}},
            Usage(9, 0, 5, 4),
        ),
        ({"prompt_tokens": 9, "total_tokens": 12}, Usage(9, 0, 3)),
        ({"completion_tokens": 3, "total_tokens": 12}, Usage(9, 0, 3)),
        ({"prompt_tokens": 9.0, "completion_tokens": 5}, Usage(9, 0, 5)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "cached_tokens": 99}, Usage(9, 9, 5)),
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": None, "cached_tokens": "x"},
            Usage(9, 0, 5),
        ),
        ({"prompt_tokens": True, "completion_tokens": -5}, None),
        ({"total_tokens": 7}, None),
        ({}, None),
        (None, None),
        ([1], None),
    ],
)
def test_usage_is_read_in_every_dialect(raw: object, usage: Usage | None) -> None:
    assert read_usage(raw) == usage


def test_the_last_report_holds() -> None:
    tally = Tally(1)
    tally.report({"prompt_tokens": 5, "completion_tokens": 1})
    tally.report({"prompt_tokens": 5, "completion_tokens": 2})
    tally.report(None)
    assert tally.usage(is_cut=False) == Usage(5, 0, 2)


def test_zeros_for_a_text_that_came_are_not_believed() -> None:
    tally = Tally(40)
    tally.answer("x" * 35)
    tally.report({"prompt_tokens": 0, "completion_tokens": 0})
    assert tally.usage(is_cut=False) == Usage(40, 0, 10, is_estimated=True)


def test_an_estimate_is_higher_for_text_that_is_not_ascii() -> None:
    assert (estimate_tokens(""), estimate_tokens("a" * 35), estimate_tokens("数据库查询")) == (0, 10, 5)


def test_the_parts_of_a_text_add_up_to_the_whole() -> None:
    tally = Tally(0)
    for _ in range(350):
        tally.answer("x")
    assert tally.usage(is_cut=False).completion_tokens == estimate_tokens("x" * 350) == 100
