"""The picture of a codebase: how much of what there is. Deterministic and offline; it judges nothing by itself."""

from mcp_tools.codebase_health.survey import LanguageCount, SizedFile, Survey, is_test, survey

__all__ = ["LanguageCount", "SizedFile", "Survey", "is_test", "survey"]
