"""GitHub workflows and composite actions: what `uses` names."""

import re
from collections.abc import Iterator

from mcp_tools.dependency_scan.readers.docker import add_image
from mcp_tools.dependency_scan.readers.gather import Gather, Opener
from mcp_tools.dependency_scan.readers.tree import Node
from mcp_tools.dependency_scan.readers.yaml_tree import parse_yaml
from mcp_tools.dependency_scan.values import Dependency, Ecosystem, FileRead, Kind, Provenance, Scope, SourceKind
from mcp_tools.project import Source

_USES = re.compile(r"([\w.-]+/[\w.-]+)((?:/[^\s@]+)?)@(\S+)")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.IGNORECASE)
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)")
_SAID = re.compile(r"[ \t]*(?:['\"])?[ \t]+#[ \t]*(?:[\w./-]+@|tag=|ratchet:\S+@)?v?(\d+\.\d+\.\d+[0-9A-Za-z.+-]*)")


def read_workflow(source: Source, opener: Opener) -> FileRead:
    """Read what a workflow or action uses.

    `version` is a full tag (`v4.1.1`) without its `v`; for a commit it is what the comment beside it says
    (`@<sha> # v4.1.1`). A tag such as `v4` moves with every release: no version. Only a commit has integrity.
    """
    del opener
    gather = Gather(source, "github-workflow", Kind.MANIFEST)
    documents = parse_yaml(source)
    gather.take(documents)
    root = documents[0].root
    gather.expect_table(root)
    gather.project = root.at("name").text
    for node in _uses(root):
        _add(gather, node)
    for _, job in root.at("jobs").members():
        services = [service for _, service in job.at("services").members()]
        for container in (job.at("container"), *services):
            image = container if container.text is not None else container.at("image")
            if image.text is not None and "${{" not in image.text:
                add_image(gather, image.text.removeprefix("docker://"), image.place, Scope.BUILD)
    return gather.done()


def _uses(root: Node) -> Iterator[Node]:
    for _, job in root.at("jobs").members():
        if not job.at("uses").is_missing:
            yield job.at("uses")
        for step in job.at("steps").array:
            if not step.at("uses").is_missing:
                yield step.at("uses")
    for step in root.at("runs", "steps").array:
        if not step.at("uses").is_missing:
            yield step.at("uses")


def _add(gather: Gather, node: Node) -> None:
    text = node.text
    if text is None:
        gather.bad("`uses` is not a text", node.place)
        return
    if text.startswith("./"):
        return
    if text.startswith("docker://"):
        start, stop = node.place
        if not add_image(gather, text[9:], (start + 9, stop), Scope.BUILD):
            gather.bad("not a container image", node.place)
        return
    found = _USES.fullmatch(text)
    if found is None:
        gather.bad(f"not an action: {text[:80]!r}", node.place)
        return
    reference = found[3]
    is_commit = _COMMIT.fullmatch(reference) is not None
    said = _SAID.match(gather.source.text, node.stop) if is_commit else None
    tag = _VERSION.fullmatch(reference) if not is_commit else None
    version = said[1] if said is not None else (tag[1] if tag is not None else None)
    start = node.start + found.start(3)
    gather.add(
        Dependency(
            Ecosystem.ACTIONS,
            found[1],
            gather.region((start, start + len(reference))),
            version=version,
            requirement=reference,
            provenance=Provenance(SourceKind.GIT, found[1], reference),
            is_direct=True,
            scope=Scope.BUILD,
            has_integrity=is_commit,
            group=found[2].lstrip("/") or None,
        )
    )
