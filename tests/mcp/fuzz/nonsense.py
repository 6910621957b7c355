"""Arguments for a tool: some that its schema allows, some that it nearly allows, some that are anything."""

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.fakes.json_value import Json, JsonObject, get, items

PATHS = ("app.py", "pkg", "pkg/read.py", "README.md", "**/*.py", ".", "", "*")
HOSTILE = (
    "../../etc/passwd",
    "/etc/passwd",
    "pkg/../../home/token",
    "C:\\Windows\\win.ini",
    "\\\\host\\share",
    "~/.ssh/id_rsa",
    "file:///etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "a\0b",
    "a\n12 findings.py",
    "\u202egnp.exe",
    "\u200b\U000e0041",
    "\x1b[31mred",
    "**/" * 200 + "*",
    "x" * 20_000,
    "(a+)+$",
    "[",
    "{{{",
    "code-injection",
    "0" * 12,
    "--output=/tmp/x",
)
TEXT = st.one_of(st.sampled_from(PATHS), st.sampled_from(HOSTILE), st.text(max_size=40))
NUMBERS = st.one_of(
    st.integers(-3, 300),
    st.sampled_from((0, -1, 10**9, 2**63, -(2**70))),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)
LEAVES: st.SearchStrategy[Json] = st.one_of(st.none(), st.booleans(), NUMBERS, TEXT)
ANYTHING: st.SearchStrategy[Json] = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)), max_leaves=8
)


def arguments(schema: JsonObject, known: Sequence[str]) -> st.SearchStrategy[JsonObject]:
    """Argument objects for an input schema. `known`: texts that only the server could have said, such as ids."""
    properties = get(schema, "properties")
    assert isinstance(properties, dict)
    required = {name for name in items(get(schema, "required")) if isinstance(name, str)}
    allowed = {name: _allowed(each, schema, known) for name, each in properties.items()}
    good = st.fixed_dictionaries(
        {name: each for name, each in allowed.items() if name in required},
        optional={name: each for name, each in allowed.items() if name not in required},
    )
    names = st.one_of(st.sampled_from(sorted(properties)), TEXT)
    odd = st.dictionaries(names, ANYTHING, max_size=2)
    return st.one_of(good, good, st.builds(_both, good, odd), odd)


def _both(whole: JsonObject, part: JsonObject) -> JsonObject:
    return {**whole, **part}


def _allowed(node: Json, root: JsonObject, known: Sequence[str]) -> st.SearchStrategy[Json]:
    """Values that a schema allows, or nearly."""
    reference = get(node, "$ref")
    if isinstance(reference, str):
        return _allowed(get(root, *reference.removeprefix("#/").split("/")), root, known)
    if choices := items(get(node, "enum")):
        return st.sampled_from(choices)
    if branches := items(get(node, "anyOf")):
        return st.one_of(*(_allowed(branch, root, known) for branch in branches))
    match get(node, "type"):
        case "string":
            return st.one_of(TEXT, st.sampled_from(known))
        case "integer" | "number":
            low, high = get(node, "minimum"), get(node, "maximum")
            return st.integers(low if isinstance(low, int) else 0, high if isinstance(high, int) else 1_000)
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(_allowed(get(node, "items"), root, known), max_size=3)
        case _:
            return ANYTHING
