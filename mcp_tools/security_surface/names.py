"""What a name can hold: every value that its own function, or the module, gives it. No flow; no other file."""

from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Node

from mcp_tools.security_surface.grammar import BINDINGS, FUNCTIONS, OPAQUE, PARAMETERS
from mcp_tools.security_surface.syntax import occurrences, path_to

_MAX_OCCURRENCES = 200
_NAME_NODES = frozenset("identifier shorthand_property_identifier_pattern".split())
_OUTER_ASSIGNMENTS = frozenset(  # outside Python these change the variable of an outer function
    "assignment_expression augmented_assignment_expression assignment_statement compound_assignment_expr".split()
)


@dataclass(frozen=True, slots=True)
class Values:
    """What a scope binds to a name. `is_opaque`: also something that is not followed here."""

    nodes: tuple[Node, ...] = ()
    is_parameter: bool = False
    is_opaque: bool = False

    @property
    def is_known(self) -> bool:
        """True when `nodes` is all that the name can hold."""
        return bool(self.nodes) and not self.is_parameter and not self.is_opaque


UNBOUND = Values()


def scopes(root: Node, node: Node) -> list[Node]:
    """The functions around a node, innermost first, and the root last."""
    around = [step for step in path_to(root, node) if step.type in FUNCTIONS]
    return [*reversed(around), root]


def bound_in(scope: Node, name: str, root: Node, data: bytes) -> Values:
    """The values that a function, or the root, binds to a name in itself."""
    word = name.encode("utf-8", "surrogatepass")
    nodes: list[Node] = []
    is_parameter = is_opaque = False
    for count, place in enumerate(occurrences(word, data, scope.start_byte, scope.end_byte)):
        if count >= _MAX_OCCURRENCES:
            return Values(tuple(nodes), is_parameter, is_opaque=True)
        leaf = root.descendant_for_byte_range(*place)
        if leaf is None or leaf.type not in _NAME_NODES or leaf.byte_range != place:
            continue
        around = list(path_to(root, leaf))
        function = next((step for step in reversed(around) if step.type in FUNCTIONS), root)
        binder = _binder(leaf, around)
        if binder is None or (function.id != scope.id and binder.type not in _OUTER_ASSIGNMENTS):
            continue
        if binder.type in BINDINGS:
            value = _bound_value(leaf, binder)
            if value is not None:
                nodes.append(value)
            elif binder.child_by_field_name(BINDINGS[binder.type].value) is not None:
                is_opaque = True
        elif binder.type in OPAQUE:
            is_opaque = True
        else:
            is_parameter = True
    return Values(tuple(nodes), is_parameter, is_opaque)


def _binder(leaf: Node, around: Sequence[Node]) -> Node | None:
    """The node that gives the leaf its value; None where the name is only read."""
    if not around:
        return None
    parent = around[-1]
    if parent.type == "expression_list" and len(around) > 1:  # Go's `a, b := …`
        left = _field(around[-2], "name")
        return around[-2] if left is not None and left.id == parent.id else None
    if parent.type in BINDINGS:
        names = parent.children_by_field_name(BINDINGS[parent.type].name)
        return parent if any(name.id == leaf.id for name in names) else None
    if parent.type in {"default_parameter", "typed_default_parameter", "assignment_pattern", "optional_parameter"}:
        return parent if parent.named_child(0).id == leaf.id else None
    if parent.type in {"arrow_function", "lambda_expression"}:  # `x => …`
        for field in ("parameter", "parameters"):
            only = parent.child_by_field_name(field)
            if only is not None and only.id == leaf.id:
                return parent
        return None
    if leaf.type == "shorthand_property_identifier_pattern":
        return next((step for step in reversed(around) if step.type in OPAQUE), None)
    return parent if parent.type in PARAMETERS or parent.type in OPAQUE else None


def _field(node: Node, which: str) -> Node | None:
    binding = BINDINGS.get(node.type)
    if binding is None:
        return None
    return node.child_by_field_name(binding.name if which == "name" else binding.value)


def _bound_value(leaf: Node, binder: Node) -> Node | None:
    """The value for this very name; None when there is none or names and values do not pair up."""
    value = _field(binder, "value")
    names = _field(binder, "name")
    if value is None or names is None or names.type != "expression_list":
        return value
    left, right = names.named_children, value.named_children
    if binder.type == "range_clause" or value.type != "expression_list" or len(left) != len(right):
        return None
    return right[next(index for index, name in enumerate(left) if name.id == leaf.id)]
