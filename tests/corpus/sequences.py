"""Random rollouts that ECS's transition table allows, as timelines of the corpus."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.corpus.play import Timeline, parse
from tests.corpus.transitions import EVENTS, FAULTS, FOLLOWS, TASK_ENDS

STEPS = 10
PAUSES = (1, 2, 3, 5, 9, 20, 45, 100)
STATUSES_OF_FAILURE = {"STOPPED", "STOP_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED"}


@dataclass
class Script:
    """A timeline while it is drawn."""

    draw: st.DrawFn
    start: str
    lines: list[str] = field(default_factory=list)

    def pause(self) -> int:
        return self.draw(st.sampled_from(PAUSES))

    def say(self, at: str, text: str) -> None:
        self.lines.append(f"{at}  {text}")

    def counts(self) -> str:
        return f"{self.draw(st.integers(0, 2))}/2  failed {self.draw(st.integers(0, 3))}"

    def next_status(self, status: str) -> str:
        """One that the table allows; a first deployment has nothing that it could go back to."""
        allowed = FOLLOWS[status]
        if self.start == "first":
            allowed = tuple(s for s in allowed if s != "ROLLBACK_SUCCESSFUL")
        return self.draw(st.sampled_from(allowed))

    def walk(self, name: str, anchor: str, status: str) -> None:
        """Moves of one deployment until its end, or until it is left as it is."""
        at = 0
        for _ in range(4):
            if not FOLLOWS[status]:
                return
            at += self.pause()
            status = self.next_status(status)
            self.say(f"{anchor}+{at}s", f"{name}  {status}  {self.counts()}  {_why(status)}")


def _why(status: str) -> str:
    failed = "TRIGGERED  tasks failed to start"
    return failed if status in STATUSES_OF_FAILURE else "as it goes"


@st.composite
def timelines(draw: st.DrawFn, *, faults: bool = True) -> Timeline:
    """One rollout: its moves, tasks that end, events, faults, another's deployment, the answer to
    StopServiceDeployment, and how the deployment that goes back fares."""
    script = Script(draw=draw, start=draw(st.sampled_from(("first", "update", "restart"))))
    if faults and draw(st.booleans()):
        script.say("0s", "unlisted  20s")
    script.say("0s", "ours  PENDING  0/2")
    status, at = "PENDING", 0
    kinds = ["move", "move", "move", "task", "old task", "event", "counts", "other"]
    kinds += ["fault"] if faults else []
    for _ in range(draw(st.integers(1, STEPS))):
        at += script.pause()
        match draw(st.sampled_from(kinds)):
            case "move" if FOLLOWS[status]:
                status = script.next_status(status)
                script.say(f"{at}s", f"ours  {status}  {script.counts()}  {_why(status)}")
            case "task":
                _, text = TASK_ENDS[draw(st.sampled_from(sorted(TASK_ENDS)))]
                script.say(f"{at}s", f"stopped  {text}")
            case "old task" if script.start == "update":
                script.say(f"{at}s", f"stopped  web-dev:41  {TASK_ENDS['image'][1]}")
            case "event":
                script.say(f"{at}s", f"event  {draw(st.sampled_from(EVENTS))}")
            case "counts" if FOLLOWS[status]:
                script.say(f"{at}s", f"ours  {status}  {script.counts()}")
            case "fault":
                script.say(f"{at}s", draw(st.sampled_from(FAULTS)))
            case "other" if status in {"PENDING", "IN_PROGRESS"}:
                status = "STOPPED"
                script.say(f"{at}s", "other  web-dev:99  IN_PROGRESS  0/2")
                script.say(f"{at}s", "ours  STOP_REQUESTED")
                why = draw(st.sampled_from(("a new one was started", _why("STOPPED"))))
                script.say(f"{at + script.pause()}s", f"ours  STOPPED  {why}")
    script.say("stop+0s", "ours  ROLLBACK_REQUESTED")
    script.walk("ours", "stop", "ROLLBACK_REQUESTED")
    script.walk("back", "back", "PENDING")
    text = "\n".join(
        ["=== drawn", f"start  {script.start}  timeout=10m", *script.lines, "verdict  any"]
    )
    return parse(text, file="drawn")[0]
