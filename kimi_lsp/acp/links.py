"""Links that open a file at a place. Pure.

Lines and columns are 1-based. `#L10`, `#L10:20` and `#L10-L20` are what Zed reads (its `mention.rs`); a client that
does not know them opens the file.
"""

from pathlib import Path, PurePath, PurePosixPath

from kimi_lsp.faces.markup import MARKDOWN
from kimi_lsp.faces.uris import uri_of
from mcp_tools.finding import Location, Region
from mcp_tools.output import printable


def place_link(root: Path, location: Location) -> str:
    """A place as Markdown: the text alone where the path leads out of the root or cannot be said as a URI."""
    region = location.region
    name = printable(location.path)
    text = name if region is None else f"{name}:{region.start_line + 1}"
    path = place_path(root, location.path)
    return MARKDOWN.link(text, None if path is None else place_uri(path, region))


def place_path(root: Path, path: str) -> Path | None:
    """Where a file of a project is; None for what leads out of it."""
    relative = PurePosixPath(path)
    return None if relative.is_absolute() or ".." in relative.parts else root / path


def place_uri(path: PurePath, region: Region | None) -> str | None:
    """Where a place is; None where a path cannot be said."""
    try:
        uri = uri_of(path)
    except ValueError:
        return None
    return uri if region is None else f"{uri}#{_fragment(region)}"


def _fragment(region: Region) -> str:
    first, last = region.start_line + 1, region.end_line + 1
    if region.end_line > region.start_line and region.end_column == 0:
        last -= 1  # it ends before that line
    return f"L{first}-L{last}" if last > first else f"L{first}:{region.start_column + 1}"
