"""The words of the dependency scan: Ecosystem, Dependency, Provenance, FileRead. Pure values; no I/O."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from mcp_tools.finding import Notice, Region

_SEPARATORS = re.compile(r"[-_.]+")
_USER_INFO = re.compile(r"(?<=://)[^/?#\s]*@")
_AFTER_PATH = re.compile(r"[?#].*", re.DOTALL)


class Ecosystem(StrEnum):
    """Where a name is looked up. The values are the OSV schema's own words, but for the last two, which it lacks."""

    PYPI = "PyPI"
    NPM = "npm"
    CRATES = "crates.io"
    GO = "Go"
    MAVEN = "Maven"
    RUBYGEMS = "RubyGems"
    PACKAGIST = "Packagist"
    NUGET = "NuGet"
    PUB = "Pub"
    HEX = "Hex"
    ACTIONS = "GitHub Actions"
    CONDA = "Conda"
    DOCKER = "Docker"

    @property
    def is_osv(self) -> bool:
        """Say whether OSV advisories can name packages of this ecosystem."""
        return self not in (Ecosystem.CONDA, Ecosystem.DOCKER)


@lru_cache(maxsize=65_536)
def normalised_name(ecosystem: Ecosystem, name: str) -> str:
    """The spelling under which two names of one package are equal.

    PyPI folds case and runs of `-`, `_` and `.` (PEP 503); NuGet, Packagist, Actions and Conda fold case; crates.io
    takes `-` for `_` when it looks for a name but publishes one spelling, so that its names, like those of npm, Go,
    Maven, RubyGems, Pub and Hex, stand as they are.
    """
    if ecosystem is Ecosystem.PYPI:
        return _SEPARATORS.sub("-", name).lower()
    if ecosystem in (Ecosystem.NUGET, Ecosystem.PACKAGIST, Ecosystem.ACTIONS, Ecosystem.CONDA):
        return name.lower()
    return name


def bare_url(url: str) -> str:
    """A URL without credentials, query and fragment: what may be shown."""
    return _AFTER_PATH.sub("", _USER_INFO.sub("", url.strip()))


def without_credentials(text: str) -> str:
    """A text whose URLs have lost their user and password."""
    return _USER_INFO.sub("", text) if "://" in text else text


class SourceKind(StrEnum):
    """Where a package comes from."""

    REGISTRY = "registry"
    GIT = "git"
    URL = "url"
    PATH = "path"
    WORKSPACE = "workspace"  # a member of the project itself
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a package comes from: the kind, the URL or path without credentials, and the commit or tag of a git one."""

    kind: SourceKind = SourceKind.REGISTRY
    url: str | None = None
    revision: str | None = None


REGISTRY = Provenance()


class Scope(StrEnum):
    """What a dependency is for, as far as the file says."""

    RUNTIME = "runtime"
    DEV = "dev"
    OPTIONAL = "optional"
    BUILD = "build"
    TEST = "test"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """A manifest says what is wanted, a lockfile what was chosen."""

    MANIFEST = "manifest"
    LOCKFILE = "lockfile"


@dataclass(frozen=True, slots=True)
class Dependency:
    """One package that a file names.

    `name` is the package's own name as written, `alias` the name it is used under where that differs. `version` is
    exact (Go's without its `v`, as in OSV) or None; `requirement` is the range as written. No URL in them has
    credentials. `region` is the place of the version, else of the name. `parents` are the names of the packages in the
    same lockfile that ask for it; the project itself is not one of them, unless the lockfile lists it. `has_integrity`
    is None where the format has no hashes; `is_direct` None where it cannot be known.
    """

    ecosystem: Ecosystem
    name: str
    region: Region
    version: str | None = None
    requirement: str | None = None
    provenance: Provenance = REGISTRY
    is_direct: bool | None = None
    scope: Scope = Scope.UNKNOWN
    parents: tuple[str, ...] = ()
    has_integrity: bool | None = None
    license: str | None = None
    deprecated: str | None = None
    yanked: str | None = None
    marker: str | None = None
    extras: tuple[str, ...] = ()
    alias: str | None = None
    group: str | None = None  # the extra, dependency group or importer that asks for it, where the file names one
    has_install_script: bool = False
    normalised: str = field(init=False)

    def __post_init__(self) -> None:
        """Fold the name; drop credentials."""
        for key in ("name", "alias", "requirement"):
            text: str | None = getattr(self, key)
            if text is not None and "://" in text:
                object.__setattr__(self, key, without_credentials(text))
        object.__setattr__(self, "normalised", normalised_name(self.ecosystem, self.name))


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a lockfile remembers of its manifest: the name and the range it was resolved for. For drift."""

    name: str
    requirement: str | None
    region: Region
    scope: Scope = Scope.UNKNOWN
    group: str | None = None

    def __post_init__(self) -> None:
        """Drop credentials."""
        if self.requirement is not None:
            object.__setattr__(self, "requirement", without_credentials(self.requirement))


@dataclass(frozen=True, slots=True)
class Index:
    """A package index that a file names, without credentials. `is_extra`: asked beside another one."""

    url: str
    region: Region
    is_extra: bool = False
    name: str | None = None


@dataclass(frozen=True, slots=True)
class FileRead:
    """What one manifest or lockfile says, and what of it was not understood.

    `format` is such as `npm-lock`. `project` is the name the file gives the project. `included` are the files that
    this one pulls in (`-r`, `-c`), each once, in the order of reading. `content_hash` is the lockfile's own hash of
    its manifest.
    """

    path: str
    format: str
    kind: Kind
    dependencies: tuple[Dependency, ...] = ()
    notices: tuple[Notice, ...] = ()
    project: str | None = None
    license: str | None = None  # of the project itself, as the manifest says it
    recorded: tuple[Recorded, ...] = ()
    indexes: tuple[Index, ...] = ()
    included: tuple["FileRead", ...] = ()
    content_hash: str | None = None
