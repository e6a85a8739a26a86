"""Random rollouts that ECS's transition table allows, as timelines of the corpus."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.corpus.play import Timeline, parse
from tests.corpus.transitions import EVENTS, FAULTS, FOLLOWS, TASK_ENDS

STEPS = 6
PAUSES = (1, 2, 3, 5, 9, 20, 45)
STATUSES_OF_FAILURE = {"STOPPED", "STOP_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED"}
# What follows most often; the rest of the table is drawn as well.
OFTEN = {
    "PENDING": ("IN_PROGRESS",) * 8,
    "IN_PROGRESS": ("SUCCESSFUL", "ROLLBACK_IN_PROGRESS") * 3,
    "ROLLBACK_REQUESTED": ("ROLLBACK_IN_PROGRESS",) * 3,
    "ROLLBACK_IN_PROGRESS": ("ROLLBACK_SUCCESSFUL",) * 2,
}


@dataclass
class Script:
    """A timeline while it is drawn."""

    draw: st.DrawFn
    start: str
    lines: list[str] = field(default_factory=list)
    at: int = 0
    status: str = "PENDING"

    def wait(self) -> None:
        self.at += self.draw(st.sampled_from(PAUSES))

    def say(self, text: str, *, anchor: str = "") -> None:
        self.lines.append(f"{anchor}{self.at}s  {text}")

    def counts(self) -> str:
        return f"{self.draw(st.integers(0, 2))}/2  failed {self.draw(st.integers(0, 3))}"

    def move(self, name: str = "ours", *, anchor: str = "") -> None:
        """To a status that the table allows; a first deployment has nothing to go back to."""
        allowed = (*OFTEN.get(self.status, ()), *FOLLOWS[self.status])
        if self.start == "first":
            allowed = tuple(s for s in allowed if s != "ROLLBACK_SUCCESSFUL")
        self.status = self.draw(st.sampled_from(allowed))
        self.say(f"{name}  {self.status}  {self.counts()}  {_why(self.status)}", anchor=anchor)

    def end(self, name: str = "ours", *, anchor: str = "") -> None:
        """Moves until the end; one in eight is left as it is."""
        while FOLLOWS[self.status]:
            if self.draw(st.integers(0, 7)) == 0:
                return
            self.wait()
            self.move(name, anchor=anchor)


def _why(status: str) -> str:
    failed = "TRIGGERED  tasks failed to start"
    return failed if status in STATUSES_OF_FAILURE else "as it goes"


@st.composite
def timelines(draw: st.DrawFn, *, faults: bool = True) -> Timeline:
    """One rollout: its moves, tasks that end, events, faults, another's deployment, the answer to
    StopServiceDeployment, and how the deployment that goes back fares."""
    script = Script(draw=draw, start=draw(st.sampled_from(("first", "update", "restart"))))
    if faults and draw(st.booleans()):
        script.say("unlisted  20s")
    if script.start != "first" and draw(st.booleans()):
        script.lines.append(f"-9s  stopped  web-dev:41  {TASK_ENDS['image'][1]}")
    script.say("ours  PENDING  0/2")
    kinds = ["move", "task", "task", "task", "old task", "event", "counts", "other"]
    kinds += ["fault"] if faults else []
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=STEPS)):
        script.wait()
        _happen(script, kind)
    script.end()
    for name, anchor, status in (("ours", "stop+", "ROLLBACK_REQUESTED"), ("back", "back+", "")):
        script.at, script.status = 0, status or "PENDING"
        script.say(f"{name}  {script.status}", anchor=anchor)
        script.end(name, anchor=anchor)
    text = "\n".join(
        ["=== drawn", f"start  {script.start}  timeout=10m", *script.lines, "verdict  any"]
    )
    return parse(text, file="drawn")[0]


def _happen(script: Script, kind: str) -> None:
    draw = script.draw
    match kind:
        case "move" if FOLLOWS[script.status]:
            script.move()
        case "task":
            _, text = TASK_ENDS[draw(st.sampled_from(sorted(TASK_ENDS)))]
            for _ in range(draw(st.integers(1, 2))):
                script.say(f"stopped  {text}")
        case "old task" if script.start == "update":
            script.say(f"stopped  web-dev:41  {TASK_ENDS['image'][1]}")
        case "event":
            script.say(f"event  {draw(st.sampled_from(EVENTS))}")
        case "counts" if FOLLOWS[script.status]:
            script.say(f"ours  {script.status}  {script.counts()}")
        case "fault":
            script.say(draw(st.sampled_from(FAULTS)))
        case "other" if script.status in {"PENDING", "IN_PROGRESS"}:
            script.say("other  web-dev:99  IN_PROGRESS  0/2")
            script.say("ours  STOP_REQUESTED")
            script.wait()
            script.status = "STOPPED"
            script.say(f"ours  STOPPED  {draw(st.sampled_from(('a new one', _why('STOPPED'))))}")
