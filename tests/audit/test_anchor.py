"""A quote is found where it stands, whatever a model did to it; what stands nowhere is not found."""

import textwrap

import pytest

from kimi_lsp.audit.anchor import Anchored, Anchorer, Method, Unanchored, anchor
from mcp_tools.finding import Region
from mcp_tools.project import Source

_TEXT = textwrap.dedent(
    '''\
    import hashlib
    import subprocess

    def digest(name, salt=None):  # slow
        value = hashlib.md5(name + "\\n" + salt).hexdigest()
        if value is None:
            return None
        return value

    def run(command, timeout=30):
        """Run \u2013 it\u2019s unsafe."""
        result = subprocess.run(
            command,
            shell=True,
            timeout=timeout,
        )
        try:
            log.info("d\u00e9j\u00e0 \U0001f600 vu %s", result)
        except:
            pass
        if value is None:
            return None
        return result.stdout
    '''
)
_SOURCE = Source("tool.py", _TEXT)


def _shown(quote: str, line: int | None = None, source: Source = _SOURCE) -> str:
    """Method, lines (1-based) and text of where a quote was found, or why it was not."""
    found = Anchorer(source).anchor(quote, line)
    if isinstance(found, Unanchored):
        return found.reason
    region = found.region
    lines = f"{region.start_line + 1}" + (f"-{region.end_line + 1}" if region.end_line > region.start_line else "")
    return f"{found.method} {lines}: {source.slice(region)}"


_MD5 = '    value = hashlib.md5(name + "\\n" + salt).hexdigest()'
_FOUND = f"exact 5: {_MD5.strip()}"


@pytest.mark.parametrize(
    "quote",
    [
        _MD5,
        _MD5.strip(),
        f"5| {_MD5}",
        f"   5: {_MD5}",
        f"L5: {_MD5}",
        f"5\t{_MD5}",
        f"tool.py:5:{_MD5}",
        f"+{_MD5}",
        f"- {_MD5.strip()}",
        f"> {_MD5}",
        f"5 | + {_MD5}",
        f"```python\n{_MD5}\n```",
        f"`{_MD5.strip()}`",
        f'"{_MD5.strip()}"',
        _MD5.replace('"', "'"),
        _MD5.replace('"', "\u201c", 1).replace('"', "\u201d", 1),
        _MD5.replace('"', '\\"'),
        _MD5.replace("\\n", "\\\\n").replace('"', '\\"'),
        _MD5.replace("\\n", "\n"),
        _MD5.replace(" ", "\t"),
        _MD5.replace("(", " ( ").replace(" + ", "+"),
        _MD5 + ".",
        _MD5 + ";",
        f"...\n{_MD5}\n...",
        f"\ufeff{_MD5}\u200b",
        f"\r\n{_MD5}\r\n",
    ],
)
def test_a_line_is_found_through_what_models_do_to_it(quote: str) -> None:
    assert _shown(quote) == _FOUND


def test_a_part_of_a_line_gives_its_exact_span() -> None:
    assert _shown("hashlib.md5(name") == "contained 5: hashlib.md5(name"
    assert _shown("shell = True") == "exact 14: shell=True"
    assert _shown("def digest(name, salt=None):") == "exact 4: def digest(name, salt=None):"


def test_a_quote_over_several_lines_runs_from_its_first_character_to_its_last() -> None:
    quote = "result = subprocess.run(\n    command,\n    shell=True,"
    assert _shown(quote) == "exact 12-14: result = subprocess.run(\n        command,\n        shell=True,"


def test_lines_joined_into_one_are_found() -> None:
    assert _shown("result = subprocess.run(command, shell=True,").startswith("exact 12-14:")


def test_a_line_that_was_left_out_is_covered() -> None:
    assert _shown("result = subprocess.run(\n    shell=True,\n    timeout=timeout,").startswith("exact 12-15:")


@pytest.mark.parametrize("gap", ["...", "\u2026", "    # ...", "// ...", "[...]"])
def test_what_an_ellipsis_leaves_out_is_covered(gap: str) -> None:
    assert _shown(f"def run(command, timeout=30):\n{gap}\n        timeout=timeout,").startswith("exact 10-15:")


def test_an_ellipsis_within_a_line_is_covered() -> None:
    assert _shown('log.info("d\u00e9j\u00e0 ... result)').startswith("exact 18: log.info(")


def test_a_quote_that_breaks_off_is_found() -> None:
    assert _shown("value = hashlib.md5(name + ") == "contained 5: value = hashlib.md5(name +"


@pytest.mark.parametrize(
    "quote",
    [
        'value = hashlib.md5(names + "\\n" + salt).hexdigest()',
        'value = hashlib.md5(name + "\\n" + salt).hexdigest(1)',
        'value = hashlib.md5(name, "\\n", salt).hexdigest()',
        'VALUE = HASHLIB.MD5(NAME + "\\n" + SALT).HEXDIGEST()',
    ],
)
def test_a_small_change_gives_the_whole_line(quote: str) -> None:
    assert _shown(quote) == f"fuzzy 5: {_MD5.strip()}"


def test_a_comment_that_was_left_out_between_joined_lines_is_covered() -> None:
    source = Source("a.go", "x\nlimit += clients.size()  // update the local client\nreturn limit + 21\n")
    assert _shown("limit += clients.size() return limit + 21", None, source).startswith("fuzzy 2-3:")


