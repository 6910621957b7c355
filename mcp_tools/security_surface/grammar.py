"""What each grammar calls a string, a scope, a binding. Data for `pieces` and `names`; no logic."""

from collections.abc import Mapping
from dataclasses import dataclass

CONTENTS = frozenset(
    "string_content string_fragment multiline_string_fragment interpreted_string_literal_content "
    "raw_string_literal_content escape_sequence".split()
)
"""Nodes that are the text of a literal."""

QUOTES = frozenset("string_start string_end".split())
"""Nodes that delimit a literal."""

STRINGS = frozenset(
    "string concatenated_string template_string interpreted_string_literal raw_string_literal string_literal".split()
)
"""Nodes that are string literals; their interpolations are children."""

INTERPOLATIONS = frozenset("interpolation template_substitution string_interpolation".split())

SCALARS = frozenset(
    "integer float true false none number null undefined regex int_literal float_literal rune_literal "
    "imaginary_literal nil iota decimal_integer_literal hex_integer_literal decimal_floating_point_literal "
    "character_literal null_literal boolean_literal integer_literal char_literal ellipsis this self super".split()
)
"""Nodes that are constants or no text at all."""

TRANSPARENT: Mapping[str, str] = {
    "parenthesized_expression": "",
    "as_expression": "",
    "satisfies_expression": "",
    "non_null_expression": "",
    "await": "",
    "await_expression": "",
    "try_expression": "",
    "reference_expression": "value",
    "type_cast_expression": "value",
    "cast_expression": "value",
    "keyword_argument": "value",
    "literal_element": "",
    "expression_list": "",
    "named_expression": "value",
}
"""Nodes that stand for one child: the field that holds it, or the first named child."""

SEQUENCES = frozenset(
    "list tuple array set list_splat spread_element expression_list array_expression literal_value composite_literal "
    "array_initializer tuple_expression array_creation_expression".split()
)
COMPREHENSIONS = frozenset("generator_expression list_comprehension set_comprehension".split())
BINARIES = frozenset("binary_operator binary_expression".split())
TERNARIES = frozenset("conditional_expression ternary_expression".split())
OPTIONS = frozenset("boolean_operator not_operator unary_operator unary_expression comparison_operator".split())
CALLS = frozenset(
    "call call_expression method_invocation macro_invocation object_creation_expression new_expression".split()
)
NAMES = frozenset("identifier".split())
MEMBERS = frozenset(
    "attribute member_expression selector_expression field_access field_expression scoped_identifier subscript "
    "subscript_expression index_expression".split()
)

FUNCTIONS = frozenset(
    "function_definition lambda function_declaration function_expression arrow_function method_definition "
    "generator_function_declaration generator_function func_literal method_declaration constructor_declaration "
    "lambda_expression function_item closure_expression".split()
)
"""Nodes that open a scope of names."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A node that gives a name a value: the fields of the name and of the value."""

    name: str
    value: str


BINDINGS: Mapping[str, Binding] = {
    "assignment": Binding("left", "right"),  # Python
    "augmented_assignment": Binding("left", "right"),
    "named_expression": Binding("name", "value"),
    "for_statement": Binding("left", "right"),
    "for_in_clause": Binding("left", "right"),
    "variable_declarator": Binding("name", "value"),  # JavaScript, TypeScript, Java
    "assignment_expression": Binding("left", "right"),
    "augmented_assignment_expression": Binding("left", "right"),
    "for_in_statement": Binding("left", "right"),
    "enhanced_for_statement": Binding("name", "value"),
    "var_spec": Binding("name", "value"),  # Go
    "const_spec": Binding("name", "value"),
    "short_var_declaration": Binding("left", "right"),
    "assignment_statement": Binding("left", "right"),
    "range_clause": Binding("left", "right"),
    "let_declaration": Binding("pattern", "value"),  # Rust
    "const_item": Binding("name", "value"),
    "static_item": Binding("name", "value"),
    "compound_assignment_expr": Binding("left", "right"),
    "for_expression": Binding("pattern", "value"),
}

PARAMETERS = frozenset(
    "parameters lambda_parameters typed_parameter default_parameter typed_default_parameter list_splat_pattern "
    "dictionary_splat_pattern formal_parameters required_parameter optional_parameter rest_pattern "
    "parameter_declaration variadic_parameter_declaration formal_parameter inferred_parameters spread_parameter "
    "parameter closure_parameters".split()
)
"""Nodes whose name is given by the caller."""

OPAQUE = frozenset(
    "pattern_list tuple_pattern list_pattern as_pattern_target global_statement nonlocal_statement object_pattern "
    "pair_pattern array_pattern catch_clause catch_formal_parameter resource tuple_struct_pattern struct_pattern "
    "ref_pattern mut_pattern match_pattern import_statement aliased_import import_specifier receive_statement "
    "object_assignment_pattern field_pattern update_expression".split()
)
"""Nodes that give a name a value that is not followed here."""
