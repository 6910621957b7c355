"""What may be said of an unexpected exception: its type and its place, never its text, which may quote a file."""

from typing import cast

_OURS = ("kimi_lsp.", "mcp_tools.")


def innermost(error: Exception) -> Exception:
    """The one exception that groups (of task groups) are wrapped around; the group where there are several."""
    if not isinstance(error, ExceptionGroup):
        return error
    group = cast("ExceptionGroup[Exception]", error)
    return innermost(group.exceptions[0]) if len(group.exceptions) == 1 else group


def place(error: BaseException) -> str:
    """`KeyError at json.decoder:353 via kimi_lsp.lsp.mirror:120`: where it was raised, and the last line of ours."""
    found, ours = "an unknown place", ""
    trace = error.__traceback__
    while trace is not None:
        found = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        ours = found if found.startswith(_OURS) else ours
        trace = trace.tb_next
    via = f" via {ours}" if ours not in ("", found) else ""
    return f"{type(error).__name__} at {found}{via}"
