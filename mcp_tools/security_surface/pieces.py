"""Take an expression apart into the text that is constant and the parts that are not. Nothing is run.

This is how one gate for all languages tells `"SELECT 1"` from `"SELECT " + column`: f-strings, template strings,
concatenation, `%`, `.format`, `Sprintf`, `format!` and joins all come out as the same list of pieces. What cannot
carry an attack (numbers, quoted or escaped text, names in capitals) counts as constant.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Node

from mcp_tools.redaction.lazy import Lazy
from mcp_tools.security_surface import grammar
from mcp_tools.security_surface.calls import callee
from mcp_tools.security_surface.names import UNBOUND, Values, bound_in, scopes
from mcp_tools.security_surface.syntax import text_of, walk

_MAX_DEPTH = 24
_MAX_SPINE = 2_000
_CONSTANT_NAME = Lazy(r"_*[A-Z][A-Z0-9_]*|__\w+__|_")
_SAFE_MEMBER = Lazy(r"(?:sys\.executable|os\.(?:sep|linesep|name)|process\.execPath|\w+\.__name__|.*\.length)")
_SAFE_NAME = Lazy(r"__dirname|__filename|\w*[Pp]lace_?[Hh]olders?|q?marks|\w*[Qq]uestion_?[Mm]arks?")
_SAFE_CALL = Lazy(  # numbers, and text that was quoted for where it goes
    r"int|float|len|abs|round|ord|hash|id|bool|hex|\w*quote\w*|list2cmdline|\w*[eE]scape\w*|parseInt|parseFloat|Number|BigInt|"
    r"Itoa|FormatInt|FormatUint|FormatBool|parseLong|hashCode|size|length|count|getpid|getuid|time|uuid4|now|fileno|"
    r"[Qq]uote\w*|hexdigest|literal_eval"
)
_SAME_TEXT = Lazy(  # what these return is their receiver's or argument's text
    r"strip|lstrip|rstrip|trim|lower|upper|toLowerCase|toUpperCase|toString|to_string|to_owned|as_str|into|as_ref|"
    r"dedent|encode|decode|String|str|text|TextClause|from|valueOf|intern|stripIndent|replace|clone|unwrap|Raw"
)
_FORMATS = frozenset("format formatted Sprintf Sprint Sprintln Fprintf Errorf printf".split())
_JOINS = frozenset("join Join concat repeat Repeat".split())
_BUILDERS = frozenset("map fill nCopies Array range List of asList".split())  # as constant as their last argument
_TEXT_MODULES = frozenset("String textwrap sa sqlalchemy Objects".split())
_PERCENT = Lazy(r"%(?:\(\w+\))?[-+ #0]*[\d*]*(?:\.[\d*]+)?[hlL]?([a-zA-Z%])")
_BRACES = Lazy(r"\{\{|\}\}|\{([^{}:!]*)(?:![rsa])?(?::([^{}]*))?\}")
_NUMBER_VERBS = frozenset("diouxXeEfFgGbctp%nU")
_NUMBER_SPEC = Lazy(r"[^a-zA-Z]*[bdeEfFgGnoxX%]")
_ARITHMETIC = frozenset("- / // ** << >> < > <= >= == != === !== & ^ in instanceof".split())


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A part whose text is not known: the node, and the name where it is one inside a format string."""

    node: Node
    name: str | None = None


Piece = str | Dynamic


