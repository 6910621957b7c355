"""`codebase_health`: a codebase on one page, and which tool says more."""

from collections import Counter
from dataclasses import dataclass

from mcp_tools.browse import choose
from mcp_tools.catalog.documents import CountItem, HealthPage, LanguageItem, SizedItem
from mcp_tools.catalog.findings import notice_items, notice_lines
from mcp_tools.catalog.page import Room, shown_path
from mcp_tools.catalog.params import HealthParams
from mcp_tools.catalog.scans import SCANS, run_scan
from mcp_tools.catalog.values import Answer
from mcp_tools.catalog.view import View
from mcp_tools.codebase_health import Survey, survey
from mcp_tools.finding import Notice, Report
from mcp_tools.output.summary import count_of, summarise

_TOP = 5
_MAX_LANGUAGES = 12


@dataclass(frozen=True, slots=True)
class Health:
    """The counts, and each scan's report."""

    survey: Survey
    reports: tuple[tuple[str, Report], ...]
    notices: tuple[Notice, ...]


def find_health(view: View, params: HealthParams) -> Health:
    """Count, and run every scan."""
    meant = choose(view.project, params.paths or ())
    counted = survey(view.project, meant.paths)
    reports = tuple((name, run_scan(name, view, meant)) for name in SCANS)
    seen = dict.fromkeys((*meant.notices, *counted.notices, *(n for _, report in reports for n in report.notices)))
    return Health(counted, reports, tuple(seen))


def health_answer(health: Health, room: Room) -> Answer:
    """One page."""
    counted = health.survey
    summaries = [(name, summarise(report)) for name, report in health.reports]
    worst = Counter(item.location.path for _, summary in summaries for item in summary.active)
    ranked = sorted(worst.items(), key=lambda pair: (-pair[1], pair[0]))[:_TOP]
    notices = notice_items(health.notices, room)
    page = HealthPage(
        files=counted.files,
        lines=counted.lines,
        test_files=counted.test_files,
        languages=[
            LanguageItem(language=item.language, files=item.files, lines=item.lines)
            for item in counted.languages[:_MAX_LANGUAGES]
        ],
        largest=[
            SizedItem(path=shown_path(item.path), lines=item.lines, language=item.language)
            for item in counted.largest[:_TOP]
        ],
        findings={name: {level.value: number for level, number in summary.counts} for name, summary in summaries},
        worst_files=[CountItem(path=shown_path(path), count=number) for path, number in ranked],
        notices=notices,
    )
    sizes = (
        count_of(counted.files, "file"),
        count_of(counted.lines, "line"),
        count_of(counted.test_files, "test file"),
    )
    languages = [
        f"{item.language} {count_of(item.lines, 'line')} in {count_of(item.files, 'file')}" for item in page.languages
    ]
    if len(counted.languages) > _MAX_LANGUAGES:
        languages.append(f"and {len(counted.languages) - _MAX_LANGUAGES} more")
    rows = [f"codebase_health: {', '.join(sizes)}", f"languages: {', '.join(languages) or 'none'}"]
    rows += [f"largest: {item.path} {count_of(item.lines, 'line')}" for item in page.largest]
    rows += [f"{name}: {summary.verdict} Call {name} for the places." for name, summary in summaries]
    rows += [f"most findings: {item.path} {item.count:,}" for item in page.worst_files]
    return Answer("\n".join([*rows, *notice_lines(notices)]), page.model_dump(mode="json", exclude_none=True))
