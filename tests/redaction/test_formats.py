import pytest

from mcp_tools.redaction import find_secrets, mask
from mcp_tools.redaction.formats import FORMATS
from tests.redaction.samples import ALNUM, TOKENS, UPPER, Sample, draw, uuid

_IDS = [f"{number}-{sample.kind}" for number, sample in enumerate(TOKENS)]


@pytest.mark.parametrize("sample", TOKENS, ids=_IDS)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("x = '", "'\n"),
        ("# see ", " and more"),
        ('"first\\n', '"'),
        ("run_", "_job"),
        ("?a=b%3D", "&c=d"),
        ("(", ")"),
    ],
    ids=["alone", "literal", "comment", "escape", "name", "query", "brackets"],
)
def test_a_token_is_found_exactly_wherever_it_stands(sample: Sample, before: str, after: str) -> None:
    if before == "run_" and sample.before:
        pytest.skip("a context of its own")
    text = before + sample.before + sample.token + after
    found = find_secrets(text)
    start = len(before) + len(sample.before)
    assert any(secret.start <= start and secret.stop >= start + len(sample.token) for secret in found), found
    assert sample.kind in {secret.kind for secret in found}


@pytest.mark.parametrize("sample", TOKENS, ids=_IDS)
def test_a_token_in_a_comment_is_reportable_and_its_span_is_the_token(sample: Sample) -> None:
    text = f"# {sample.before}{sample.token} #"
    found = [secret for secret in find_secrets(text, "src/app.py") if secret.kind == sample.kind]
    assert [(secret.value, secret.is_reportable) for secret in found] == [(sample.token, True)]
    assert text[found[0].start : found[0].stop] == sample.token


def test_there_are_samples_of_at_least_sixty_formats() -> None:
    assert len({sample.kind for sample in TOKENS}) >= 60
    assert {sample.kind for sample in TOKENS} <= {token.kind for token in FORMATS}


def test_every_format_starts_a_match_at_one_of_its_keywords() -> None:
    for token in FORMATS:
        assert all(token.keywords), token
        assert all(back >= 0 for back in token.backs)


@pytest.mark.parametrize(
    "token",
    [
        "AK" + "IA" + "IOSFODNN7EXAMPLE",
        "gh" + "p_" + "x" * 36,
        "gh" + "p_" + "1234567890abcdefghijklmnopqrstuvwxyz",
        "sk-" + "your-api-key-goes-here-1234567890abcdef",
        "sk_" + "test_" + "0" * 24,
        "hf_" + "a" * 34,
    ],
)
def test_an_obvious_sample_is_not_reportable(token: str) -> None:
    assert not [secret for secret in find_secrets(f"token = '{token}'", "src/app.py") if secret.is_reportable]


def test_a_token_inside_a_longer_word_is_none() -> None:
    assert find_secrets(f"x{'AK' + 'IA'}{draw(UPPER, 16)}") == []
    assert find_secrets(f"{'AK' + 'IA'}{draw(UPPER, 24)}") == []


def test_identifiers_of_an_account_are_redacted_but_not_reportable() -> None:
    [secret] = find_secrets("sid: " + "A" + "C" + draw("0123456789abcdef", 32))
    assert (secret.kind, secret.is_reportable) == ("twilio-account-sid", False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("gh" + "p_" + draw(ALNUM, 36), "ghp_…"),
        ("AK" + "IA" + draw(UPPER, 16), "AKIA…"),
        ("sk-" + "proj-" + draw(ALNUM, 60), "sk-p…"),
        ("S" + "K" + draw("0123456789abcdef", 32), "SK…"),
        ("hunter2", "…"),
        ("correct horse battery staple", "…"),
        (draw("0123456789", 9) + ":A" + draw(ALNUM, 34), "…"),
        (uuid(), "…"),
        ("", "…"),
    ],
)
def test_a_mask_shows_no_more_than_the_name_of_the_format(value: str, shown: str) -> None:
    assert mask(value) == shown
