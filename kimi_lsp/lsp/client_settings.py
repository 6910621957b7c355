"""The `kimi.*` settings of an editor, read so that a mistake costs one line in the log and nothing else.

Endpoint, key, model, budget and consent are not among them: an editor's settings may come from the repository that is
open, and a repository must not say where its code goes or what may be spent. Those are the user's own configuration.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, cast, get_args, get_origin

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import FieldInfo

from mcp_tools.finding import Confidence, Finding
from mcp_tools.output.escape import printable

SECTION = "kimi"
_CONFIDENCES = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)
_MAX_COMPLAINTS = 10
_MAX_QUOTED = 40
# The extension's own settings lie in the same section and are none of the server's business.
_EXTENSIONS = frozenset("args env importStrategy interpreter logLevel path trace".split())
# Near enough to what only the user's own configuration may say, to be told so.
_USERS = frozenset(
    "allowhttp apikey baseurl budget budgetusd consent dialect dailyusd endpoint headers key limits maxtokens "
    "mcpreview mcpservers model profile runusd statedir thinking token tools trustenv url weeklyusd".split()
)


class ClientSettings(Struct, frozen=True, rename="camel", kw_only=True):
    """What an editor may choose. Total: every setting has a value."""

    enable: Annotated[bool, Meta(description="`false`: the server stays silent.")] = True
    trigger: Annotated[
        Literal["off", "onSave", "onIdle"],
        Meta(description="When the model reads without being asked to: never, after a save, or after a pause."),
    ] = "off"
    idle_ms: Annotated[
        int, Meta(ge=500, le=600_000, description="Milliseconds without an edit that make the pause of `onIdle`.")
    ] = 3_000
    debounce_ms: Annotated[
        int, Meta(ge=0, le=5_000, description="Milliseconds without an edit before the tools look again.")
    ] = 150
    stale: Annotated[
        Literal["hide", "mark"],
        Meta(description="A model's finding whose text was edited: withdrawn, or kept as a hint that says `(stale)`."),
    ] = "hide"
    min_confidence: Annotated[
        Literal["low", "medium", "high"], Meta(description="Findings below it are not shown.")
    ] = "low"
    max_diagnostics: Annotated[int, Meta(ge=1, le=10_000, description="Findings shown in one file, at the most.")] = 200
    depth: Annotated[
        Literal["local", "screen", "dual"] | None,
        Meta(description="How far an audit goes; `null`: as your configuration says."),
    ] = None
    lanes: Annotated[
        tuple[Literal["security", "dependencies", "docs", "style", "health"], ...] | None,
        Meta(
            description="The topics of an audit, `security` and `dependencies` always among them; `null`: as your "
            "configuration says."
        ),
    ] = None
    code_lens: Annotated[bool, Meta(description="A line above each finding of the model, with what can be done.")] = (
        False
    )
    inlay_hints: Annotated[bool, Meta(description="The rule's name at the end of a line with a finding.")] = False
    show_notices: Annotated[
        Literal["off", "onError"],
        Meta(description="One message box when an audit that you started cannot go on, or none: the log has it too."),
    ] = "onError"
    trusted: Annotated[
        bool | None,
        Meta(
            description="`false`: nothing leaves the machine. An extension says it at the start; `null`: "
            "the editor knows no trust, and your consent decides alone."
        ),
    ] = None

    def shows(self, finding: Finding) -> bool:
        """Say whether a finding is sure enough to be shown."""
        floor = Confidence(self.min_confidence)
        return _CONFIDENCES.index(finding.confidence) >= _CONFIDENCES.index(floor)


class Origin(StrEnum):
    """Which message the settings came with. It tells their wrapping, and how far `trusted` is to be believed."""

    START = "initializationOptions"
    SECTION = "workspace/configuration"
    CHANGE = "workspace/didChangeConfiguration"


@dataclass(frozen=True, slots=True)
class Reading:
    """Settings, and a line for the log about each thing that was not taken."""

    settings: ClientSettings
    complaints: tuple[str, ...] = ()


def read_settings(written: bytes | Raw, base: ClientSettings, origin: Origin) -> Reading:
    """Lay what a client wrote over a base: what it does not mention, or sets to null, stays. Never raises.

    Args:
        written: JSON: the section, or an object that holds it as `kimi`, as `settings.kimi`, or in keys `kimi.…`.
        base: the defaults for `initializationOptions`; for the other two what `initializationOptions` came to, not an
            older configuration: a setting that was taken back must not live on.
        origin: the message it came with. A workspace's settings may withdraw trust, not restore it.
    """
    try:
        value: object = msgspec.json.decode(written)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Reading(base, (f"{origin.value}: no JSON",))
    if value is None:
        return Reading(base)
    if not isinstance(value, dict):
        return Reading(base, (f"{origin.value}: expected an object, got {_quoted(value)}",))
    section, complaint = _section(cast("dict[str, object]", value), origin)
    known = {field.encode_name: field for field in msgspec.structs.fields(ClientSettings)}
    changes: dict[str, object] = {}
    complaints = [complaint] if complaint else []
    for key, wish in section.items():
        field = known.get(key)
        if field is None:
            complaints += _unknown(key, known)
        elif wish is not None:
            try:
                changes[field.name] = msgspec.convert(wish, field.type)
            except msgspec.ValidationError:
                complaints.append(f"{SECTION}.{key}: expected {_expected(field)}, got {_quoted(wish)}")
    if changes.get("trusted") is True and base.trusted is False and origin is not Origin.START:
        del changes["trusted"]
        complaints.append(f"{SECTION}.trusted: only the editor itself can say that a workspace is trusted")
    more = len(complaints) - _MAX_COMPLAINTS
    shown = (*complaints[:_MAX_COMPLAINTS], *((f"{SECTION}: {more} more mistakes",) if more > 0 else ()))
    return Reading(msgspec.structs.replace(base, **changes), shown)


def _section(value: dict[str, object], origin: Origin) -> tuple[Mapping[str, object], str]:
    """The section within what a client sent, and what is wrong with it."""
    prefix = f"{SECTION}."
    if SECTION in value:
        own = value[SECTION]
        if isinstance(own, dict):
            return cast("dict[str, object]", own), ""
        return {}, "" if own is None else f"{SECTION}: expected an object, got {_quoted(own)}"
    dotted = {key.removeprefix(prefix): wish for key, wish in value.items() if key.startswith(prefix)}
    if dotted:
        return dotted, ""
    if origin is not Origin.SECTION and isinstance(inner := value.get("settings"), dict):
        return _section(cast("dict[str, object]", inner), origin)
    if origin is Origin.CHANGE and not value.keys() & {
        one.encode_name for one in msgspec.structs.fields(ClientSettings)
    }:
        return {}, ""  # other servers' settings
    return value, ""


def _unknown(key: str, known: Mapping[str, FieldInfo]) -> Iterator[str]:
    from difflib import get_close_matches  # noqa: PLC0415  a mistake is rare, the import is not free

    if key in _EXTENSIONS:
        return
    name = f"{SECTION}.{printable(key[:_MAX_QUOTED])}"
    if re.sub(r"[^a-z]", "", key.lower()) in _USERS:
        yield f"{name}: only your own configuration (config.toml) may set this"
        return
    folded = {one.lower(): one for one in known}
    near = get_close_matches(key[:_MAX_QUOTED].lower(), folded, n=1)
    yield f"{name}: unknown setting{f'. Did you mean {SECTION}.{folded[near[0]]}?' if near else ''}"


def _quoted(value: object) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str() if len(value) > _MAX_QUOTED:
            return f'"{printable(value[:_MAX_QUOTED])}…"'
        case str():
            return f'"{printable(value)}"'
        case _:
            return json.dumps(value)[:_MAX_QUOTED]


def _expected(field: FieldInfo) -> str:
    """What a setting takes, in words; `null` is not said, every setting takes it."""
    kind, meta = _about(field)
    return _words(kind, meta)


def _about(field: FieldInfo) -> tuple[object, Meta]:
    kind, meta = get_args(field.type)
    assert isinstance(meta, Meta)
    return kind, meta


def _words(kind: object, meta: Meta) -> str:
    if kind is bool:
        return "true or false"
    if kind is int:
        return f"a whole number from {meta.ge} to {meta.le}"
    within = get_args(kind)
    if get_origin(kind) is Literal:
        *first, last = (f'"{value}"' for value in within)
        return f"{', '.join(first)} or {last}"
    if get_origin(kind) is tuple:
        return f"a list of {_words(within[0], meta)}"
    return _words(within[0], meta)  # or None


def settings_table() -> str:
    """A Markdown table for docs/lsp.md: setting, values, default, meaning."""
    rows = ["| setting | values | default | meaning |", "|---|---|---|---|"]
    for field in msgspec.structs.fields(ClientSettings):
        meaning = _about(field)[1].description
        values = re.sub(r'"(\w+)"', r"`\1`", _expected(field))
        rows.append(f"| `{SECTION}.{field.encode_name}` | {values} | `{json.dumps(field.default)}` | {meaning} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(settings_table(), end="")
