"""Give up the right to write outside the user's state directory, before anything of a project is looked at."""

import os
import tempfile
from collections.abc import Mapping

from kimi_lsp.app.session import user_settings
from kimi_lsp.errors import KimiError
from kimi_lsp.store.files import private_folder
from mcp_tools.project.landlock import confine_writes


def confine(environ: Mapping[str, str]) -> str:
    """Confine this process and its children, and say in one line what came of it. Never raises.

    Temporary files go to a folder in the state directory: a project may lie in the system's own.
    """
    try:
        state_dir = user_settings(environ).state_dir
        private_folder(state_dir)
        scratch = state_dir / "tmp"
        private_folder(scratch)
    except (KimiError, OSError) as error:
        return f"writes are not confined: {error.line if isinstance(error, KimiError) else 'no state directory'}"
    if not confine_writes([state_dir]):
        return "writes are not confined: this system cannot do it"
    tempfile.tempdir = str(scratch)
    os.environ["TMPDIR"] = str(scratch)
    return "writes are confined to the state directory, for this process and its children"
