"""What the exit codes mean, for every sub-command."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. A run that is incomplete says 3 even when it found something: nobody may take it for the whole."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3
