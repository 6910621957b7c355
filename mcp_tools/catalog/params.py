"""What each tool may be told. Strict: an unknown argument, a wrong type or a number out of bounds is refused."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PathText = Annotated[str, Field(min_length=1, max_length=1_024)]
MinSeverity = Literal["note", "warning", "error"]

DEFAULT_LIMIT = 20
MAX_LIMIT = 200
DEFAULT_LINES = 200
MAX_PATHS = 64
MAX_CURSOR_CHARS = 512


class Params(BaseModel):
    """The arguments of a call. Errors repeat no input."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    @property
    def wants_much(self) -> bool:
        """Whether somebody said how much there may be, and so takes a larger page."""
        return False


class Paged(Params):
    """Arguments of a tool whose answer has pages."""

    limit: int | None = Field(default=None, ge=1, le=MAX_LIMIT, description="Default 20.")
    cursor: str | None = Field(default=None, max_length=MAX_CURSOR_CHARS, description="The last answer's next_cursor.")

    @property
    def wants_much(self) -> bool:
        """Whether a limit was given."""
        return self.limit is not None


class ScanParams(Paged):
    """Arguments of a tool that looks for findings in many files."""

    paths: list[PathText] | None = Field(
        default=None, max_length=MAX_PATHS, description="Relative files, folders, globs."
    )
    min_severity: MinSeverity = "note"


class AuditFileParams(Paged):
    """Arguments of `audit_file`."""

    path: PathText = Field(description="Relative path of one file.")
    min_severity: MinSeverity = "note"


class HealthParams(Params):
    """Arguments of `codebase_health`."""

    paths: list[PathText] | None = Field(
        default=None, max_length=MAX_PATHS, description="Relative files, folders, globs."
    )


class ListFilesParams(Paged):
    """Arguments of `list_files`."""

    paths: list[PathText] | None = Field(
        default=None, max_length=MAX_PATHS, description="Relative files, folders, globs."
    )
    max_depth: int | None = Field(default=None, ge=1, le=100, description="Folders to go down at the most.")


class ReadFileParams(Params):
    """Arguments of `read_file`."""

    path: PathText = Field(description="Relative path of one file.")
    start_line: int = Field(default=1, ge=1, le=100_000_000, description="1-based.")
    max_lines: int | None = Field(default=None, ge=1, le=2_000, description="Default 200, if they fit a small page.")
    line_numbers: bool = Field(default=True, description="Begin each line with its number.")

    @property
    def wants_much(self) -> bool:
        """Whether a number of lines was given."""
        return self.max_lines is not None


class SearchParams(Paged):
    """Arguments of `search_text`."""

    query: str = Field(min_length=1, max_length=1_000, description="Text to find within a line.")
    regex: bool = Field(default=False, description="query is a regular expression (RE2 syntax).")
    case_sensitive: bool = True
    paths: list[PathText] | None = Field(
        default=None, max_length=MAX_PATHS, description="Relative files, folders, globs."
    )
    context: int = Field(default=0, ge=0, le=3, description="Lines shown before and after.")
    show: Literal["matches", "files"] = Field(default="matches", description="files: counts a file only.")


class GetFindingParams(Params):
    """Arguments of `get_finding`."""

    id: str = Field(pattern=r"^[0-9a-f]{12,32}$", description="The id in an answer's brackets.")
    path: PathText | None = Field(default=None, description="The finding's file: saves a search.")


class ExplainRuleParams(Params):
    """Arguments of `explain_rule`."""

    rule: str = Field(min_length=1, max_length=100, description="Rule id such as sql-injection.")
