"""environment.yml of conda and mamba, with its pip section."""

import re
from dataclasses import replace

from mcp_tools.dependency_scan.readers.gather import Gather, Opener, beside
from mcp_tools.dependency_scan.readers.pep508 import Asked, add_requirement
from mcp_tools.dependency_scan.readers.requirements import read_requirements
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.readers.yaml_tree import parse_yaml
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Provenance, Scope, SourceKind
from mcp_tools.project import Source

_SPEC = re.compile(
    r"(?:(?P<channel>[^\s:]+)::)?(?P<name>[A-Za-z0-9_][A-Za-z0-9._-]*)\s*(?P<rest>(?:[=<>!~\s\[].*)?)", re.DOTALL
)
_PIN = re.compile(r"(?:==\s*(?P<exact>[0-9A-Za-z][^\s=,|*<>!\[]*)|=(?P<built>[0-9][^\s=,|*<>!\[]*)=[^\s=,*]+)")


def read_environment(source: Source, opener: Opener) -> FileRead:
    """Read environment.yml. Exact is `==1.2.3` and `=1.2.3=build`: conda's `=1.2` stands for any 1.2.x."""
    gather = Gather(source, "conda", Kind.MANIFEST)
    documents = parse_yaml(source)
    gather.take(documents)
    root = documents[0].root
    gather.expect_table(root)
    gather.project = root.at("name").text
    for item in gather.elements(root.at("dependencies"), "dependencies"):
        if isinstance(item.value, dict):
            for requirement in gather.elements(item.at("pip"), "pip"):
                text = requirement.text or ""
                if text.startswith(("-r", "--requirement")):
                    _include(gather, text.partition("=" if "=" in text else " ")[2].strip() or text[2:].strip(), opener)
                elif not text.startswith("-"):
                    add_requirement(gather, requirement, Asked(Scope.RUNTIME, "pip"))
        else:
            _add(gather, item)
    return gather.done()


def _include(gather: Gather, target: str, opener: Opener) -> None:
    path = beside(gather.source.path, target)
    opened = opener(path) if path is not None else None
    if isinstance(opened, Source):
        read = read_requirements(opened, opener)
        gather.included.extend((replace(read, included=()), *read.included))
    else:
        why = opened.message if opened is not None else "it lies outside the project"
        gather.tell("include-not-read", f"{target[:200]!r}: {why}")


def _add(gather: Gather, item: Node) -> None:
    spec = _SPEC.fullmatch(item.text or "")
    if spec is None:
        gather.bad("not a conda requirement", item.place)
        return
    pin = _PIN.fullmatch(spec["rest"].strip())
    version = (pin["exact"] or pin["built"]) if pin is not None else None
    wanted = version or spec["name"]
    offset = gather.source.text.find(wanted, item.start, item.stop)
    if version is not None:
        offset = gather.source.text.find(version, item.start + spec.end("name"), item.stop)
    place = (offset, offset + len(wanted)) if offset >= 0 else item.place
    channel = spec["channel"]
    gather.add(
        Dependency(
            Ecosystem.CONDA,
            spec["name"],
            gather.region(place),
            version=version,
            requirement=spec["rest"].strip() or None,
            provenance=Provenance(SourceKind.REGISTRY, channel),
            is_direct=True,
            scope=Scope.RUNTIME,
        )
    )
