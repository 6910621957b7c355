"""What would leave the machine, as a question to a person."""

from kimi_lsp.audit import Outgoing


def question(outgoing: Outgoing) -> str:
    """What would leave, in one sentence that somebody can answer."""
    files = f"{outgoing.files} file{'' if outgoing.files == 1 else 's'}"
    size = f"{max(outgoing.bytes // 1000, 1):,} kB"
    more = " It may read other files of the project with read-only tools." if outgoing.tools else ""
    return (
        f"Kimi: send {files} of {outgoing.project} ({size}, secrets taken out) to {outgoing.endpoint} "
        f"for review by {outgoing.model}?{more} At most {outgoing.requests} requests, ${outgoing.max_cost_usd:.2f}."
    )
