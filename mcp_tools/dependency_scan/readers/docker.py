"""Dockerfile: the images of FROM and COPY --from."""

import re
from collections.abc import Iterator

from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Scope
from mcp_tools.project import Source

_ARG = re.compile(r"\s*ARG\s+([A-Za-z_]\w*)(?:=(\S+|\"[^\"]*\"))?", re.IGNORECASE)
_FROM = re.compile(r"\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*(?:#.*)?\Z", re.IGNORECASE)
_COPY = re.compile(r"\s*(?:COPY|ADD)\s.*?--from=(\S+)", re.IGNORECASE)
_MOUNT = re.compile(r"--mount=[^\s]{0,500}?\bfrom=([^\s,]+)")
_HERE = re.compile(r"<<-?[\"']?([A-Za-z_]\w*)[\"']?")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})")
_IMAGE = re.compile(r"(?P<name>[^\s:@$]+(?::\d+/[^\s:@$]+)?)(?::(?P<tag>[^\s@$]+))?(?:@(?P<digest>\w+:[0-9a-fA-F]+))?")


def read_dockerfile(source: Source, opener: Opener) -> FileRead:
    """Read the images a Dockerfile builds on. `requirement` is the tag; one without a digest has no integrity."""
    del opener
    gather = Gather(source, "dockerfile", Kind.MANIFEST)
    arguments: dict[str, str] = {}
    stages = {"scratch"}
    count = 0
    for base, line, is_first in _lines(source):
        argument = _ARG.match(line) if is_first and count == 0 else None
        if argument is not None:
            arguments[argument[1]] = (argument[2] or "").strip("\"'")
            continue
        image = _FROM.match(line) if is_first else None
        copied = _COPY.match(line) if is_first and image is None else None
        first = image or copied
        for found in [first] if first is not None else _MOUNT.finditer(line):
            name = _filled(found[1], arguments)
            is_stage = name.lower() in stages or (image is None and name.isdigit())
            if not is_stage:
                _add(gather, name, (base + found.start(1), base + found.end(1)))
        if image is not None:
            count += 1
            stages.add((image[2] or "").lower())
    return gather.done()


def _lines(source: Source) -> Iterator[tuple[int, str, bool]]:
    """The lines of instructions: offset, text, and whether it is an instruction's first. No here-documents."""
    is_continued, ends = False, list[str]()
    for number, line in source.lines():
        text = line.strip()
        if ends:
            if text == ends[0]:
                del ends[0]
        elif text and not text.startswith("#"):
            ends = [found[1] for found in _HERE.finditer(line)]
            yield source.offset(number, 0), line, not is_continued
            is_continued = text.endswith(("\\", "`"))


def add_image(gather: Gather, text: str, place: tuple[int, int], scope: Scope) -> bool:
    """Add a container image; False when the text is none."""
    found = _IMAGE.fullmatch(text)
    if found is None:
        return False
    tag, digest = found["tag"], found["digest"]
    raw = gather.source.text[place[0] : place[1]]
    if tag and raw == text:
        place = (place[0] + found.start("tag"), place[0] + found.end("tag"))
    gather.add(
        Dependency(
            Ecosystem.DOCKER,
            found["name"],
            gather.region(place),
            version=digest,
            requirement=tag,
            is_direct=True,
            scope=scope,
            has_integrity=digest is not None,
        )
    )
    return True


def _add(gather: Gather, text: str, place: tuple[int, int]) -> None:
    if not add_image(gather, text, place, Scope.RUNTIME):
        gather.bad(f"the image {text[:80]!r} depends on what the build is given", place)


def _filled(text: str, arguments: dict[str, str]) -> str:
    """An image with the defaults of its build arguments; one without a default stays as written."""
    return _VARIABLE.sub(lambda found: arguments.get(found[1] or found[2]) or found[3] or found[0], text)[:1000]
