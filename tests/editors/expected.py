"""What an editor shows of the workshop's file, and a model's answer that a test lets through in parts."""

from dataclasses import dataclass

from tests.cli.harness import answer, finding
from tests.editors.steered import Shown
from tests.editors.workshop import SECRET
from tests.fakes.kimi import FakeKimi
from tests.fakes.script import Gate

TOKEN = Shown(
    line=2,
    column=9,
    text=SECRET,
    code="hard-coded-secret",
    severity="error",
    message="A secret stands in the text (AWS access key id); revoke it, and read it from where only the program can.",
    source="kimi",
)
EVAL = Shown(
    line=6,
    column=22,
    text='eval("obj." + name)',
    code="code-injection",
    severity="error",
    message="Text that is not constant is run as Python; parse it instead (`ast.literal_eval`, `json.loads`).",
    source="kimi",
)
TRAVERSAL = Shown(
    line=11,
    column=4,
    text="return open(path).read()",
    code="path-traversal",
    severity="warning",
    message="Outside text chooses the file that is read.",
    source="kimi",
)
ACCESS = Shown(
    line=9,
    column=0,
    text="def read(root: str, name: str) -> str:",
    code="broken-access-control",
    severity="warning",
    message="Whoever asks is given the file.",
    source="kimi",
)
_EVENTS_OF_ONE_FINDING = 60  # of 8 characters each: more than the first finding has, less than both


@dataclass(frozen=True, slots=True)
class Review:
    """A model's answer of two findings, TRAVERSAL and then ACCESS, that waits to be let through."""

    gate: Gate

    @classmethod
    def by(cls, kimi: FakeKimi) -> "Review":
        """Have a model answer so when it is asked next."""
        gate = Gate()
        findings = [finding(one.code, one.line + 1, one.text, one.message) for one in (TRAVERSAL, ACCESS)]
        kimi.enqueue(answer(*findings, reasoning="Hm.", chunk_chars=8, gate=gate))
        return cls(gate)

    def let_one_through(self) -> None:
        """Send the answer up to some place behind its first finding."""
        self.gate.release(_EVENTS_OF_ONE_FINDING)

    def let_all_through(self) -> None:
        """Send the rest."""
        self.gate.open()
