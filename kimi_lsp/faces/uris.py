"""Names of documents to paths of files and back. Only `file:` URIs are files; all others are names and nothing more.

The forms are those of RFC 8089 and of VS Code, which writes `file:///c%3A/x` for a drive. A URI that a client gave is
never rewritten: as the name of its document it stays as it came.
"""

import os
import re
from pathlib import Path, PurePath, PureWindowsPath
from urllib.parse import unquote_to_bytes

from mcp_tools.output.escape import safe_uri

_FILE = re.compile(r"file:(?://([^/?#\\]*)|(?!//))(/[^?#]*)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.$-]*)")
_DRIVE = re.compile(r"/([A-Za-z]:)(/.*)?", re.DOTALL)
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"|?*]')  # of Windows; a colon would name another stream of the file


def path_of(uri: str) -> Path | None:
    """The absolute path of a file that a URI names, for the system that this runs on. Reads nothing, never raises.

    Returns:
        None for another scheme, a query or fragment, another machine (but for a UNC share on Windows), a relative
        path, one with a `..` or NUL in it, and what is no URI. Bytes that are not UTF-8 are kept as lone surrogates.
    """
    local = local_path(uri, is_windows=os.name == "nt")
    return None if local is None else Path(local)


def local_path(uri: str, *, is_windows: bool) -> str | None:
    """As `path_of`, for a system of choice."""
    match = _FILE.fullmatch(uri)
    if match is None or _CONTROL.search(uri):
        return None
    host = (match[1] or "").lower()
    host = "" if host == "localhost" else host
    try:
        raw = unquote_to_bytes(match[2])
    except UnicodeEncodeError:  # half a surrogate stands for no byte
        return None
    return _windows(host, raw) if is_windows else _posix(host, raw)


def _posix(host: str, raw: bytes) -> str | None:
    if host or b"\0" in raw or b".." in raw.split(b"/"):
        return None
    return os.fsdecode(b"/" + raw.lstrip(b"/"))


def _windows(host: str, raw: bytes) -> str | None:
    try:
        text = raw.decode().replace("\\", "/")
    except UnicodeDecodeError:
        return None
    if not host and text.startswith("//"):  # `file:////server/share`
        host, _, rest = text.lstrip("/").partition("/")
        text = f"/{rest}"
    drive = _DRIVE.fullmatch(text)
    if host:
        start, names = f"//{host}", text
        if not _HOST.fullmatch(host) or not text.strip("/"):
            return None
    elif drive is not None:
        start, names = drive[1], drive[2] or "/"
    else:
        return None
    if ".." in names.split("/") or _NOT_IN_NAMES.search(names):
        return None
    return f"{start}{names}".replace("/", "\\")


def uri_of(path: PurePath) -> str:
    """The URI of an absolute path, in VS Code's spelling. Raises ValueError for a relative one."""
    if not path.is_absolute():
        raise ValueError("only an absolute path has a URI")
    if not isinstance(path, PureWindowsPath):
        return f"file://{safe_uri(str(path))}"
    names = path.as_posix()
    if names.startswith("//"):
        return f"file:{safe_uri(names)}"
    return f"file:///{safe_uri(names[0].lower() + names[1:])}"
