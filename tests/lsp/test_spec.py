"""The same story with pytest-lsp, whose specification warnings are errors, as each real client declares itself."""

import json
import os
import sys
import warnings
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import converters, types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from kimi_lsp.lsp import capabilities
from tests.cli.harness import APP, KEY, TRAVERSAL, answer
from tests.fakes.kimi import FakeKimi

_CAPTURED = Path(__file__).parents[1] / "editors" / "captured"
_BUNDLED = ("neovim@v0.11.0", "emacs@v29.1", "visual-studio-code@v1.65.2")
_CLIENTS = (*_BUNDLED, *sorted(path.stem for path in _CAPTURED.glob("*.json")))


def declared(name: str) -> types.ClientCapabilities:
    """What a client says that it can do: pytest-lsp's own collection, else as it was captured from the real one."""
    if name in _BUNDLED:
        return client_capabilities(name)
    params = json.loads((_CAPTURED / f"{name}.json").read_text())
    return converters.get_converter().structure(params["capabilities"], types.ClientCapabilities)


def make_client() -> LanguageClient:
    """pytest-lsp's client, which can also be asked to watch files and to draw anew."""
    made = pytest_lsp.make_test_lsp_client()

    def register(params: types.RegistrationParams) -> None:
        known = {types.WORKSPACE_DID_CHANGE_WATCHED_FILES, types.WORKSPACE_DID_CHANGE_CONFIGURATION}
        assert {one.method for one in params.registrations} <= known

    def refresh(params: None) -> None:
        """Nothing is drawn here."""

    made.feature(types.CLIENT_REGISTER_CAPABILITY)(register)
    made.feature(types.WORKSPACE_CODE_LENS_REFRESH)(refresh)
    made.feature(types.WORKSPACE_INLAY_HINT_REFRESH)(refresh)
    return made


@pytest.fixture
async def client(kimi: FakeKimi, tmp_path: Path) -> AsyncGenerator[LanguageClient]:
    environ = {
        **os.environ,
        "KIMI_LSP_STATE_DIR": str(tmp_path / "state"),
        "KIMI_LSP_BASE_URL": kimi.base_url,
        "KIMI_LSP_API_KEY": KEY,
        "HOME": str(tmp_path),
    }
    config = ClientServerConfig([sys.executable, "-m", "kimi_lsp", "lsp"], make_client, environ)
    started = await config.start()
    assert isinstance(started, LanguageClient)
    yield started
    await started.shutdown_session()


@pytest.mark.parametrize("name", _CLIENTS)
async def test_a_client_is_told_nothing_that_it_did_not_say_it_can_take(
    client: LanguageClient, kimi: FakeKimi, tmp_path: Path, name: str
) -> None:
    kimi.respond(lambda chat: answer(TRAVERSAL))
    root = tmp_path / "shop"
    (root / ".git").mkdir(parents=True)
    (root / "app.py").write_text(APP)
    uri = (root / "app.py").as_uri()
    with warnings.catch_warnings():
        warnings.simplefilter("error", pytest_lsp.LspSpecificationWarning)
        client.set_configuration({"kimi": {"debounceMs": 0, "codeLens": True, "inlayHints": True}})
        await client.initialize_session(
            types.InitializeParams(
                capabilities=declared(name),
                root_uri=root.as_uri(),
                workspace_folders=[types.WorkspaceFolder(root.as_uri(), "shop")],
            )
        )
        document = types.TextDocumentItem(uri, "python", 1, APP)
        client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        assert [item.code for item in client.diagnostics[uri]] == ["shell-injection", "sql-injection"]
        result = await client.workspace_execute_command_async(
            types.ExecuteCommandParams("kimi.auditFile", [{"uri": uri}])
        )
        assert isinstance(result, dict)
        assert result["state"] == "finished"
        assert [item.code for item in client.diagnostics[uri]] == ["shell-injection", "sql-injection", "path-traversal"]
        identifier, place = types.TextDocumentIdentifier(uri), types.Position(13, 8)
        hover = await client.text_document_hover_async(types.HoverParams(identifier, place))
        assert hover is not None
        here = types.Range(place, place)
        actions = await client.text_document_code_action_async(
            types.CodeActionParams(identifier, here, types.CodeActionContext(list(client.diagnostics[uri])))
        )
        assert actions
        lenses = await client.text_document_code_lens_async(types.CodeLensParams(identifier))
        workspace = declared(name).workspace
        assert bool(lenses) is bool(workspace and workspace.configuration)
        await client.text_document_inlay_hint_async(
            types.InlayHintParams(identifier, types.Range(types.Position(0, 0), types.Position(20, 0)))
        )
    assert client.error is None
    assert client.messages == []


def test_what_the_server_says_it_can_do_is_what_the_specification_knows() -> None:
    for encoding in capabilities.ENCODINGS:
        result = capabilities.initialize_result(encoding)
        converter = converters.get_converter()
        structured = converter.structure(result, types.InitializeResult)
        assert converter.unstructure(structured) == result
