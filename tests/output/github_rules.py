"""GitHub's demands on a SARIF upload as models: what its documentation "SARIF support for code scanning" requires.

Extra members are free: GitHub ignores them. The SARIF schema is checked apart from this.
"""

import gzip
import re
from typing import Annotated, Literal, Self
from urllib.parse import unquote_to_bytes

from annotated_types import Len
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic.alias_generators import to_camel

Text = Annotated[str, StringConstraints(min_length=1)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Position = Annotated[int, Field(ge=1)]
RuleLevel = Literal["note", "warning", "error"]


class _Demand(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, strict=True)


class Message(_Demand):
    text: Text


class Short(_Demand):
    text: Description


class Help(_Demand):
    text: Text
    markdown: Text


class Configuration(_Demand):
    level: RuleLevel


class RuleProperties(_Demand):
    precision: Literal["very-high", "high", "medium", "low"]
    problem_severity: Literal["error", "warning", "recommendation"] = Field(alias="problem.severity")
    security_severity: str | None = Field(default=None, alias="security-severity")
    tags: Annotated[list[Text], Len(0, 20)]

    @model_validator(mode="after")
    def _security(self) -> Self:
        if self.security_severity is not None:
            assert 0.0 < float(self.security_severity) <= 10.0
            assert "security" in self.tags
        assert len(set(self.tags)) == len(self.tags)
        for tag in self.tags:
            assert not re.fullmatch(r"(?i)cwe-\d+", tag), "GitHub reads external/cwe/cwe-089"
        return self


class GithubRule(_Demand):
    id: Text
    name: Annotated[str, StringConstraints(max_length=255)] | None = None
    short_description: Short
    full_description: Short
    help: Help
    default_configuration: Configuration
    properties: RuleProperties


class Driver(_Demand):
    name: Text
    version: Text
    rules: Annotated[list[GithubRule], Len(0, 25_000)]

    @field_validator("rules")
    @classmethod
    def _unique(cls, rules: list[GithubRule]) -> list[GithubRule]:
        assert len({rule.id for rule in rules}) == len(rules)
        return rules


class Tool(_Demand):
    driver: Driver


class GithubRegion(_Demand):
    start_line: Position
    start_column: Position
    end_line: Position
    end_column: Position

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        assert (self.start_line, self.start_column) <= (self.end_line, self.end_column)
        return self


class Artifact(_Demand):
    uri: Text
    uri_base_id: Literal["%SRCROOT%"]

    @field_validator("uri")
    @classmethod
    def _relative(cls, uri: str) -> str:
        assert re.fullmatch(r"(?:[A-Za-z0-9_.~/-]|%[0-9A-F]{2})+", uri), "not percent-encoded"
        assert unquote_to_bytes(uri), "no name"
        return uri


class Physical(_Demand):
    artifact_location: Artifact
    region: GithubRegion


class GithubLocation(_Demand):
    physical_location: Physical


class GithubRelated(GithubLocation):
    id: Annotated[int, Field(ge=0)]
    message: Message


class Fingerprints(_Demand):
    primary: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,16}:[1-9][0-9]*$")] = Field(
        alias="primaryLocationLineHash"
    )


class GithubResult(_Demand):
    rule_id: Text
    rule_index: Annotated[int, Field(ge=0)]
    level: RuleLevel
    message: Message
    locations: Annotated[list[GithubLocation], Len(1, 10)]
    partial_fingerprints: Fingerprints
    related_locations: Annotated[list[GithubRelated], Len(0, 999)] = []

    @model_validator(mode="after")
    def _links_lead_somewhere(self) -> Self:
        ids = {related.id for related in self.related_locations}
        assert len(ids) == len(self.related_locations)
        for link in re.findall(r"(?<!\\)\[(?:[^\[\]\\]|\\.)*\]\(([^)]*)\)", self.message.text):
            assert int(link) in ids, f"a link out of the report: {link}"
        return self


class Invocation(_Demand):
    execution_successful: bool


class Automation(_Demand):
    id: Annotated[str, StringConstraints(pattern=r"(?s)^.+/[^/]*$")]


class Run(_Demand):
    tool: Tool
    results: Annotated[list[GithubResult], Len(0, 25_000)]
    column_kind: Literal["utf16CodeUnits"]
    invocations: Annotated[list[Invocation], Len(1, 1)]
    automation_details: Automation

    @model_validator(mode="after")
    def _rules_are_there(self) -> Self:
        for result in self.results:
            assert self.tool.driver.rules[result.rule_index].id == result.rule_id
        return self


class GithubLog(_Demand):
    schema_uri: Annotated[str, StringConstraints(pattern=r"^https://.*sarif.*2\.1\.0.*\.json$")] = Field(
        alias="$schema"
    )
    version: Literal["2.1.0"]
    runs: Annotated[list[Run], Len(1, 20)]


def github_log(text: str) -> GithubLog:
    """Read a log as GitHub would, or raise and say what it would refuse."""
    assert len(gzip.compress(text.encode())) <= 10_000_000
    return GithubLog.model_validate_json(text)
