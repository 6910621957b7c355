"""The steps of an audit as a client shows them. No step can fail: what was not done is said in its words."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kimi_lsp.acp.protocol import PlanEntry, Priority

LIST, FACTS, REDACT, SCREEN, REPORT = "list", "facts", "redact", "screen", "report"
_PRIORITIES: dict[str, Priority] = {LIST: "low", FACTS: "medium", REDACT: "medium", SCREEN: "high", REPORT: "medium"}


@dataclass(slots=True)
class Steps:
    """A plan while it is carried out. Steps are done in order, one at a time."""

    _entries: dict[str, PlanEntry] = field(default_factory=dict[str, PlanEntry])

    @classmethod
    def of(cls, *, with_model: bool) -> "Steps":
        """The steps that will be taken."""
        words = {LIST: "List files", FACTS: "Gather facts with the deterministic tools"}
        if with_model:
            words |= {REDACT: "Take secrets out", SCREEN: "Review with the model"}
        words |= {REPORT: "Report"}
        return cls({name: PlanEntry(text, _PRIORITIES[name], "pending") for name, text in words.items()})

    @property
    def entries(self) -> tuple[PlanEntry, ...]:
        """All of them."""
        return tuple(self._entries.values())

    def begin(self, name: str, text: str | None = None) -> None:
        """A step is under way; those before it are done, and one that was done stays so. Words stay unless given."""
        if name in self._entries and self._entries[name].status == "completed":
            self._set(name, "completed", text)
            return
        for each in self._before(name):
            self.end(each)
        self._set(name, "in_progress", text)

    def end(self, name: str, text: str | None = None) -> None:
        """A step is done."""
        self._set(name, "completed", text)

    def say(self, name: str, text: str) -> None:
        """Change a step's words."""
        if name in self._entries:
            self._entries[name] = replace_text(self._entries[name], text)

    def stop(self, why: str) -> None:
        """Nothing more is done: what was not finished says so."""
        for name, entry in self._entries.items():
            if entry.status != "completed":
                self._entries[name] = PlanEntry(f"{entry.content} ({why})", entry.priority, "completed")

    def _before(self, name: str) -> Iterable[str]:
        names = list(self._entries)
        return names[: names.index(name)] if name in self._entries else ()

    def _set(self, name: str, status: str, text: str | None) -> None:
        entry = self._entries.get(name)
        if entry is not None:
            done = status == "completed"
            self._entries[name] = PlanEntry(
                entry.content if text is None else text, entry.priority, "completed" if done else "in_progress"
            )


def replace_text(entry: PlanEntry, text: str) -> PlanEntry:
    """The entry in other words."""
    return PlanEntry(text, entry.priority, entry.status)
