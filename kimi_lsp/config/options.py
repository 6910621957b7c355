"""What can be written: every setting, optional, with its other names and meaning. One model for each author."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from kimi_lsp.config import values as v
from kimi_lsp.config.servers import McpServers


@dataclass(frozen=True, slots=True)
class About:
    """What a setting means, and where it can be written besides a file. The first variable that is not empty counts."""

    text: str
    env: tuple[str, ...] = ()
    flag: str = ""


def _about(text: str, env: str = "", flag: str = "") -> About:
    return About(text, tuple(f"KIMI_LSP_{name}" for name in env.split()), flag)


class Table(BaseModel):
    """A table of options: an unknown key is an error, and pydantic's own messages repeat no input."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class BudgetOptions(Table):
    """`[budget]` as the user writes it."""

    run_usd: Annotated[v.Usd | None, _about("US dollars that one run may cost.", "RUN_USD", "--budget-usd")] = None
    run_tokens: Annotated[
        v.Tokens | None, _about("Tokens, sent and received, that one run may use.", "RUN_TOKENS", "--max-tokens")
    ] = None
    daily_usd: Annotated[v.Usd | None, _about("US dollars a day, over all runs.", "DAILY_USD")] = None
    daily_tokens: Annotated[v.Tokens | None, _about("Tokens a day, over all runs.", "DAILY_TOKENS")] = None
    weekly_usd: Annotated[v.Usd | None, _about("US dollars a week, over all runs.", "WEEKLY_USD")] = None
    weekly_tokens: Annotated[v.Tokens | None, _about("Tokens a week, over all runs.", "WEEKLY_TOKENS")] = None


class LimitOptions(Table):
    """`[limits]` as the user writes it."""

    concurrency: Annotated[
        v.Concurrency | None, _about("Model requests at the same time, at the most.", "CONCURRENCY")
    ] = None
    max_file_bytes: Annotated[
        v.FileBytes | None, _about("A larger file is not read; a notice says so.", "MAX_FILE_BYTES")
    ] = None
    max_files: Annotated[v.FileCount | None, _about("Files listed in one audit, at the most.", "MAX_FILES")] = None
    unit_chars: Annotated[
        v.UnitChars | None, _about("Characters of code in one request; a longer file is sliced.", "UNIT_CHARS")
    ] = None
    connect_timeout_s: Annotated[v.Seconds | None, _about("Seconds to reach the endpoint.", "CONNECT_TIMEOUT_S")] = None
    read_timeout_s: Annotated[
        v.Seconds | None, _about("Seconds of silence in an answer after which it counts as cut.", "READ_TIMEOUT_S")
    ] = None
    call_timeout_s: Annotated[
        v.Seconds | None, _about("Seconds that one model call may take in all.", "CALL_TIMEOUT_S")
    ] = None


class StyleOptions(Table):
    """`[style]` as the user writes it."""

    sentences: Annotated[
        v.Sentences | None, _about("Rules of style, a sentence each; one a line in the variable.", "STYLE_SENTENCES")
    ] = None
    files: Annotated[v.ProjectPaths | None, _about("Style guides: paths in the audited project.", "STYLE_FILES")] = None


