"""What stands to the right of an npm package's name: a range, an alias, a URL, a path, a workspace."""

import re
from dataclasses import dataclass

from mcp_tools.dependency_scan.values import REGISTRY, Provenance, SourceKind, bare_url

EXACT = re.compile(r"[=v\s]*(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)\s*")
_GIT = re.compile(
    r"git(?:\+[a-z]+)?:|git@|ssh:|(?:github|gitlab|bitbucket|gist):|[\w.-]+/[\w.-]+(?:#.*)?\Z"
    r"|https?://[^#]*\.git(?:#.*)?\Z",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?:file|link|portal|exec|patch):|\.{1,2}(?:/|\Z)|/|~/")
_REVISION = re.compile(r"#(?:semver:|commit[:=])?([^#]*)\Z")


@dataclass(frozen=True, slots=True)
class Spec:
    """A specifier taken apart. `name` is the real package where an alias hides it."""

    name: str | None = None
    requirement: str | None = None
    version: str | None = None
    provenance: Provenance = REGISTRY


def read_spec(text: str) -> Spec:
    """Take a specifier apart: `^1.2`, `npm:other@1.2.3`, `workspace:*`, `github:a/b#c`, `file:../x`, a URL."""
    text = text.strip()
    if text.startswith("npm:"):
        name, requirement = split_name(text[4:])
        return Spec(name or None, requirement or None, exact(requirement))
    if text.startswith("workspace:"):
        return Spec(None, text, None, Provenance(SourceKind.WORKSPACE))
    if text.startswith("catalog:"):
        return Spec(None, text)
    if text.startswith(("jsr:",)):
        return Spec(None, text, None, Provenance(SourceKind.UNKNOWN, text))
    found = provenance(text)
    if found is not None:
        shown = text if found.kind is SourceKind.PATH else bare_url(text)
        return Spec(None, f"{shown}#{found.revision}" if found.revision is not None else shown, None, found)
    return Spec(None, text or None, exact(text))


def provenance(text: str) -> Provenance | None:
    """Where a specifier that is no range points; None for a range."""
    if _PATH.match(text):
        return Provenance(SourceKind.PATH, text)
    if _GIT.match(text):
        revision = _REVISION.search(text)
        return Provenance(SourceKind.GIT, bare_url(text), (revision[1] or None) if revision is not None else None)
    if re.match(r"https?://", text):
        return Provenance(SourceKind.URL, bare_url(text))
    return None


def exact(text: str) -> str | None:
    """The version when a range allows only one."""
    found = EXACT.fullmatch(text)
    return found[1] if found is not None else None


def split_name(text: str) -> tuple[str, str]:
    """`@scope/name@range` as the name and the range, which may be empty."""
    at = text.find("@", 1)
    return (text, "") if at < 0 else (text[:at], text[at + 1 :])


def resolved(url: str | None) -> Provenance:
    """What a lockfile's `resolved` says: a registry tarball, a git commit or a file."""
    if url is None:
        return REGISTRY
    if url.startswith("git"):
        return provenance(url) or REGISTRY
    if url.startswith("file:"):
        return Provenance(SourceKind.PATH, url)
    if "codeload." in url or "/archive/" in url or "/tarball/" in url:
        return Provenance(SourceKind.URL, bare_url(url))
    return Provenance(SourceKind.REGISTRY, bare_url(url))
