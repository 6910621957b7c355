"""What the ACP registry asks of an entry, as rules of our own: its fields, its icon, its handshake's environment.

The facts are those of the registry's FORMAT.md, agent.schema.json and the two programs of its checks
(build_registry.py, client.py), read in 2026. Where it leaves room this is stricter: an unknown field is a mistake.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from tests.fakes.json_value import Json, JsonObject, get

_TEXT: JsonObject = {"type": "string", "minLength": 1}
_LINK: JsonObject = {"type": "string", "pattern": "^https://[^/]+"}
_START: JsonObject = {
    "args": {"type": "array", "items": {"type": "string"}},
    "env": {"type": "object", "additionalProperties": {"type": "string"}},
}
_PACKAGE: JsonObject = {
    "type": "object",
    "required": ["package"],
    "additionalProperties": False,
    "properties": {**_START, "package": {"type": "string", "pattern": r"@[0-9]+\.[0-9]+\.[0-9]+$"}},
}
_ARCHIVES: JsonObject = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": "^(darwin|linux|windows)-(aarch64|x86_64)$"},
    "additionalProperties": {
        "type": "object",
        "required": ["archive", "cmd"],
        "additionalProperties": False,
        "properties": {
            **_START,
            "archive": {**_LINK, "not": {"pattern": r"/latest/|\.(dmg|pkg|deb|rpm|msi|appimage)$"}},
            "cmd": _TEXT,
            "sha256": {"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"},
        },
    },
}
ENTRY: JsonObject = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "name", "version", "description", "distribution"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"},
        "name": _TEXT,
        "version": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
        "description": {**_TEXT, "maxLength": 200},
        "repository": _LINK,
        "website": _LINK,
        "authors": {"type": "array", "items": _TEXT},
        "license": _TEXT,
        "license_url": _LINK,
        "distribution": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {"binary": _ARCHIVES, "npx": _PACKAGE, "uvx": _PACKAGE},
        },
    },
}
CAPABILITIES: JsonObject = {  # what its check of a handshake says that it can
    "terminal": True,
    "fs": {"readTextFile": True, "writeTextFile": True},
    "_meta": {"terminal_output": True, "terminal-auth": True},
}
_PAINTS = {"currentcolor", "none", "inherit"}
_STYLES = ("style", "class", "href")
_DRAWN = frozenset({"svg", "g", "path", "circle", "line", "polyline", "polygon", "rect", "ellipse", "title"})


def icon_problems(text: str) -> Iterator[str]:
    """What is wrong with an icon: it is 16x16, of one colour that the client chooses, and draws and nothing else."""
    if "<!" in text or "<?" in text:
        yield "it has a comment, a declaration or an instruction"
        return
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        yield f"it is no XML: {error}"
        return
    if _name(root) != "svg":
        yield f"its root is {_name(root)}"
    if (root.get("width"), root.get("height"), root.get("viewBox")) != ("16", "16", "0 0 16 16"):
        yield "it is not 16x16"
    elements = list(root.iter())
    yield from (f"{_name(element)} is no drawing" for element in elements if _name(element) not in _DRAWN)
    attributes = [pair for element in elements for pair in element.attrib.items()]
    yield from (f"{key} is not for an icon" for key, _ in attributes if key in _STYLES or key.startswith(("on", "{")))
    paints = {value.lower() for key, value in attributes if key in ("fill", "stroke")}
    yield from (f"{paint} is a colour of its own" for paint in sorted(paints - _PAINTS))
    if "currentcolor" not in paints:
        yield "it does not take the client's colour"


def version_problems(entry: Json, version: str) -> Iterator[str]:
    """Where an entry names another version than this one."""
    if get(entry, "version") != version:
        yield f"the entry is of {get(entry, 'version')}"
    for kind in ("npx", "uvx"):
        package = get(entry, "distribution", kind, "package")
        if isinstance(package, str) and re.split("[@=]+", package)[-1] != version:
            yield f"{kind} installs {package}"


def auth_types(methods: list[Json]) -> list[Json]:
    """The types of authentication methods; one without is the agent's own."""
    return [get(method, "type") or "agent" for method in methods]


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
