"""A finding lies exactly where its text stands, whatever the line ends and characters before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tools.finding import Finding
from mcp_tools.project import DiskProject, MemoryProject, Source
from mcp_tools.security_surface import scan, scan_source

CALL = "eval(text)"


def only(items: list[Finding]) -> Finding:
    assert len(items) == 1
    return items[0]


def found(source: Source) -> list[Finding]:
    return [item for item in scan_source(source) if isinstance(item, Finding)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CR LF", "CR"])
@pytest.mark.parametrize("before", ["", "é", "🦀", "日本", "\t", "'\u2028'; ", "'\x0c'; "])
def test_a_region_is_the_text_it_reports(before: str, end: str) -> None:
    quoted = before if before.endswith("; ") else f"'{before}'; "
    source = Source("app.py", f"'{before}'{end}def f(text):{end}    {quoted}{CALL}{end}", "python")
    region = only(found(source)).location.region
    assert region is not None
    assert source.slice(region) == CALL
    assert (region.start_line, region.start_column) == (2, 4 + len(quoted))


@given(st.text(alphabet=st.sampled_from("aé🦀日 \t;#"), max_size=40), st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_region_is_found_after_any_comment(comment: str, end: str) -> None:
    source = Source("app.py", f"def f(text):  # {comment}{end}    {CALL}{end}", "python")
    region = only(found(source)).location.region
    assert region is not None
    assert source.slice(region) == CALL


def test_a_byte_order_mark_does_not_shift_columns() -> None:
    project = MemoryProject({"app.py": b"\xef\xbb\xbfeval(text)\n"})
    finding = only([item for item in scan(project, ruff=None) if isinstance(item, Finding)])
    assert finding.location.region is not None
    assert (finding.location.region.start_line, finding.location.region.start_column) == (0, 0)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "byte order mark"])
def test_ruffs_columns_count_code_points(mark: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("project")
    text = 'from tempfile import mktemp as 名; x = "🦀é"; 名()\n'
    (root / "app.py").write_bytes(mark + text.encode())
    for project in (DiskProject(root), MemoryProject({"app.py": mark + text.encode()})):
        finding = only([item for item in scan(project) if isinstance(item, Finding)])
        assert finding.origin.tool == "ruff S306"
        source = project.read("app.py")
        assert isinstance(source, Source)
        assert finding.location.region is not None
        assert source.slice(finding.location.region).startswith("名")
        assert finding.location.region.start_column == text.index("名()")


def test_a_comment_before_the_argument_is_passed_over() -> None:
    source = Source("app.py", "def f(x):\n    eval(  # why\n        x)\n    eval(  # why\n        '1')\n", "python")
    assert only(found(source)).evidence.startswith("eval(  # why")
