import pytest

from mcp_tools.project import Source
from mcp_tools.project.syntax import MAX_PARSED_CHARS, PARSED, lines_of, parse, symbols

CODE = {
    "python": "class A:\n    def m(self):\n        pass\n\n\ndef f():\n    pass\n",
    "javascript": "export class A {\n  m() {}\n}\nfunction f() {}\n",
    "typescript": "export class A {\n  m(): void {}\n}\nfunction f(): void {}\n",
    "tsx": "export class A {\n  m(): void {}\n}\nfunction f() { return <p/>; }\n",
    "go": "package p\n\ntype A struct{}\n\nfunc (a A) m() {}\n\nfunc f() {}\n",
    "java": "class A {\n  void m() {}\n  static class f {}\n}\n",
    "rust": "struct A;\nimpl A {\n    fn m(&self) {}\n}\nfn f() {}\n",
}


@pytest.mark.parametrize("language", sorted(PARSED))
def test_every_language_names_its_symbols(language: str) -> None:
    source = Source("x", CODE[language], language)
    tree = parse(source)
    assert tree is not None
    found = {symbol.name: symbol for symbol in symbols(source, tree)}
    assert set(found) >= {"A", "m", "f"}
    for symbol in found.values():
        assert source.line(symbol.first_line).strip() == symbol.signature
        assert symbol.name in symbol.signature
        assert symbol.first_line <= symbol.last_line < source.line_count


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_the_sources_own_whatever_ends_them(end: str) -> None:
    source = Source("x.py", f"# é😀{end}{end}def f():{end}    return 1{end}", "python")
    tree = parse(source)
    assert tree is not None
    [symbol] = symbols(source, tree)
    assert (symbol.first_line, symbol.last_line) == (2, 3)
    assert lines_of(source, tree.root_node)[0] == 0


def test_a_text_without_a_grammar_or_of_enormous_size_has_no_tree() -> None:
    assert parse(Source("x.rb", "puts 1\n", "ruby")) is None
    assert parse(Source("x", "x", None)) is None
    assert parse(Source("x.py", "x" * (MAX_PARSED_CHARS + 1), "python")) is None


@pytest.mark.parametrize(
    "text", ["(" * 100_000, "[" * 100_000 + "]" * 100_000, "if x:\n " * 20_000, "\0" * 1000, "\udcff" * 10]
)
def test_hostile_nesting_neither_crashes_nor_hangs(text: str) -> None:
    source = Source("x.py", text, "python")
    tree = parse(source)
    if tree is not None:
        list(symbols(source, tree))


def test_grammars_and_queries_are_made_by_many_threads_at_once_without_a_crash() -> None:
    import subprocess
    import sys

    code = (
        "import sys, threading; sys.setswitchinterval(0.0001)\n"
        "from mcp_tools.project import Source\n"
        "from mcp_tools.security_surface import scan_source\n"
        "run = lambda: list(scan_source(Source('a.py', 'import os\\nos.system(x)\\n', 'python')))\n"
        "threads = [threading.Thread(target=run) for _ in range(8)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]"
    )
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
