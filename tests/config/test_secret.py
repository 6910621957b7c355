"""No key and no header value is ever shown."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import asdict
from pathlib import Path

import pytest

from kimi_lsp.config import Secret, load
from kimi_lsp.errors import ConfigError

_CANARY = "can" + "ary-7f3a"


def test_a_secret_shows_itself_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(_CANARY)
    logging.getLogger("test").warning("key %s %r", secret, secret)
    texts = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", "%s" % secret, ascii([secret]), caplog.text]  # noqa: UP031 (the old form is the point)
    assert not any(_CANARY in text for text in texts)
    assert secret.reveal() == _CANARY


def test_a_secret_is_equal_by_value_and_copies_to_itself() -> None:
    secret = Secret(_CANARY)
    assert secret == Secret(_CANARY)
    assert hash(secret) == hash(Secret(_CANARY))
    assert secret != Secret("other")
    assert secret != _CANARY
    assert copy.copy(secret) is copy.deepcopy(secret) is secret


def test_a_secret_is_neither_pickled_nor_written_as_json() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(_CANARY))
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(Secret(_CANARY))


def test_settings_with_a_key_do_not_show_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"[headers]\nX-Gateway-Key = '{_CANARY}'\n")
    resolved = load(environ={"MOONSHOT_API_KEY": _CANARY}, user_file=path)
    assert resolved.settings.api_key == resolved.settings.headers["X-Gateway-Key"] == Secret(_CANARY)
    assert _CANARY not in repr(resolved)
    assert _CANARY not in repr(asdict(resolved.settings.budget))


@pytest.mark.parametrize(
    "text",
    [
        f'api_key = "{_CANARY} x"\n',
        f'api_key = ["{_CANARY}"]\n',
        f'headers = "{_CANARY}"\n',
        f'[headers]\nX = "{_CANARY}\\n"\n',
        f'[headers]\nX = ["{_CANARY}"]\n',
        f'base_url = "https://{_CANARY}@host/v1"\n',
    ],
)
def test_a_bad_secret_is_not_repeated_in_its_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(environ={}, user_file=path)
    assert _CANARY not in "".join(traceback.format_exception(caught.value))
    assert f"{path}:" in caught.value.line


def test_a_key_with_a_line_break_inside_is_refused_unseen() -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={"MOONSHOT_API_KEY": f"{_CANARY}\r\nX-Evil: 1"})
    assert caught.value.line == (
        "MOONSHOT_API_KEY: expected a key of printable ASCII characters without spaces, got something else."
    )
