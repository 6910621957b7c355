"""What holds: the resolved, total configuration. Frozen values; nothing here reads a file or the environment."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

from kimi_lsp.config.secret import Secret
from mcp_tools.finding import Lane, Level, Rule


class Depth(StrEnum):
    """How far an audit goes: no model; the screen pass; the screen pass and a second opinion on what it flagged."""

    LOCAL = "local"
    SCREEN = "screen"
    DUAL = "dual"

    @property
    def rank(self) -> int:
        """0 for `local`, 2 for `dual`: a lower rank sends less."""
        return list(Depth).index(self)


class Thinking(StrEnum):
    """How hard the model thinks before it answers; `auto` leaves it to the model's profile."""

    AUTO = "auto"
    OFF = "off"
    LOW = "low"
    HIGH = "high"
    MAX = "max"


class FailOn(StrEnum):
    """The level from which findings make the exit code 1."""

    NEVER = "never"
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for `never`, 3 for `note`: a higher rank is stricter."""
        return list(FailOn).index(self)

    def is_reached(self, level: Level) -> bool:
        """Say whether a finding of this level fails the run."""
        return self is not FailOn.NEVER and level.reaches(Level(self.value))


RuleLevel = Literal["off"] | Level
"""What a configuration says of a rule: off, or the level its findings get."""

SAFETY_LANES = frozenset({Lane.SECURITY, Lane.DEPENDENCIES})
"""Lanes that a project cannot leave out, and whose rules it cannot turn off: it would hide itself from its auditor."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Levels by rule id: the user's own, and what the project's file adds."""

    yours: Mapping[str, RuleLevel] = field(default_factory=lambda: MappingProxyType({}))
    projects: Mapping[str, RuleLevel] = field(default_factory=lambda: MappingProxyType({}))

    def level_of(self, rule: Rule) -> Level | None:
        """The level that holds for a rule, None when it is off.

        The user's word goes first. A project may raise a level, and may turn a rule off outside the safety lanes.
        """
        level = self.yours.get(rule.id, rule.level)
        if level == "off":
            return None
        asked = self.projects.get(rule.id, level)
        if asked == "off":
            return level if rule.lane in SAFETY_LANES else None
        return max(level, asked, key=lambda one: one.rank)


@dataclass(frozen=True, slots=True)
class Consent:
    """The projects whose text may go to a remote endpoint without asking."""

    always: bool = False
    roots: tuple[Path, ...] = ()

    def covers(self, root: Path) -> bool:
        """Say whether a project may be sent: its resolved root is one of the folders, or lies in one."""
        return self.always or any(root.is_relative_to(folder.resolve()) for folder in self.roots)


@dataclass(frozen=True, slots=True)
class Budget:
    """Ceilings, those of a day and a week over all runs; None is no ceiling."""

    run_usd: Decimal = Decimal("1.00")
    run_tokens: int | None = None
    daily_usd: Decimal = Decimal("5.00")
    daily_tokens: int | None = None
    weekly_usd: Decimal = Decimal("20.00")
    weekly_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes, counts and deadlines."""

    concurrency: int = 4
    max_file_bytes: int = 1_000_000
    max_files: int = 100_000
    unit_chars: int = 60_000
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 120.0
    call_timeout_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Style:
    """What the style lane checks beyond its own rules.

    `files` lie in the project and `project_sentences` come from its `kimi.toml`: both are text of the audited project,
    to be quoted to a model as data, never as instructions.
    """

    sentences: tuple[str, ...] = ()
    project_sentences: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class McpServer:
    """A third party's MCP server whose read-only tools the model may use: a program to start, or a URL.

    A program gets these variables beside a handful that any program needs, and a URL these headers. `tools` narrows
    down what is offered, None is whatever says that it only reads. `timeout_s` is for its start and for each call.
    """

    command: tuple[str, ...] = ()  # the program, absolute or to be found on PATH, and its arguments
    url: str | None = None
    env: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))
    tools: tuple[str, ...] | None = None
    timeout_s: float = 25.0
    enabled: bool = True

    def __post_init__(self) -> None:
        """Reject what is neither or both."""
        if bool(self.command) == bool(self.url):
            raise ValueError("an MCP server has a command or a url")

    @property
    def has_secrets(self) -> bool:
        """True when variables or headers are given."""
        return bool(self.env or self.headers)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, resolved. `docs/configuration.md` describes each field under the same name."""

    state_dir: Path
    base_url: str = "https://api.moonshot.ai/v1"
    model: str = "kimi-k2.6"
    api_key: Secret | None = None
    dialect: str | None = None
    thinking: Thinking = Thinking.AUTO
    depth: Depth = Depth.LOCAL
    lanes: tuple[Lane, ...] = tuple(Lane)
    fail_on: FailOn = FailOn.WARNING
    exclude: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    consent: Consent = field(default_factory=Consent)
    trust_env: bool = True
    allow_http: bool = False
    budget: Budget = field(default_factory=Budget)
    limits: Limits = field(default_factory=Limits)
    style: Style = field(default_factory=Style)
    tools: bool = False
    mcp_review: bool = False
    ask_above_usd: Decimal = Decimal("0.50")
    client_mcp_servers: bool = False
    mcp_servers: Mapping[str, McpServer] = field(default_factory=lambda: MappingProxyType({}))
    rules: Rules = field(default_factory=Rules)
    headers: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))
    profile: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def endpoint_host(self) -> str:
        """The host that text would be sent to, with its port where one is named."""
        return urlsplit(self.base_url).netloc

    @property
    def is_loopback(self) -> bool:
        """True when the endpoint is this machine: nothing leaves it, and no proxy is asked."""
        return is_loopback(self.base_url)


def is_loopback(url: str) -> bool:
    """Say whether a URL's host is this machine, by its name or address alone."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
