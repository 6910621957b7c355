"""A search never tells what a secret is, whatever is asked."""

import pytest

from mcp_tools.browse import Matches, search
from mcp_tools.project import MemoryProject
from tests.browse.secrets import AWS, PEM, TOKEN

_TEXT = f'name = "x"\ntoken = "{TOKEN}"  # mine\nkey = "{AWS}"\npem = """{PEM}"""\nlast = 1\n'


def _found(text: str, query: str, *, is_regex: bool = False, path: str = "a.py") -> Matches:
    return search(MemoryProject({path: text}), query, is_regex=is_regex, context=3)


@pytest.mark.parametrize("guess", [TOKEN, TOKEN[:10], TOKEN[10:16], AWS, AWS[:6], *PEM.split("\n")[1:-1]])
def test_a_secret_or_a_part_of_it_is_not_found(guess: str) -> None:
    for is_regex in (False, True):
        found = _found(_TEXT, guess, is_regex=is_regex)
        assert (found.total, found.counts, found.files_matched, found.matches) == (0, (), 0, ())
    assert search(MemoryProject({"a.py": _TEXT}), guess.lower(), is_case_sensitive=False).total == 0


def test_a_line_with_a_secret_is_found_by_its_other_words_and_shown_without_it() -> None:
    (match,) = _found(_TEXT, "token =").matches
    assert (match.line, match.column, match.text) == (2, 1, 'token = "[redacted:github-token]"  # mine')
    (match,) = _found(_TEXT, "# mi", is_regex=True).matches
    assert (match.line, match.column) == (2, 36)
    (match,) = _found(_TEXT, "last").matches
    assert "MII" not in "".join(match.before)
    assert match.before[-1].startswith("-----END")


def test_what_stands_for_a_secret_is_not_found_either() -> None:
    for query in ("[redacted", "redacted:", "github-token"):
        assert _found(_TEXT, query).total == 0
    assert _found(_TEXT, r"\[redacted:[a-z-]+\]", is_regex=True).total == 0


@pytest.mark.parametrize(
    "pattern",
    [
        r'\[redacted:[a-z-]+\]|token = "{}',
        r'^token = "(?:\[red.*|{}.*)$',
        r'^(?:[^\["]*"[^"]*redacted[^"]*"|token = "{}).*mine',
        r'^token|token = "{}',
        r'(?:"|token = "{})',
        r'\Atoken|^token = "{}',
        r'token = "\b|token = "{}',
        r'token = "\B|token = "{}',
        r'= "$|token = "{}',
        r"z\z|{}",
        r"(?-m:^token)|{}",
        r"(?:{})?",
        r"[^a]*{}|mine$",
    ],
)
def test_no_pattern_tells_a_right_guess_from_a_wrong_one(pattern: str) -> None:
    text = f'token = "{TOKEN}"  # mine\n'
    for place in (text, f"x\n{text}", f"x\n{text}y\n"):
        right, wrong = (_found(place, pattern.format(guess), is_regex=True) for guess in (TOKEN[:6], "gh" + "p_Zz"))
        assert right == wrong, pattern
        assert right.notices == ()


def test_files_made_for_secrets_are_passed_over_whether_they_match_or_not() -> None:
    project = MemoryProject({".env": "A=needle\n", "id_rsa": "x\n", "a/.git/config": "needle\n", "b.py": "needle\n"})
    for query in ("needle", "nothing"):
        found = search(project, query)
        assert found.files_searched == 1
        assert [(notice.code, notice.path) for notice in found.notices] == [
            ("secrets-file", ".env"),
            ("repository-internals", "a/.git/config"),
            ("secrets-file", "id_rsa"),
        ]
    assert search(project, "needle").counts == (("b.py", 1),)


def test_text_before_a_secret_in_other_scripts_does_not_move_its_bounds() -> None:
    text = f'é = "ñ"; token = "{TOKEN}"; ende = "é"\n'
    assert _found(text, TOKEN[4:9]).total == 0
    (match,) = _found(text, "ende").matches
    assert match.text[match.column - 1 :] == 'ende = "é"'
