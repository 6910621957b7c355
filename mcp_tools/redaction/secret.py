"""Secret: one secret value at its place in a text."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not leave.

    `start` and `stop` are code-point offsets of the value alone, without its key and quotes. `kind` is kebab-case and
    stable; `name` is for people. `is_reportable` marks what is sure enough to be shown as a finding.
    """

    kind: str
    start: int
    stop: int
    value: str = field(repr=False)  # no log may show it
    is_reportable: bool
    name: str

    def shifted(self, by: int) -> "Secret":
        """The same secret so many characters further on."""
        if not by:
            return self
        return Secret(self.kind, self.start + by, self.stop + by, self.value, self.is_reportable, self.name)

    def moved(self, text: str, start: int, stop: int) -> "Secret":
        """The same secret at another span of another text."""
        return Secret(self.kind, start, stop, text[start:stop], self.is_reportable, self.name)
