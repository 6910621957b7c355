"""Resources and completions: over the SDK's own client in the process, and over the real pipes of the real server."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PromptReference, ResourceTemplateReference, TextResourceContents

from mcp_tools.catalog import Answer, JsonObject
from mcp_tools.rules import list_pages, page
from mcp_tools.server.app import build
from tests.catalog.trees import FINDING, catalog, write
from tests.fakes.json_value import get, items
from tests.mcp.faces import serving
from tests.mcp.wire_client import Era


@dataclass
class InProcess:
    """Runs the catalog where the server is."""

    root: Path
    asked: list[str] = field(default_factory=list[str])

    async def call(self, name: str, arguments: JsonObject, *, deadline_s: float) -> Answer:
        assert deadline_s > 0
        self.asked.append(name)
        return catalog(self.root).call(name, arguments)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", {"src/a.py": FINDING * 3, "src/with space.txt": "one\ntwo\n", "b.md": "# B\n"})


@pytest.fixture
def caller(root: Path) -> InProcess:
    return InProcess(root)


@pytest.fixture(params=["legacy", "auto"])
def connected(request: pytest.FixtureRequest, caller: InProcess) -> Client:
    """A client to be entered in the test's own task."""
    return Client(build(caller, version="1"), mode=request.param)


async def text_at(client: Client, uri: str) -> str:
    (contents,) = (await client.read_resource(uri)).contents
    assert isinstance(contents, TextResourceContents)
    assert str(contents.uri) == uri
    return contents.text


async def report_of(client: Client, **arguments: object) -> str:
    data = (await client.call_tool("security_surface", dict(arguments))).structured_content
    assert data is not None
    return str(data["report"])


async def refused(client: Client, uri: str) -> str:
    with pytest.raises(MCPError) as raised:
        await client.read_resource(uri)
    assert raised.value.error.code == INVALID_PARAMS
    assert raised.value.error.data == {"uri": uri}
    return raised.value.error.message


async def test_every_rule_has_a_page_that_is_listed_and_can_be_read(connected: Client) -> None:
    async with connected as client:
        listed = (await client.list_resources()).resources
        assert [str(each.uri) for each in listed] == [f"audit://rules/{rule}" for rule in list_pages()]
        assert {each.mime_type for each in listed} == {"text/markdown"}
        for rule in ("sql-injection", list_pages()[-1]):
            assert await text_at(client, f"audit://rules/{rule}") == page(rule)


async def test_the_templates_are_rules_reports_and_files(connected: Client) -> None:
    async with connected as client:
        templates = (await client.list_resource_templates()).resource_templates
        assert [each.uri_template for each in templates] == [
            "audit://rules/{rule}",
            "audit://report/{id}",
            "project:///{+path}",
        ]
        assert all(each.description for each in templates)


async def test_a_file_is_read_by_its_path_also_one_with_a_space_in_it(connected: Client) -> None:
    async with connected as client:
        assert await text_at(client, "project:///src/a.py") == "eval(name)\neval(name)\neval(name)"
        assert await text_at(client, "project:///src/with%20space.txt") == "one\ntwo"


async def test_a_file_too_large_to_be_told_whole_is_refused_and_not_cut(connected: Client, root: Path) -> None:
    async with connected as client:
        write(root, {"large.txt": ("\u200b" * 99 + "\n") * 3_000})
        assert "read_file reads it part by part" in await refused(client, "project:///large.txt")


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("audit://rules/no-such-rule", "no such rule"),
        ("audit://rules/..%2F..%2Fetc%2Fpasswd", "no such rule"),
        ("audit://report/0123456789abcdef", "expired: run the tool again"),
        ("audit://other/x", "no such resource"),
        ("file:///etc/passwd", "no such resource"),
        ("project:///missing.py", "no such file"),
        ("project:///", "no file is named"),
        ("project:////etc/passwd", "no relative path"),
        ("project:///src/../../x", "no relative path"),
        ("project:///.env", "a file made to hold secrets"),
    ],
)
async def test_what_there_is_not_is_refused_with_its_uri(connected: Client, uri: str, why: str) -> None:
    async with connected as client:
        assert why in await refused(client, uri)


async def test_a_uri_that_is_too_long_is_not_repeated_whole(connected: Client) -> None:
    async with connected as client:
        with pytest.raises(MCPError) as raised:
            await client.read_resource("audit://rules/" + "x" * 5_000)
        assert len(str(raised.value.error.data)) < 200


async def test_a_report_is_all_of_an_answer_that_was_a_page(connected: Client) -> None:
    async with connected as client:
        report = json.loads(await text_at(client, await report_of(client, limit=1)))
        assert (report["total"], report["returned"], report["truncated"]) == (3, 3, False)
        assert [item["line"] for item in report["findings"]] == [1, 2, 3]


async def test_a_report_keeps_to_what_was_asked_for(connected: Client, root: Path) -> None:
    async with connected as client:
        write(root, {"other/b.py": FINDING, "other/c.js": "element.innerHTML = name\n"})
        report = json.loads(await text_at(client, await report_of(client, paths=["other"], min_severity="warning")))
        assert {item["path"] for item in report["findings"]} <= {"other/b.py", "other/c.js"}
        assert "other/b.py" in {item["path"] for item in report["findings"]}


