"""Read a call in any of the grammars: what is called, on what, with which arguments."""

from tree_sitter import Node

from mcp_tools.security_surface.syntax import text_of


def callee(node: Node) -> tuple[str, Node | None, list[Node]]:
    """The last part of a call's name, what it is called on, and its arguments."""
    function = next(
        (
            child
            for field in ("function", "constructor", "macro", "type")
            if (child := node.child_by_field_name(field)) is not None
        ),
        None,
    )
    listed = node.child_by_field_name("arguments")
    arguments = [] if listed is None else [a for a in listed.named_children if "comment" not in a.type]
    if listed is not None and listed.type in {"generator_expression", "template_string"}:
        arguments = [listed]
    if node.type == "method_invocation":  # Java
        name = node.child_by_field_name("name")
        return text_of(name) if name else "", node.child_by_field_name("object"), arguments
    if function is None:
        return "", None, arguments
    for member in ("attribute", "property", "field", "name"):
        name = function.child_by_field_name(member)
        if name is not None:
            owners = (function.child_by_field_name(owner) for owner in ("object", "operand", "value", "path"))
            return text_of(name), next((owner for owner in owners if owner is not None), None), arguments
    return (text_of(function) if function.named_child_count == 0 else ""), None, arguments
