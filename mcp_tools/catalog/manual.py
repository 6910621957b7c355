"""The table of tools in docs/mcp.md, made from the tools themselves: `python -m mcp_tools.catalog.manual`."""

from mcp_tools.catalog.table import TOOLS
from mcp_tools.catalog.tool import Tool, input_schema
from mcp_tools.catalog.values import Json, JsonObject


def tools_table() -> str:
    """A Markdown table: name, description, arguments with their bounds; those that have to be given are bold."""
    rows = ["| tool | what it says of itself | arguments |", "|---|---|---|"]
    rows += [f"| `{tool.name}` | {_cell(tool.description)} | {_arguments(tool)} |" for tool in TOOLS.values()]
    return "\n".join(rows) + "\n"


def _arguments(tool: Tool) -> str:
    schema = input_schema(tool)
    properties, required = schema["properties"], schema.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    return "<br>".join(_argument(name, about, name in required) for name, about in properties.items())


def _argument(name: str, about: Json, is_required: bool) -> str:
    assert isinstance(about, dict)
    shown = f"**`{name}`**" if is_required else f"`{name}`"
    default = f", {_value(about['default'])} by default" if "default" in about else ""
    said = about.get("description")
    return f"{shown} {_bounds(about)}{default}" + (f": {_cell(said)}" if isinstance(said, str) else "")


def _bounds(about: JsonObject) -> str:
    match about:
        case {"enum": list() as words}:
            return " or ".join(f"`{word}`" for word in words)
        case {"type": "integer", "minimum": int() as low, "maximum": int() as high}:
            return f"{low:,} to {high:,}"
        case {"type": "array", "maxItems": int() as most}:
            return f"list of {most} at the most"
        case {"type": "string", "pattern": str() as pattern}:
            return f"text like `{_cell(pattern)}`"
        case {"type": "string", "maxLength": int() as most}:
            return f"text of {most:,} characters at the most"
        case {"type": "boolean"}:
            return "true or false"
        case _:
            raise TypeError("an argument without bounds")


def _value(value: Json) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(tools_table(), end="")