async def test_a_report_expires_once_the_results_have_changed(connected: Client, root: Path) -> None:
    async with connected as client:
        uri = await report_of(client)
        write(root, {"src/a.py": FINDING * 2})
        assert "the results have changed, run the tool again" in await refused(client, uri)
        assert await report_of(client) != uri
        write(root, {"src/a.py": FINDING * 3})
        assert json.loads(await text_at(client, uri))["total"] == 3  # as it was: the handle holds again


async def test_a_report_lives_until_there_are_64_newer_ones(connected: Client, root: Path) -> None:
    async with connected as client:
        write(root, {f"many/{each:02}.py": FINDING for each in range(65)})
        uris = [await report_of(client, paths=[f"many/{each:02}.py"]) for each in range(65)]
        assert len(set(uris)) == 65
        assert "expired" in await refused(client, uris[0])
        assert json.loads(await text_at(client, uris[1]))["total"] == 1


async def test_a_project_that_is_gone_is_no_expired_report(connected: Client, root: Path) -> None:
    async with connected as client:
        import shutil

        uri = await report_of(client)
        shutil.rmtree(root)
        assert await refused(client, uri) == "Resource not found: a project root cannot be listed any more"


async def test_rules_complete(connected: Client) -> None:
    async with connected as client:
        reference = ResourceTemplateReference(uri="audit://rules/{rule}")
        for typed in ("sql", "", "x-no-rule"):
            found = (await client.complete(reference, {"name": "rule", "value": typed})).completion
            assert found.values == [rule for rule in list_pages() if rule.startswith(typed)]
            assert (found.total, found.has_more) == (len(found.values), False)


@pytest.mark.parametrize(
    ("reference", "argument"),
    [
        (ResourceTemplateReference(uri="project:///{+path}"), "path"),
        (PromptReference(name="audit_change"), "path"),
        (PromptReference(name="dual_run"), "scope"),
    ],
)
async def test_paths_complete_to_100_at_the_most_and_say_how_many_there_are(
    connected: Client, root: Path, reference: ResourceTemplateReference | PromptReference, argument: str
) -> None:
    async with connected as client:
        write(root, {f"many/{each:03}.py": "" for each in range(130)})
        found = (await client.complete(reference, {"name": argument, "value": "many/"})).completion
        assert found.values == [f"many/{each:03}.py" for each in range(100)]
        assert (found.total, found.has_more) == (130, True)
        found = (await client.complete(reference, {"name": argument, "value": "src/a"})).completion
        assert found.values == ["src/a.py"]
        found = (await client.complete(reference, {"name": argument, "value": "x" * 5_000})).completion
        assert found.values == []


async def test_reports_complete_the_latest_first(connected: Client) -> None:
    async with connected as client:
        uris = [await report_of(client), await report_of(client, paths=["src"])]
        ids = [uri.removeprefix("audit://report/") for uri in reversed(uris)]
        for reference, argument in (
            (ResourceTemplateReference(uri="audit://report/{id}"), "id"),
            (PromptReference(name="triage_findings"), "report_id"),
        ):
            found = (await client.complete(reference, {"name": argument, "value": ""})).completion
            assert found.values == ids
            found = (await client.complete(reference, {"name": argument, "value": ids[1][:8]})).completion
            assert found.values == [ids[1]]


async def test_what_is_not_known_completes_to_nothing_and_asks_no_worker(connected: Client, caller: InProcess) -> None:
    async with connected as client:
        found = (await client.complete(PromptReference(name="audit_change"), {"name": "other", "value": ""})).completion
        assert (found.values, found.total) == ([], 0)
        assert caller.asked == []


@pytest.mark.parametrize("name", [f"stdio-{era.name.lower()}" for era in Era])
async def test_over_real_pipes_and_workers_too(root: Path, tmp_path: Path, name: str) -> None:
    write(root, {"bad\udcff.txt": "found\n"})
    async with serving(name, tmp_path, [root]) as face:
        said = await face.call("security_surface", {"limit": 1})
        uri = said.data["report"]
        message = await face.ask("resources/read", {"uri": uri})
        text = get(message, "result", "contents", 0, "text")
        assert isinstance(text, str)
        assert json.loads(text)["returned"] == 3
        for path in (r"project:///bad%5Cxff.txt", "project:///bad%FF.txt"):
            message = await face.ask("resources/read", {"uri": path})
            assert get(message, "result", "contents", 0, "text") == "found", message
        message = await face.ask("resources/read", {"uri": "project:///missing"})
        assert get(message, "error", "code") == INVALID_PARAMS
        assert get(message, "error", "data") == {"uri": "project:///missing"}
        reference: JsonObject = {"type": "ref/resource", "uri": "project:///{+path}"}
        message = await face.ask("completion/complete", {"ref": reference, "argument": {"name": "path", "value": "b"}})
        assert items(get(message, "result", "completion", "values")) == ["b.md", r"bad\xff.txt"]
        write(root, {"src/a.py": ""})
        message = await face.ask("resources/read", {"uri": uri})
        assert get(message, "error", "data") == {"uri": uri}
