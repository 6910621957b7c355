"""What a prompt asks for: a slash command or a question, and what came along with it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kimi_lsp.acp.protocol import BlockIn, Command, CommandInput, ResourceIn
from kimi_lsp.audit.lanes import LANES
from kimi_lsp.errors import UsageError
from kimi_lsp.faces.uris import path_of
from mcp_tools.finding import Lane

_WORDS = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|(\S+))""")
_COMMAND = re.compile(r"\s*/([A-Za-z][\w-]*)(?=\s|$)(.*)", re.DOTALL)
_FRAGMENT = re.compile(r"[?#].*\Z", re.DOTALL)
_MAX_TEXT = 200_000  # characters of a prompt's own text
_MAX_BLOCKS = 200

_PATHS = CommandInput("paths, folders or globs; everything in scope when empty")


@dataclass(frozen=True, slots=True)
class Spec:
    """A command. `lane`: it audits that lane alone, and exists when the lane does."""

    name: str
    description: str
    input: CommandInput | None = None
    lane: Lane | None = None


SPECS = (
    Spec("audit", "Audit files on every lane", _PATHS),
    Spec("changes", "Audit what differs from a commit", CommandInput("a revision; HEAD when empty")),
    Spec("deps", "Audit the dependencies", _PATHS, Lane.DEPENDENCIES),
    Spec("drift", "Compare the documentation with the code", _PATHS, Lane.DOCS),
    Spec("style", "Audit the style", _PATHS, Lane.STYLE),
    Spec("security", "Audit the security surface", _PATHS, Lane.SECURITY),
    Spec("health", "Show what the project is made of"),
    Spec("explain", "Explain a finding: why, how sure, what it rests on", CommandInput("a finding's id")),
    Spec("report", "Show the last audit's findings, all of them"),
    Spec("budget", "Show what was spent and what may be"),
)
_BY_NAME = {spec.name: spec for spec in SPECS}


@dataclass(frozen=True, slots=True)
class Link:
    """A file that was mentioned, or something else by its name. `path` is absolute; None for what is no local file."""

    name: str
    path: Path | None


@dataclass(frozen=True, slots=True)
class Attached:
    """A text that was attached. `path` is absolute where it is said to be a local file's."""

    name: str
    text: str
    path: Path | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt. `command` is None for a question."""

    text: str  # all that the person wrote
    command: Spec | None = None
    words: tuple[str, ...] = ()  # what follows a command
    links: tuple[Link, ...] = ()
    attached: tuple[Attached, ...] = ()
    unread: tuple[str, ...] = ()  # names of what was attached and is no text


def available() -> tuple[Command, ...]:
    """The commands whose lane exists."""
    return tuple(Command(spec.name, spec.description, spec.input) for spec in SPECS if spec.lane in {None, *LANES})


@dataclass(slots=True)
class _Taken:
    """What the blocks of a prompt have brought so far."""

    texts: list[str] = field(default_factory=list[str])
    links: list[Link] = field(default_factory=list[Link])
    attached: list[Attached] = field(default_factory=list[Attached])
    unread: list[str] = field(default_factory=list[str])

    def take(self, block: BlockIn) -> bool:
        """Take a block; False when it is none that a prompt may have."""
        if block.type == "text" and block.text is not None:
            self.texts.append(block.text)
        elif block.type == "resource_link" and block.name is not None and block.uri is not None:
            self.links.append(Link(block.name, _path(block.uri)))
        elif block.type == "resource" and block.resource is not None:
            self._attach(block.resource)
        else:
            return False
        return True

    def _attach(self, resource: ResourceIn) -> None:
        path = _path(resource.uri)
        name = path.name if path is not None else resource.uri
        if resource.text is None:
            self.unread.append(name)
        else:
            self.attached.append(Attached(name, resource.text, path))


def read_prompt(blocks: Sequence[BlockIn]) -> Asked:
    """Read a prompt.

    Raises:
        UsageError: it is empty or too long, or has a block that was not offered or is none. The text quotes nothing.
    """
    if not blocks:
        raise UsageError("the prompt is empty")
    if len(blocks) > _MAX_BLOCKS:
        raise UsageError(f"the prompt has more than {_MAX_BLOCKS} blocks")
    taken = _Taken()
    for number, block in enumerate(blocks):
        if not taken.take(block):
            wrong = f"{block.type} blocks are not taken" if block.type in ("image", "audio") else "no block of a prompt"
            raise UsageError(f"prompt[{number}]: {wrong}")
    text = "\n".join(taken.texts)
    if len(text) > _MAX_TEXT:
        raise UsageError(f"the prompt has more than {_MAX_TEXT:,} characters")
    if not text.strip() and not (taken.links or taken.attached):
        raise UsageError("the prompt is empty")
    match = _COMMAND.fullmatch(text)
    spec = _BY_NAME.get(match[1].lower()) if match else None
    words = _split(match[2]) if match and spec else ()
    return Asked(text, spec, words, tuple(taken.links), tuple(taken.attached), tuple(taken.unread))


def _split(text: str) -> tuple[str, ...]:
    """Words, as a person types paths: quotes keep spaces together, a backslash is a letter."""
    return tuple(next(filter(None, match.groups()), "") for match in _WORDS.finditer(text))


def _path(uri: str) -> Path | None:
    """The local file that a link means; a selection in its fragment is left to the reader."""
    return path_of(_FRAGMENT.sub("", uri))