class Options(Table):
    """What a user may write: in the user file, in variables, as flags. None is "not written"."""

    base_url: Annotated[v.Url | None, _about("The endpoint, up to and including `/v1`.", "BASE_URL", "--base-url")] = (
        None
    )
    model: Annotated[v.Name | None, _about("The model's id at the endpoint.", "MODEL", "--model")] = None
    api_key: Annotated[
        v.Key | None,
        About(
            "The endpoint's key. It is never shown, and is sent to `base_url` only.",
            ("KIMI_LSP_API_KEY", "MOONSHOT_API_KEY", "KIMI_API_KEY"),
        ),
    ] = None
    dialect: Annotated[
        v.Name | None, _about("How the endpoint speaks, where its model's profile is wrong.", "DIALECT")
    ] = None
    thinking: Annotated[
        v.ThinkingWord | None, _about("`auto`, `off`, `low`, `high` or `max`: how hard the model thinks.", "THINKING")
    ] = None
    depth: Annotated[
        v.DepthWord | None,
        _about("`local`: no model. `screen`: Kimi reads. `dual`: and a second model checks.", "DEPTH", "--depth"),
    ] = None
    lanes: Annotated[v.Lanes | None, _about("The topics of an audit.", "LANES", "--lane")] = None
    fail_on: Annotated[
        v.FailOnWord | None,
        _about("`error`, `warning`, `note` or `never`: the level that makes the exit code 1.", "FAIL_ON", "--fail-on"),
    ] = None
    exclude: Annotated[
        v.Patterns | None, _about("Paths that are neither listed nor read (gitignore patterns).", "EXCLUDE")
    ] = None
    deny: Annotated[
        v.Patterns | None, _about("Paths whose text never goes to a model (gitignore patterns).", "DENY")
    ] = None
    consent: Annotated[
        v.ConsentList | None,
        _about("`always`, or the projects that may go to a remote endpoint unasked.", "CONSENT", "--yes"),
    ] = None
    trust_env: Annotated[
        v.Switch | None, _about("Use the system's proxy variables; never for a loopback endpoint.", "TRUST_ENV")
    ] = None
    allow_http: Annotated[v.Switch | None, _about("Allow an `http://` endpoint on another machine.", "ALLOW_HTTP")] = (
        None
    )
    state_dir: Annotated[v.Folder | None, _about("Where the ledger, the trail and the cache lie.", "STATE_DIR")] = None
    budget: BudgetOptions | None = None
    limits: LimitOptions | None = None
    style: StyleOptions | None = None
    tools: Annotated[
        v.Switch | None,
        _about("During a review the model may read more of the project, with tools that only read.", "TOOLS"),
    ] = None
    mcp_review: Annotated[
        v.Switch | None,
        _about("The MCP server offers `kimi_review`, which asks the model and costs money.", "MCP_REVIEW"),
    ] = None
    ask_above_usd: Annotated[
        v.Usd | None,
        _about(
            "In a conversation, an audit that may cost more US dollars than this is asked for first.",
            "ASK_ABOVE_USD",
        ),
    ] = None
    client_mcp_servers: Annotated[
        v.Switch | None,
        _about(
            "In a conversation the model may use read-only tools of the MCP servers that the editor passes on.",
            "CLIENT_MCP_SERVERS",
        ),
    ] = None
    mcp_servers: Annotated[
        McpServers | None, About("MCP servers of others whose read-only tools the model may use; see above.")
    ] = None
    rules: Annotated[v.RuleTable | None, _about("Level by rule id: `off`, `note`, `warning` or `error`.", "RULES")] = (
        None
    )
    headers: Annotated[v.Headers | None, About("More request headers, such as a gateway's own key.")] = None
    profile: Annotated[v.Profile | None, About("Fields of the model's profile to override.")] = None


class ProjectBudgetOptions(Table):
    """`[budget]` as a project may write it: ceilings, of which the lower one holds."""

    run_usd: Annotated[v.Usd | None, About("lower")] = None
    run_tokens: Annotated[v.Tokens | None, About("lower")] = None
    daily_usd: Annotated[v.Usd | None, About("lower")] = None
    daily_tokens: Annotated[v.Tokens | None, About("lower")] = None
    weekly_usd: Annotated[v.Usd | None, About("lower")] = None
    weekly_tokens: Annotated[v.Tokens | None, About("lower")] = None


class ProjectLimitOptions(Table):
    """`[limits]` as a project may write it."""

    concurrency: Annotated[v.Concurrency | None, About("lower")] = None
    max_file_bytes: Annotated[v.FileBytes | None, About("lower")] = None
    max_files: Annotated[v.FileCount | None, About("lower")] = None


class ProjectStyleOptions(Table):
    """`[style]` as a project may write it."""

    sentences: Annotated[v.Sentences | None, About("add")] = None
    files: Annotated[v.ProjectPaths | None, About("add")] = None


class ProjectOptions(Table):
    """What an audited project may write. A key that is missing here is the user's alone."""

    depth: Annotated[v.DepthWord | None, About("lower")] = None
    lanes: Annotated[v.Lanes | None, About("leave out docs, style, health")] = None
    fail_on: Annotated[v.FailOnWord | None, About("make stricter")] = None
    exclude: Annotated[v.ProjectPatterns | None, About("add, without `!`")] = None
    deny: Annotated[v.ProjectPatterns | None, About("add, without `!`")] = None
    budget: ProjectBudgetOptions | None = None
    limits: ProjectLimitOptions | None = None
    style: ProjectStyleOptions | None = None
    rules: Annotated[v.RuleLevels | None, About("raise a level; turn off outside security and dependencies")] = None


def keys(model: type[Table], prefix: str = "") -> Iterator[tuple[str, About]]:
    """Every setting of a model by its dotted key, as `budget.run_usd`, in the order of the documentation."""
    for name, info in model.model_fields.items():
        about = next((item for item in info.metadata if isinstance(item, About)), None)
        if about is not None:
            yield prefix + name, about
        else:
            yield from keys(table_of(model, name), f"{prefix}{name}.")


def table_of(model: type[Table], name: str) -> type[Table]:
    """The model of a nested table."""
    annotation = model.model_fields[name].annotation
    for part in getattr(annotation, "__args__", ()):
        if isinstance(part, type) and issubclass(part, Table):
            return part
    raise LookupError(name)