class Reader:
    """Reads the expressions of one file.

    Args:
        root: the file's root node.
        data: the bytes it was parsed from.
    """

    def __init__(self, root: Node, data: bytes) -> None:
        self.root, self.data = root, data
        self._known: dict[int, list[Piece]] = {}
        self._bound: dict[tuple[str, int], Values] = {}
        self._open: set[str] = set()

    def pieces(self, node: Node) -> list[Piece]:
        """The pieces of an expression in text order."""
        return self._pieces(node, 0)

    def is_constant(self, node: Node) -> bool:
        """Say whether no part of an expression is dynamic."""
        return all(isinstance(piece, str) for piece in self.pieces(node))

    def values(self, name: str, at: Node) -> Values:
        """What a name can hold at a place: what the innermost scope around it that binds the name gives it."""
        for scope in scopes(self.root, at):
            key = (name, scope.id)
            if key not in self._bound:
                self._bound[key] = bound_in(scope, name, self.root, self.data)
            if self._bound[key] != UNBOUND:
                return self._bound[key]
        return UNBOUND

    def _pieces(self, node: Node, depth: int) -> list[Piece]:
        if depth > _MAX_DEPTH:
            return [Dynamic(node)]
        known = self._known.get(node.id)
        if known is None:
            known = self._read(node, depth + 1)
            if not self._open:  # inside a cycle an answer holds only for now
                self._known[node.id] = known
        return known

    def _read(self, node: Node, depth: int) -> list[Piece]:
        kind = node.type
        if kind in grammar.STRINGS:
            return self._string(node, depth)
        if kind in grammar.SCALARS:
            return [text_of(node)]
        if kind in grammar.NAMES:
            return self._name(text_of(node), node, depth)
        if kind in grammar.BINARIES:
            return self._binary(node, depth)
        if kind in grammar.TRANSPARENT and (child := _child(node, grammar.TRANSPARENT[kind])) is not None:
            return self._pieces(child, depth)
        if kind in grammar.CALLS:
            return self._call(node, depth)
        if kind in grammar.MEMBERS:
            return self._member(node, depth)
        return self._compound(node, depth)

    def _compound(self, node: Node, depth: int) -> list[Piece]:
        """Sequences, mappings, comprehensions, choices: constant when all their parts are."""
        kind = node.type
        if kind in grammar.SEQUENCES or kind in {"dictionary", "object"}:
            return self._all(node.named_children, node, depth)
        if kind in {"pair", "keyed_element"}:
            return self._all(node.named_children[-1:], node, depth)
        if kind in grammar.COMPREHENSIONS or kind in {"arrow_function", "lambda"}:
            body = node.child_by_field_name("body")
            return [Dynamic(node)] if body is None else self._all([body], node, depth)
        if kind == "conditional_expression":  # Python: a if c else b
            return self._all(node.named_children[::2], node, depth)
        if kind == "ternary_expression":
            return self._all(node.named_children[1:], node, depth)
        if kind == "boolean_operator":
            return self._all(node.named_children, node, depth)
        if kind in grammar.OPTIONS:
            return [""]
        return [Dynamic(node)]

    def _all(self, parts: Sequence[Node], whole: Node, depth: int) -> list[Piece]:
        """The first part's text when every part is constant, else the whole as one dynamic piece."""
        texts: list[Piece] = []
        for part in parts[:_MAX_SPINE]:
            if part.type in {"comment", "line_comment", "block_comment", "type_identifier", "array_type", "slice_type"}:
                continue
            pieces = self._pieces(part, depth)
            if not all(isinstance(piece, str) for piece in pieces):
                return [Dynamic(whole)]
            texts = texts or pieces
        return texts or [""]

    def _string(self, node: Node, depth: int) -> list[Piece]:
        pieces: list[Piece] = []
        for child in node.named_children:
            if child.type in grammar.CONTENTS:
                pieces.append(text_of(child))
            elif child.type in grammar.INTERPOLATIONS:
                spec = child.child_by_field_name("format_specifier")
                inner = _child(child, "expression")
                if inner is None or (spec is not None and _NUMBER_SPEC.fullmatch(text_of(spec)[1:])):
                    pieces.append("0")
                else:
                    pieces.extend(self._pieces(inner, depth))
            elif child.type in grammar.STRINGS:
                pieces.extend(self._pieces(child, depth))
        return pieces or [text_of(node).strip("\"'`")]

    def _name(self, name: str, node: Node, depth: int) -> list[Piece]:
        if _CONSTANT_NAME.fullmatch(name) or _SAFE_NAME.fullmatch(name):
            return [""]
        if name in self._open:  # `sql = sql + x`: what it held before is read at its other values
            return [""]
        values = self.values(name, node)
        if not values.is_known:
            return [Dynamic(node, name)]
        self._open.add(name)
        try:
            alternatives = [self._pieces(value, depth) for value in values.nodes]
        finally:
            self._open.discard(name)
        if all(isinstance(piece, str) for pieces in alternatives for piece in pieces):
            return alternatives[0]
        return [Dynamic(node, name)]

    def _member(self, node: Node, depth: int) -> list[Piece]:
        text = text_of(node) if node.end_byte - node.start_byte < 200 else ""
        last = re.split(r"\.|::", text)[-1]
        if _CONSTANT_NAME.fullmatch(last) or _SAFE_MEMBER.fullmatch(text):
            return [""]
        if node.type in {"subscript", "subscript_expression", "index_expression"} and node.named_children:
            return self._all(node.named_children[:1], node, depth)  # an entry of a constant table
        return [Dynamic(node)]

    def _binary(self, node: Node, depth: int) -> list[Piece]:
        """Flatten a chain of `+` along its left side, which is where long ones nest."""
        operator = _operator(node)
        if operator == "%":
            return self._percent(node, depth)
        if operator == "*":  # "?" * n
            return self._all([_side(node, "left")], node, depth) if _is_texty(_side(node, "left")) else ["0"]
        if operator in _ARITHMETIC:
            return ["0"]
        if operator not in {"+", "."}:
            return self._all([_side(node, "left"), _side(node, "right")], node, depth)
        parts: list[Node] = []
        current = node
        while current.type in grammar.BINARIES and _operator(current) == "+":
            if len(parts) > _MAX_SPINE:
                return [Dynamic(node)]
            parts.append(_side(current, "right"))
            current = _side(current, "left")
        parts.append(current)
        return [piece for part in reversed(parts) for piece in self._pieces(part, depth)]

    def _percent(self, node: Node, depth: int) -> list[Piece]:
        left, right = _side(node, "left"), _side(node, "right")
        template = self._pieces(left, depth)
        if not _is_texty(left) and template == [Dynamic(left)]:
            return template
        arguments = right.named_children if right.type in {"tuple", "list"} else [right]
        if right.type == "dictionary":
            arguments = [right]
        return self._format(template, [[argument] for argument in arguments], node, depth)

    def _call(self, node: Node, depth: int) -> list[Piece]:
        """Calls whose text is known from their parts; any other is dynamic."""
        if node.type == "macro_invocation":
            return self._macro(node, depth)
        name, receiver, arguments = callee(node)
        if name in _FORMATS and (fields := self._fields(name, receiver, arguments)) is not None:
            template, values = fields
            return self._format(self._pieces(template, depth), [[value] for value in values], node, depth)
        if _SAFE_CALL.fullmatch(name):
            return ["0"]
        if name in _JOINS:
            return self._join(name, receiver, arguments, node, depth)
        if name in _BUILDERS and arguments:
            return self._all(arguments[-1:], node, depth)
        if _SAME_TEXT.fullmatch(name):
            is_function = receiver is None or text_of(receiver) in _TEXT_MODULES
            same = next(iter(arguments), None) if is_function else receiver
            return [""] if same is None else self._pieces(same, depth)
        return [Dynamic(node)]

    def _fields(self, name: str, receiver: Node | None, arguments: list[Node]) -> tuple[Node, list[Node]] | None:
        """The template and the values of a call that formats."""
        if name in {"format", "formatted"} and receiver is not None and text_of(receiver) not in {"String", "util"}:
            return receiver, arguments
        return (arguments[0], arguments[1:]) if arguments else None

    def _join(self, name: str, receiver: Node | None, arguments: list[Node], node: Node, depth: int) -> list[Piece]:
        """`", ".join(parts)`, `a.concat(b)`, `"?".repeat(n)`, `strings.Join(parts, ", ")`."""
        is_function = receiver is None or text_of(receiver) in {"String", "strings"}
        parts = arguments if is_function or receiver is None else [receiver, *arguments]
        if name == "concat":
            return [piece for part in parts for piece in self._pieces(part, depth)]
        return self._all(parts[:1] if name in {"repeat", "Repeat"} else parts, node, depth)

    def _macro(self, node: Node, depth: int) -> list[Piece]:
        """Rust's `format!` and `concat!`: the arguments are tokens, split at commas."""
        name = callee(node)[0]
        tree = next((child for child in node.named_children if child.type == "token_tree"), None)
        if tree is None or name not in {"format", "concat", "format_args"}:
            return [Dynamic(node)]
        arguments: list[list[Node]] = [[]]
        for token in tree.children[1:-1]:
            if token.type == ",":
                arguments.append([])
            elif token.is_named:
                arguments[-1].append(token)
        arguments = [tokens for tokens in arguments if tokens]
        if name == "concat":
            return [piece for tokens in arguments for piece in self._pieces(tokens[0], depth)]
        if not arguments:
            return [""]
        return self._format(self._pieces(arguments[0][0], depth), arguments[1:], node, depth, is_rust=True)

    def _format(
        self, template: list[Piece], arguments: list[list[Node]], whole: Node, depth: int, *, is_rust: bool = False
    ) -> list[Piece]:
        """Put the arguments where the template's fields stand; each argument is the nodes it is made of."""
        result: list[Piece] = []
        position = 0
        for piece in template:
            if not isinstance(piece, str):
                result.append(piece)
                continue
            at = 0
            pattern = _BRACES if is_rust or ("{" in piece and not _PERCENT.search(piece)) else _PERCENT
            for field in pattern.finditer(piece):
                result.append(piece[at : field.start()])
                at = field.end()
                if pattern is _PERCENT and field[1] in _NUMBER_VERBS:
                    position += field[1] != "%"
                    result.append("0")
                elif pattern is _BRACES and field[0] in {"{{", "}}"}:
                    result.append(field[0][0])
                else:
                    name = field[1] if pattern is _BRACES else ""
                    result.extend(self._argument(arguments, name, position, whole, depth, is_rust=is_rust))
                    position += 1
            result.append(piece[at:])
        return result

    def _argument(
        self, arguments: list[list[Node]], name: str, position: int, whole: Node, depth: int, *, is_rust: bool
    ) -> list[Piece]:
        """The pieces that one field of a format string stands for."""
        if name.isdigit():
            position = int(name)
        elif name and is_rust:
            named = [tokens for tokens in arguments if len(tokens) > 1 and text_of(tokens[0]) == name]
            return self._tokens(named[0][1:], depth) if named else self._name(name, whole, depth)
        elif name:
            for tokens in arguments:
                key = tokens[0].child_by_field_name("name")
                if key is not None and text_of(key) == name:
                    return self._tokens(tokens, depth)
        if position < len(arguments):
            return self._tokens(arguments[position], depth)
        if len(arguments) == 1:  # one tuple or dictionary held in a name, or `*args`
            return self._tokens(arguments[0], depth)
        return [Dynamic(whole)] if arguments else [""]

    def _tokens(self, tokens: list[Node], depth: int) -> list[Piece]:
        return self._pieces(tokens[0], depth) if len(tokens) == 1 else [Dynamic(tokens[0])]

    def names_in(self, dynamic: Dynamic) -> list[tuple[str, Node]]:
        """The names that a dynamic part reads."""
        if dynamic.name is not None:
            return [(dynamic.name, dynamic.node)]
        return [(text_of(node), node) for node in walk(dynamic.node, 100) if node.type == "identifier"]


def _operator(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return operator.type if operator is not None else ""


def _side(node: Node, field: str) -> Node:
    return node.child_by_field_name(field) or node.named_child(0)


def _child(node: Node, field: str) -> Node | None:
    if field and (child := node.child_by_field_name(field)) is not None:
        return child
    return next((child for child in node.named_children if "comment" not in child.type), None)


def _is_texty(node: Node) -> bool:
    """Say whether an operand is text or a sequence, so that `*` repeats and `%` formats it."""
    while node.type == "parenthesized_expression" and node.named_children:
        node = node.named_children[0]
    return node.type in grammar.STRINGS or node.type in grammar.SEQUENCES
