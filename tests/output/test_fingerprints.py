"""GitHub's line hash against the figures of its own tests, and fingerprints that no two findings share."""

from dataclasses import replace

import pytest
from hypothesis import given

from mcp_tools.finding import Finding, Location, Region
from mcp_tools.output.fingerprints import identity, line_hashes, source_line_hashes, unique_identities
from mcp_tools.project import Source, decode
from tests.output.samples import DRIFT, RELAXED, source_texts

# From github/codeql-action, src/fingerprints.test.ts (MIT): the inputs and the hashes of their lines.
GREETINGS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]
GITHUB = {
    "": ["c129715d7a2bc9a3:1"],
    " a\nb\n  \t\tc\n d": ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
    " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End": [
        "8b7cf3e952e7aeb2:1",
        "b1ae1287ec4718d9:1",
        "bff680108adb0fcc:1",
        "c6805c5e1288b612:1",
        "b86d3392aea1be30:1",
        "e6ceba753e1a442:1",
    ],
    " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n": GREETINGS,
    " hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r": GREETINGS,
    " hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n": GREETINGS,
    " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n": GREETINGS,
    "Lorem ipsum dolor sit amet.\n" * 10: [
        *(f"a7f2ff13bc495cf2:{number}" for number in range(1, 7)),
        "a7f2ff1481e87703:1",
        "a9cf91f7bbf1862b:1",
        "55ec222b86bcae53:1",
        "cc97dc7b1d7d8f7b:1",
        "c129715d7a2bc9a3:1",
    ],
    "x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n": [
        "e54938cc54b302f1:1",
        "bb609acbe9138d60:1",
        "1131fd5871777f34:1",
        "5c482a0f8b35ea28:1",
        "54517377da7028d2:1",
        "2c644846cb18d53e:1",
        "f1b89f20de0d133:1",
        "c129715d7a2bc9a3:1",
    ],
    # From microsoft/sarif-sdk, HashUtilitiesTests.cs (MIT): Unicode's own separators end no line.
    "x = 2\u2028x=1\u2029print(x)": ["f0a8eee29e998ed7:1"],
}


@pytest.mark.parametrize("text", list(GITHUB))
def test_lines_hash_to_the_figures_of_github_and_microsoft(text: str) -> None:
    assert line_hashes(text, 1 << 40) == GITHUB[text]


def _hashes_by_walking(text: str) -> list[str]:
    """The same by the plainest means: for each line the next 100 units, one multiplication each."""
    squeezed = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
    raw = squeezed.encode("utf-16-le", "surrogatepass")
    units = [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)]
    starts = [0, *(at + 1 for at, unit in enumerate(units) if unit == ord("\n"))]
    padded = [*units, 65535, *([0] * 100)]
    seen: list[int] = []
    for start in starts:
        value = 0
        for unit in padded[start : start + 100]:
            value = (value * 37 + unit) % 2**64
        seen.append(value)
    return [f"{value:x}:{seen[: number + 1].count(value)}" for number, value in enumerate(seen)]


@RELAXED
@given(source_texts)
def test_the_rolling_hash_is_the_plain_one(text: str) -> None:
    assert line_hashes(text, 1000) == _hashes_by_walking(text)


@RELAXED
@given(source_texts)
def test_a_hash_does_not_depend_on_how_many_were_asked_for(text: str) -> None:
    everything = line_hashes(text, 1000)
    for count in range(4):
        assert line_hashes(text, count) == everything[:count]


@RELAXED
@given(source_texts)
def test_every_line_of_a_source_has_a_hash(text: str) -> None:
    source = Source("a", text)
    assert len(source_line_hashes(source, 1 << 20)) == source.line_count


def test_a_hash_moves_with_its_line() -> None:
    text = "".join(f"line {number} of a long enough file\n" for number in range(20))
    moved = line_hashes("import this\n\n" + text, 7)
    assert moved[2:] == line_hashes(text, 5)


@pytest.mark.parametrize(
    ("data", "as_node_reads_it"),
    [
        (b"\xef\xbb\xbfa\nb\n", "\ufeffa\nb\n"),  # Node keeps the byte order mark
        (b"caf\xe9\nb\n", "caf\ufffd\nb\n"),
        (b"# coding: cp1252\n\x80\x80=1\n", "# coding: cp1252\n\ufffd\ufffd=1\n"),
        ("é𐐀\n".encode(), "é𐐀\n"),
    ],
)
def test_a_file_hashes_as_githubs_action_reads_it_which_is_as_utf8(data: bytes, as_node_reads_it: str) -> None:
    source = decode("f", data)
    assert isinstance(source, Source)
    assert source_line_hashes(source, 9) == line_hashes(as_node_reads_it, 9)


def test_a_utf16_file_hashes_as_its_text_because_the_action_sees_no_lines_in_it() -> None:
    source = decode("f", "one\ntwo\n".encode("utf-16"))
    assert isinstance(source, Source)
    assert len(source_line_hashes(source, 9)) == source.line_count


def test_an_unstamped_finding_is_named_without_its_line() -> None:
    here = Finding(DRIFT, "The  end is wrong.", Location("a", Region(1, 0, 1, 2)))
    there = replace(here, message="The end is wrong.", location=Location("a", Region(9, 4, 9, 6)))
    other = replace(here, message="The start is wrong.")
    assert identity(here) == identity(there) != identity(other)


def test_a_stamp_is_the_identity() -> None:
    assert identity(Finding(DRIFT, "m", Location("a"), fingerprint="stamp")) == "stamp"


def test_repeated_fingerprints_are_told_apart_in_order_and_stay_the_same_when_one_more_follows() -> None:
    same = [Finding(DRIFT, "m", Location("a", Region(n, 0, n, 1)), fingerprint="ab") for n in range(3)]
    first_two, all_three = list(unique_identities(same[:2])), list(unique_identities(same))
    assert len(set(all_three)) == 3
    assert all_three[:2] == first_two
    assert all_three[0] == "ab"


def test_a_derived_name_never_takes_a_stamp_that_came_before() -> None:
    one = Finding(DRIFT, "m", Location("a"), fingerprint="ab")
    derived = list(unique_identities([one, one]))[1]
    clash = replace(one, fingerprint=derived)
    assert len(set(unique_identities([clash, one, one]))) == 3
