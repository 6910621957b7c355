"""What real editors send in `initialize`, kept in `captured/`: one file for each version, `neovim-0.12.4.json`.

The project's folder is `/project` in them, and the editor's process has the number 1.
"""

import json
from pathlib import Path
from typing import cast

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

FOLDER = Path(__file__).parent / "captured"
ROOT = "/project"


def names() -> list[str]:
    """The editors with their versions."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def captured(name: str) -> bytes | None:
    """The parameters as JSON; None when there is no capture of this version."""
    file = FOLDER / f"{name}.json"
    return file.read_bytes() if file.exists() else None


def keep(name: str, params: Json) -> None:
    """Write a capture."""
    text = json.dumps(params, indent=1, ensure_ascii=False, sort_keys=True)
    (FOLDER / f"{name}.json").write_text(text + "\n", "utf-8")


def scrubbed(text: str | bytes, root: Path) -> Json:
    """Parameters as they are kept, from the JSON that an editor at work in `root` sent."""
    params = cast("dict[str, Json]", json.loads(text))
    return {**cast("dict[str, Json]", _moved(params, str(root))), "processId": 1}


def _moved(value: Json, root: str) -> Json:
    match value:
        case str():
            return value.replace(root, ROOT)
        case list():
            return [_moved(one, root) for one in value]
        case dict():
            return {key: _moved(one, root) for key, one in value.items()}
        case _:
            return value
