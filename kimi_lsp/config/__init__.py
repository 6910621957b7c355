"""Options (what was written) resolved once into Settings (what holds). A project's own file can only tighten."""

from kimi_lsp.config.document import project_options
from kimi_lsp.config.environment import flag_options
from kimi_lsp.config.options import Options, ProjectOptions
from kimi_lsp.config.resolve import PROJECT_FILES, Resolved, default_state_dir, load, user_file
from kimi_lsp.config.secret import Secret
from kimi_lsp.config.settings import (
    SAFETY_LANES,
    Budget,
    Consent,
    Depth,
    FailOn,
    Limits,
    McpServer,
    RuleLevel,
    Rules,
    Settings,
    Style,
    Thinking,
)
from kimi_lsp.config.tighten import is_tighter_or_equal

__all__ = [
    "PROJECT_FILES",
    "SAFETY_LANES",
    "Budget",
    "Consent",
    "Depth",
    "FailOn",
    "Limits",
    "McpServer",
    "Options",
    "ProjectOptions",
    "Resolved",
    "RuleLevel",
    "Rules",
    "Secret",
    "Settings",
    "Style",
    "Thinking",
    "default_state_dir",
    "flag_options",
    "is_tighter_or_equal",
    "load",
    "project_options",
    "user_file",
]