def test_composed_and_decomposed_characters_are_the_same() -> None:
    assert _shown('log.info("de\u0301ja\u0300 \U0001f600 vu %s", result)').startswith("exact 18: log.info(")
    decomposed = Source("a.py", 'x = "e\u0301te\u0301" + y\n')
    assert _shown('"\u00e9t\u00e9" + y', None, decomposed) == 'contained 1: "e\u0301te\u0301" + y'


def test_columns_count_code_points() -> None:
    source = Source("a.py", '\t"\U0001f600\U0001d4b3"; call(argument)\n')
    found = anchor(source, "call(argument)", None)
    assert isinstance(found, Anchored)
    assert found.region == Region(0, 7, 0, 21)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_do_not_matter(end: str) -> None:
    source = Source("a.py", _TEXT.replace("\n", end))
    found = anchor(source, "result = subprocess.run(\r\n    command,", 3)
    assert isinstance(found, Anchored)
    assert found.region == Region(11, 4, 12, 16)


def test_of_two_places_the_one_nearest_to_the_hint_is_taken() -> None:
    first, second = (Anchorer(_SOURCE).anchor("if value is None:\n    return None", line) for line in (6, 21))
    assert isinstance(first, Anchored)
    assert isinstance(second, Anchored)
    assert (first.method, first.region.start_line, first.is_ambiguous) == (Method.NEAREST, 5, False)
    assert (second.method, second.region.start_line, second.is_ambiguous) == (Method.NEAREST, 20, False)
    assert first.alternatives == (second.region,)


@pytest.mark.parametrize("line", [None, 0, -4, 14, 10**12])
def test_of_two_places_without_a_telling_hint_neither_is_sure(line: int | None) -> None:
    found = Anchorer(_SOURCE).anchor("if value is None:\n    return None", line)
    assert isinstance(found, Anchored)
    assert found.is_ambiguous
    assert len(found.alternatives) == 1


def test_a_line_number_in_the_quote_is_a_hint() -> None:
    found = Anchorer(_SOURCE).anchor("21| if value is None:\n22|     return None")
    assert isinstance(found, Anchored)
    assert (found.region.start_line, found.is_ambiguous) == (20, False)


@pytest.mark.parametrize("symbol", ["run", "tool.run", "run()", "module::run"])
def test_the_symbol_chooses_between_places(symbol: str) -> None:
    found = Anchorer(_SOURCE).anchor("if value is None:\n    return None", symbol=symbol)
    assert isinstance(found, Anchored)
    assert (found.region.start_line, found.is_ambiguous) == (20, False)


def test_the_symbol_chooses_in_a_language_of_braces() -> None:
    body = "    if (x == null) {\n        return y;\n    }\n"
    source = Source("A.java", f"class A {{\n  int one(int x) {{\n{body}  }}\n\n  int two(int x) {{\n{body}  }}\n}}\n")
    found = anchor(source, "if (x == null) {\n return y;", None, symbol="A.two")
    assert isinstance(found, Anchored)
    assert (found.region.start_line, found.is_ambiguous) == (8, False)


def test_text_outside_what_was_shown_is_no_answer() -> None:
    shown = Region(9, 0, 22, 0)
    found = Anchorer(_SOURCE).anchor("if value is None:\n    return None", 6, within=shown)
    assert isinstance(found, Anchored)
    assert (found.region.start_line, found.method) == (20, Method.EXACT)
    outside = Anchorer(_SOURCE).anchor(_MD5, 5, within=shown)
    assert outside == Unanchored("the quoted text lies outside the lines that were shown")


@pytest.mark.parametrize(
    "quote",
    [
        "",
        " ",
        "\n\t\n",
        "#",
        "//",
        "/* */",
        "...",
        "\u2026",
        "```\n```",
        "return",
        "}",
        "pass",
        "else:",
        "try:",
        "{",
        ")",
        "if",
        "0",
    ],
)
@pytest.mark.parametrize("line", [None, 1, 7, 20])
def test_what_says_nothing_points_nowhere(quote: str, line: int | None) -> None:
    assert isinstance(Anchorer(_SOURCE).anchor(quote, line), Unanchored)


def test_a_bare_except_points_where_the_model_says_it_is() -> None:
    assert _shown("except:", 19) == "exact 19: except:"
    assert _shown("except:", 4) == "the quote is too short or too general to point at one place"


@pytest.mark.parametrize(
    "quote",
    [
        "value = hashlib.sha512(token).digest()",
        "os.system(command)",
        "cursor.execute(f'SELECT * FROM users WHERE id = {user_id}')",
        "def digest_all(names, salts):",
        "result = requests.get(url, verify=False)",
        "if command is not None and timeout > 0:",
    ],
)
@pytest.mark.parametrize("line", [None, 5, 12])
def test_an_invented_quote_is_rejected(quote: str, line: int | None) -> None:
    assert _shown(quote, line) == "the quoted text is not in the file"


def test_a_name_within_another_is_not_the_quoted_one() -> None:
    source = Source("a.py", "first_value = prepare()\n")
    assert isinstance(anchor(source, "value", 1), Unanchored)
    assert _shown("prepare()", 1, source) == "contained 1: prepare()"


def test_a_fuzzy_match_with_rivals_needs_the_hint() -> None:
    source = Source("a.py", "\n" * 30 + "".join(f'emit("error number {n}", self.code)\n' for n in range(4)))
    assert isinstance(anchor(source, 'emit("eror number", self.code)', None), Unanchored)
    found = anchor(source, 'emit("eror number", self.code)', 31)
    assert isinstance(found, Anchored)
    assert found.method is Method.FUZZY
