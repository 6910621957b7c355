"""What a query cannot say: is the argument constant, is it SQL, where does the callee come from.

A gate takes a hit and gives it back, changed or not, or None when it is no finding after all.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tree_sitter import Node, Tree

from mcp_tools.finding import Confidence
from mcp_tools.project import Source
from mcp_tools.redaction.lazy import Lazy
from mcp_tools.security_surface.calls import callee
from mcp_tools.security_surface.grammar import FUNCTIONS
from mcp_tools.security_surface.imports import Imports
from mcp_tools.security_surface.patterns import NEEDS
from mcp_tools.security_surface.pieces import Dynamic, Piece, Reader
from mcp_tools.security_surface.search import Match
from mcp_tools.security_surface.syntax import path_to, text_of, walk


@dataclass(frozen=True)
class File:
    """One parsed file and what is worked out about it on demand."""

    source: Source
    tree: Tree
    data: bytes
    known_imports: Imports | None = None  # where somebody has read them already

    @cached_property
    def imports(self) -> Imports:
        """Where its names come from."""
        return self.known_imports or Imports(self.source.language or "", self.source.text)

    @cached_property
    def has_sql(self) -> bool:
        """Whether any literal begins like SQL: the condition for looking at all, so it must also hold here."""
        return NEEDS["sql"].search(self.data) is not None

    @cached_property
    def reader(self) -> Reader:
        """Takes its expressions apart."""
        return Reader(self.tree.root_node, self.data)


@dataclass(frozen=True, slots=True)
class Hit:
    """A match on its way through the gates."""

    match: Match
    node: Node
    confidence: Confidence


Gate = Callable[[Hit, File], Hit | None]

_SQL = Lazy(
    r"""(?:/\*.*?\*/|\s|\(|\\n)*(?:
      select\b.*?\bfrom\b | select\s.*\x00 | insert\s+(?:or\s+\w+\s+|ignore\s+)?into\b | replace\s+into\b |
      update\b.+?\bset\b | delete\s+from\b | merge\s+into\b | with\s+\w+\s+as\s*\( | call\s+\w+\s*\( |
      union\s+(?:all\s+)?select\b | grant\s.+\sto\b |
      (?:drop|truncate|alter)\s+(?:table|database|view|index|schema|user|role|sequence)\b |
      create\s+(?:or\s+replace\s+|temp(?:orary)?\s+|unique\s+)*
        (?:table|database|view|index|schema|user|role|trigger)\b
    )""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_VALUE_POSITION = Lazy(  # what stands before a value; a double quote alone can open a name
    r"""(?: ['%]\Z
      | (?: = | < | > | \blike | \bilike | \blimit | \boffset | \bbetween(?:\s+\S+\s+and)? | \bvalues ) \s*\(?
      | \b(?:values|in)\s*\( (?:[^()]*,)? )\s*"?\Z""",
    re.IGNORECASE | re.VERBOSE,
)
_QUOTED_NAME = Lazy(  # what stands before a name, quoted or not
    r"""\b(?: from | into | update | table | join | index | view | database | schema | exists | column | add | on | by
      | trigger | pragma )\s+(?:\w+\.)?['"`\[]?\Z""",
    re.IGNORECASE | re.VERBOSE,
)
_OUTSIDE = Lazy(
    r"\b(?:request\.\w|req\.(?:query|body|params|headers|cookies|url)|(?:sys|process|os)\.(?:argv|Args)|(?:raw_)?input\(|FormValue\(|"
    r"PostFormValue\(|getParameter\(|getHeader\(|getQueryString\(|URL\.Query\(|(?:ctx|c)\.(?:Query|Param)\(|env::args)"
)
_OPTION = Lazy(r"verif|insecure|unsafe|skip|trust|check|valid|\bssl|\btls|cert|self_?signed|ignore", re.IGNORECASE)
_WRAPPERS = frozenset("parenthesized_expression reference_expression keyword_argument await await_expression".split())
_OWN = frozenset("self cls this ctx context".split())
_SHELLS = frozenset("sh bash zsh dash ksh cmd cmd.exe powershell powershell.exe pwsh".split())
_SHELL_FLAGS = frozenset("-c -lc -ec -ic /c /C -Command -command".split())
_GUARDED = Lazy(
    r"password|passwd|passphrase|token|secret|signature|sign\b|auth|credential|session|csrf|otp\b|api_?key",
    re.IGNORECASE,
)
_BOOKKEEPING = Lazy(
    r"etag|cache|checksum|fingerprint|content_?hash|dedup|file_?name|bucket|shard|uuid|version|\bkey\b|integrity|git|blob",
    re.IGNORECASE,
)


def is_imported(hit: Hit, file: File) -> Hit | None:
    """The callee comes from one of the pattern's modules."""
    name = hit.match.node("name")
    called_on = hit.match.node("object")
    if name is None:
        return None
    if called_on is None:
        origin = file.imports.origin(text_of(name)) or ""
        return hit if {origin, origin.rpartition(".")[0]} & hit.match.pattern.modules else None
    if called_on.end_byte - called_on.start_byte > 200:
        return None
    return hit if file.imports.origin(text_of(called_on)) in hit.match.pattern.modules else None


def is_dynamic(hit: Hit, file: File) -> Hit | None:
    """The argument is not constant. What a caller or the outside decides inside a fixed text is the surest."""
    argument = hit.match.node("argument")
    if argument is None:
        return None
    found = _dynamic(argument, file)
    if found is None:
        return None
    has_text, is_outside = found
    if has_text and is_outside:
        return hit
    return replace(hit, confidence=_at_most(hit.confidence, Confidence.MEDIUM))


def is_foreign_data(hit: Hit, file: File) -> Hit | None:
    """The data is not constant. A request's is surely foreign, a caller's may be, any other rarely is."""
    argument = hit.match.node("argument")
    found = _dynamic(argument, file) if argument is not None else None
    if argument is None or found is None:
        return None
    if _reads_outside(argument, file):
        return replace(hit, confidence=Confidence.HIGH)
    return replace(hit, confidence=_at_most(hit.confidence, Confidence.MEDIUM if found[1] else Confidence.LOW))


def is_foreign_code(hit: Hit, file: File) -> Hit | None:
    """The code is not constant. A whole text or code object is what shells, templates and plug-ins run on purpose."""
    argument = hit.match.node("argument")
    found = _dynamic(argument, file) if argument is not None else None
    if argument is None or found is None:
        return None
    if _reads_outside(argument, file):
        return replace(hit, confidence=Confidence.HIGH)
    return replace(hit, confidence=Confidence.MEDIUM if all(found) else Confidence.LOW)


def _reads_outside(argument: Node, file: File) -> bool:
    """Say whether an argument, or a value of the name that it is, reads a request, the terminal or the environment."""
    return any(_OUTSIDE.search(text_of(node)[:400]) for node in (argument, *_readings(argument, file)))


def is_forced(hit: Hit, file: File) -> Hit | None:
    """No option decides: a switch under `if not verify:` is what its user asked for, and of low confidence."""
    below = False
    for step in path_to(file.tree.root_node, hit.node):
        if step.type in FUNCTIONS:
            below = False
        condition = step.child_by_field_name("condition")
        below |= condition is not None and _OPTION.search(text_of(condition)[:300]) is not None
    return replace(hit, confidence=Confidence.LOW) if below else hit


def is_built(hit: Hit, file: File) -> Hit | None:
    """The argument is a fixed text with a dynamic part in it."""
    argument = hit.match.node("argument")
    found = _dynamic(argument, file) if argument is not None else None
    return replace(hit, confidence=_at_most(hit.confidence, Confidence.MEDIUM)) if found and found[0] else None


def _dynamic(argument: Node, file: File) -> tuple[bool, bool] | None:
    """(built around a fixed text, decided by a caller or the outside) of an argument; None when it is constant."""
    has_text = is_outside = has_dynamic = False
    for node in (argument, *_readings(argument, file)):
        pieces = file.reader.pieces(node)
        dynamic = [piece for piece in pieces if isinstance(piece, Dynamic)]
        has_dynamic |= bool(dynamic)
        has_text |= bool(dynamic) and any(isinstance(piece, str) and piece.strip() for piece in pieces)
        is_outside |= any(_is_outside(piece, file) for piece in dynamic)
    return (has_text, is_outside) if has_dynamic else None


def _unwrapped(argument: Node) -> Node:
    """The node that holds an argument's text: without parentheses, `&`, `name=`, `text(…)`, `.as_str()`."""
    for _ in range(8):
        inner: Node | None = None
        if argument.type in _WRAPPERS:
            inner = argument.child_by_field_name("value") or next(iter(argument.named_children), None)
        elif argument.type in {"call", "call_expression"}:
            name, receiver, arguments = callee(argument)
            if name in {"text", "TextClause"} and arguments:
                inner = arguments[0]
            elif name in {"as_str", "clone", "toString", "strip"}:
                inner = receiver
        if inner is None:
            break
        argument = inner
    return argument


def _readings(argument: Node, file: File) -> tuple[Node, ...]:
    """The nodes whose text an argument can hold: the argument, or the values of the name that was passed."""
    argument = _unwrapped(argument)
    values = file.reader.values(text_of(argument), argument).nodes if argument.type == "identifier" else ()
    return values or (argument,)


def _is_outside(dynamic: Dynamic, file: File, depth: int = 0) -> bool:
    """Say whether a parameter of the function, or something that reads the outside, goes into a dynamic part."""
    if dynamic.name is None and _OUTSIDE.search(text_of(dynamic.node)[:400]):
        return True
    for name, node in file.reader.names_in(dynamic):
        if name in _OWN:
            continue
        values = file.reader.values(name, node)
        if values.is_parameter:
            return True
        if depth < 3 and any(_is_outside(Dynamic(value), file, depth + 1) for value in values.nodes):
            return True
    return False


def is_sql(hit: Hit, file: File) -> Hit | None:
    """The argument is SQL with a dynamic part. The finding is where the text is put together.

    A part in the place of a value could have been a parameter of the query; one in the place of a table or column
    could not, and is often a constant from elsewhere: low confidence.
    """
    argument = hit.match.node("argument")
    if argument is None or not file.has_sql:
        return None
    readings = [(node, file.reader.pieces(node)) for node in _readings(argument, file)]
    head = "".join(_joined(pieces) for _, pieces in readings)
    if not _SQL.match(head):
        return None
    best: Hit | None = None
    before = ""
    for node, pieces in readings:
        confidence = _sql_confidence(pieces, before, file)
        before += _joined(pieces)
        if confidence is not None and (best is None or RANK[confidence] > RANK[best.confidence]):
            best = replace(hit, node=node, confidence=_at_most(hit.confidence, confidence))
    return best


def _joined(pieces: list[Piece]) -> str:
    return "".join(piece if isinstance(piece, str) else "\0" for piece in pieces)


def _sql_confidence(pieces: list[Piece], before: str, file: File) -> Confidence | None:
    best: Confidence | None = None
    has_text = any(isinstance(piece, str) and piece.strip() for piece in pieces)
    for piece in pieces:
        if isinstance(piece, str):
            before += piece
            continue
        if has_text:
            if not _VALUE_POSITION.search(before) or _QUOTED_NAME.search(before):
                confidence = Confidence.LOW
            else:
                confidence = Confidence.HIGH if _is_outside(piece, file) else Confidence.MEDIUM
            if best is None or RANK[confidence] > RANK[best]:
                best = confidence
        before += "\0"
    return best


def is_shell_list(hit: Hit, file: File) -> Hit | None:
    """The arguments start a shell with `-c` and a command that is not constant: `["sh", "-c", command]`."""
    listed = hit.match.node("arguments")
    if listed is None:
        return None
    items = [item for item in listed.named_children if "comment" not in item.type]
    texts = ["".join(p for p in file.reader.pieces(item) if isinstance(p, str)) for item in items[:6]]
    for index, text in enumerate(texts[:-2]):
        if text.rpartition("/")[2] in _SHELLS and texts[index + 1] in _SHELL_FLAGS:
            return _with_argument(hit, items[index + 2], file)
    return None


def _with_argument(hit: Hit, argument: Node, file: File) -> Hit | None:
    match = replace(hit.match, captures={**hit.match.captures, "argument": [argument]})
    return is_dynamic(replace(hit, match=match), file)


def is_shell_chain(hit: Hit, file: File) -> Hit | None:
    """Rust: `Command::new("sh").arg("-c").arg(command)`; the hit is the outermost `.arg`."""
    receiver = hit.match.node("object")
    names: list[str] = []
    while receiver is not None and len(names) < 8:
        name, below, arguments = callee(receiver)
        names.extend("".join(p for p in file.reader.pieces(a) if isinstance(p, str)) for a in arguments[:1])
        receiver = below if name in {"arg", "args"} else None
    if len(names) < 2 or names[0] not in _SHELL_FLAGS or names[-1].rpartition("/")[2] not in _SHELLS:
        return None
    return is_dynamic(hit, file)


def is_not_bookkeeping(hit: Hit, file: File) -> Hit | None:
    """A weak hash of a password or token is sure; one of a cache key is likely harmless."""
    line = _line_at(file.data, hit.node.start_byte)
    function = next(
        (
            step
            for step in reversed(list(path_to(file.tree.root_node, hit.node)))
            if "function" in step.type or "method" in step.type
        ),
        None,
    )
    name = function.child_by_field_name("name") if function is not None else None
    around = f"{line} {text_of(name) if name else ''}"
    if _GUARDED.search(around):
        return replace(hit, confidence=Confidence.HIGH)
    return replace(hit, confidence=Confidence.LOW if _BOOKKEEPING.search(around) else Confidence.MEDIUM)


def _line_at(data: bytes, offset: int) -> str:
    """The first 300 characters of the line that holds a byte."""
    start = data.rfind(b"\n", 0, offset) + 1
    stop = data.find(b"\n", offset, start + 1_200)
    line = data[start : start + 1_200 if stop < 0 else stop]
    return line.decode("utf-8", "replace").rstrip("\r")[:300]


def is_not_guarded(hit: Hit, file: File) -> Hit | None:
    """The code does not stand under a check of the environment (`NODE_ENV`, `app.debug`, `isDevelopment`)."""
    for step in path_to(file.tree.root_node, hit.node):
        condition = (
            step.child_by_field_name("condition") if step.type in {"if_statement", "ternary_expression"} else None
        )
        if condition is not None and re.search(
            r"NODE_ENV|development|isDev|is_dev|\bdev\b|debug|DEBUG", text_of(condition)[:300]
        ):
            return None
    return hit


def has_no_check(hit: Hit, file: File) -> Hit | None:
    """The body does nothing that could refuse: no throw, no call, no condition."""
    del file
    body = hit.match.node("body")
    if body is None:
        return None
    kinds = {"throw_statement", "method_invocation", "if_statement", "object_creation_expression", "for_statement"}
    return None if any(node.type in kinds for node in walk(body, 200)) else hit


RANK = {Confidence.LOW: 0, Confidence.MEDIUM: 1, Confidence.HIGH: 2}


def _at_most(one: Confidence, other: Confidence) -> Confidence:
    return one if RANK[one] <= RANK[other] else other


GATES: Mapping[str, Gate] = {
    "imported": is_imported,
    "dynamic": is_dynamic,
    "foreign-data": is_foreign_data,
    "foreign-code": is_foreign_code,
    "forced": is_forced,
    "built": is_built,
    "sql": is_sql,
    "shell-list": is_shell_list,
    "shell-chain": is_shell_chain,
    "purpose": is_not_bookkeeping,
    "unguarded": is_not_guarded,
    "no-check": has_no_check,
}
