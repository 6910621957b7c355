"""What clients declare, as measured on real ones, and what broken ones send."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_lsp.lsp.client import ClientCaps, client_caps
from kimi_lsp.lsp.protocol import Tag

_BOTH = frozenset(Tag)
_LITERALS = {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix"]}}}
_NEOVIM_0_12 = {
    "textDocument": {
        "publishDiagnostics": {"relatedInformation": True, "dataSupport": True, "tagSupport": {"valueSet": [1, 2]}},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "codeAction": {"dynamicRegistration": False, **_LITERALS},
    },
    "window": {
        "workDoneProgress": True,
        "showDocument": {"support": True},
        "showMessage": {"messageActionItem": {"additionalPropertiesSupport": True}},
    },
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "didChangeWatchedFiles": {"dynamicRegistration": False},
        "codeLens": {"refreshSupport": True},
        "inlayHint": {"refreshSupport": True},
    },
}
_EGLOT_1_17 = {
    "textDocument": {
        "publishDiagnostics": {
            "relatedInformation": False,
            "codeDescriptionSupport": False,
            "tagSupport": {"valueSet": [1, 2]},
        },
        "hover": {"contentFormat": ["plaintext"]},
        "codeAction": _LITERALS,
    },
    "window": {"showDocument": {"support": True}},
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
}
_HELIX_25_07 = {
    "textDocument": {
        "publishDiagnostics": {"versionSupport": True, "tagSupport": {"valueSet": [1, 2]}},
        "hover": {"contentFormat": ["markdown"]},
        "codeAction": _LITERALS,
    },
    "window": {
        "workDoneProgress": True,
        "showDocument": {"support": True},
        "showMessage": {"messageActionItem": {"additionalPropertiesSupport": True}},
    },
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "didChangeConfiguration": {"dynamicRegistration": False},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        "inlayHint": {"refreshSupport": False},
    },
}


def _read(capabilities: object) -> ClientCaps:
    return client_caps(json.dumps(capabilities).encode())


def test_real_clients_are_read_as_they_are() -> None:
    assert _read(_NEOVIM_0_12) == ClientCaps(
        related_information=True,
        tags=_BOTH,
        markdown_hover=True,
        code_action_literals=True,
        show_document=True,
        message_actions=True,
        work_done_progress=True,
        configuration=True,
        workspace_folders=True,
        code_lens_refresh=True,
        inlay_hint_refresh=True,
    )
    assert _read(_EGLOT_1_17) == ClientCaps(
        tags=_BOTH,
        code_action_literals=True,
        show_document=True,
        configuration=True,
        workspace_folders=True,
        registers_watchers=True,
    )
    assert _read(_HELIX_25_07) == ClientCaps(
        tags=_BOTH,
        markdown_hover=True,
        code_action_literals=True,
        show_document=True,
        message_actions=True,
        work_done_progress=True,
        configuration=True,
        workspace_folders=True,
        registers_watchers=True,
    )


def test_the_kind_of_hover_that_a_client_likes_best_is_chosen() -> None:
    def prefers_markdown(*kinds: object) -> bool:
        return _read({"textDocument": {"hover": {"contentFormat": list(kinds)}}}).markdown_hover

    assert prefers_markdown("markdown", "plaintext")
    assert not prefers_markdown("plaintext", "markdown")
    assert prefers_markdown("html", "markdown")
    assert not prefers_markdown()


@pytest.mark.parametrize(
    "capabilities",
    [b"null", b"[]", b"7", b'"x"', b"{", b"\xff", b"", b'{"textDocument": []}', b"[" * 100_000],
)
def test_broken_capabilities_are_those_of_a_client_that_can_nothing(capabilities: bytes) -> None:
    assert client_caps(capabilities) == ClientCaps()


def _misshapen(value: object) -> st.SearchStrategy[object]:
    """The value, with any part of it replaced by something else."""
    other = st.sampled_from([None, 0, 1.5, "true", [], {}, [None], {"support": "yes"}])
    if not isinstance(value, dict):
        return st.just(value) | other
    parts = {str(name): _misshapen(part) for name, part in value.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - JSON
    return st.fixed_dictionaries(parts) | other


@given(_misshapen(_NEOVIM_0_12))
def test_a_wrong_shape_anywhere_never_switches_anything_on(capabilities: object) -> None:
    caps, whole = _read(capabilities), _read(_NEOVIM_0_12)
    for name in ClientCaps.__dataclass_fields__:
        if name != "tags":
            assert getattr(caps, name) in (False, getattr(whole, name)), name
    assert caps.tags <= whole.tags


def test_only_known_tags_count_and_true_is_no_tag() -> None:
    caps = _read({"textDocument": {"publishDiagnostics": {"tagSupport": {"valueSet": [2, 9, True, "1", None]}}}})
    assert caps.tags == {Tag.DEPRECATED}
