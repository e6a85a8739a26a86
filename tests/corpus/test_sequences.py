"""What always holds of a verdict, whatever ECS's transition table allows to happen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from fsd.release.pace import POLL_ERRORS_TOLERATED, Pace
from fsd.release.result import Outcome
from fsd.release.rollback_target import ROLLBACK_TIME
from fsd.release.service_reader import DEPLOYMENT_EVERY
from fsd.report.messages import message_text
from tests.corpus.play import Line, Played, Stage, Timeline
from tests.corpus.sequences import timelines
from tests.corpus.transitions import FOLLOWS, TASK_ENDS

TIMEOUT = timedelta(minutes=10)
SETTINGS = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


class Watched(Stage):
    """A stage that keeps to the transition table, and remembers when ours became what."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        self.history: list[tuple[timedelta, str]] = []
        self.clobbered = False

    def _rollout(self, name: str, columns: Sequence[str]) -> None:
        rollout = self.world.find(name)
        status = columns[0]
        if rollout is None or (
            status != rollout.status
            and rollout.status in FOLLOWS
            and (name != "other" and status not in FOLLOWS[rollout.status])
        ):
            return
        super()._rollout(name, columns)
        if name == "ours" and self.took is not None:
            self.history.append((self.clock.now() - self.took, rollout.status))

    def _other(self, revision: str, *columns: str) -> None:
        ours = self.world.find("ours")
        if ours is not None and not ours.is_final:
            super()._other(revision, *columns)

    def _deployed(self, name: str) -> None:
        if name != "ours" and self.world.find("other") is not None:
            self.clobbered = True
        super()._deployed(name)

    def status_at(self, moment: timedelta) -> str:
        return next((s for at, s in reversed(self.history) if at <= moment), "PENDING")


def look(timeline: Timeline, *, denied: bool = False) -> tuple[Watched, Played]:
    for line in timeline.lines:
        note(f"{line.anchor}+{line.after.total_seconds():g}s  {line.kind}  {line.columns}")
    stage = Watched(timeline)
    stage.world.denied = denied
    played = stage.run()
    note(f"{played.result.outcome} at {played.judged}: {message_text(played.result.message)}")
    return stage, played


def evidence_before(timeline: Timeline, moment: timedelta) -> bool:
    """Whether tasks of ours ended by then, as often as the table says that it takes."""
    ends = [line for line in timeline.lines if line.kind == "stopped" and not line.anchor]
    ours = [line for line in ends if line.after <= moment and line.columns[0] != "web-dev:41"]
    for after, text in TASK_ENDS.values():
        same = [line for line in ours if line.columns == _columns(text)]
        if after and len(same) >= after:
            return True
    return False


def aws_stays_away(timeline: Timeline) -> bool:
    """Whether there are as many errors as may stand in a row: then the state is not known."""
    errors = [line.columns for line in timeline.lines if "ServerException" in line.columns]
    planted = sum(int(columns[-1].removeprefix("×")) for columns in errors)
    return planted >= POLL_ERRORS_TOLERATED


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split("  "))


@SETTINGS
@given(timeline=timelines())
def test_deploy__any_allowed_sequence__the_verdict_is_what_happened(timeline: Timeline) -> None:
    stage, played = look(timeline)
    ours, back, other = (stage.world.find(name) for name in ("ours", "back", "other"))
    assert ours is not None

    match played.result.outcome:
        case Outcome.SUCCEEDED:
            assert ours.status == "SUCCESSFUL"
            assert back is None
        case Outcome.ROLLED_BACK:
            assert ours.status == "ROLLBACK_SUCCESSFUL" or (back and back.status == "SUCCESSFUL")
        case Outcome.SUPERSEDED:
            assert other is not None
        case Outcome.ROLLBACK_FAILED:
            is_good = ours.status in {"SUCCESSFUL", "ROLLBACK_SUCCESSFUL"}
            assert not is_good or back is not None or aws_stays_away(timeline)
        case Outcome.TIMED_OUT:
            assert played.judged is not None
            assert played.judged >= TIMEOUT or aws_stays_away(timeline)
        case outcome:
            raise AssertionError(outcome)


@SETTINGS
@given(timeline=timelines())
def test_deploy__any_allowed_sequence__no_verdict_before_the_evidence(timeline: Timeline) -> None:
    stage, played = look(timeline)
    assert played.judged is not None
    status = stage.status_at(played.judged)

    stops = [name for name, _ in played.world.made if name == "stop_service_deployment"]
    if stops or played.result.outcome is Outcome.ROLLBACK_FAILED:
        failed = status.startswith(("ROLLBACK", "STOP"))
        assert failed or evidence_before(timeline, played.judged)
    if stops and timeline.start[0] != "restart":
        assert evidence_before(timeline, played.judged)
    if played.result.outcome is Outcome.SUCCEEDED:
        assert "SUCCESSFUL" in {s for _, s in stage.history}


@SETTINGS
@given(timeline=timelines())
def test_deploy__any_allowed_sequence__nothing_of_another_is_undone(timeline: Timeline) -> None:
    stage, played = look(timeline)

    assert not stage.clobbered
    if stage.world.find("other") is not None:
        assert stage.world.desired == 2
        assert played.result.outcome is not Outcome.ROLLED_BACK or stage.world.find("back")


@SETTINGS
@given(timeline=timelines())
def test_deploy__any_allowed_sequence__it_ends_and_calls_are_few(timeline: Timeline) -> None:
    stage, played = look(timeline)
    assert played.judged is not None
    assert stage.took is not None
    moves = len([line for line in timeline.lines if _moves(line)])
    faults = len([line for line in timeline.lines if line.kind == "fails"])

    assert stage.clock.now() - stage.took <= TIMEOUT + 3 * ROLLBACK_TIME
    seconds = played.judged.total_seconds()
    # Every change of a deployment's state is read at once; what fails is asked for again.
    after = AFTER if played.result.outcome is Outcome.ROLLBACK_FAILED else 0
    allowed = max(60.0, seconds / 2) + 2 * moves + 3 * faults + BEFORE + after + RUNNING_TASKS
    assert calls_of(played) <= allowed


@SETTINGS
@given(timeline=timelines(faults=False))
def test_deploy__aws_answers__judged_at_the_next_look(timeline: Timeline) -> None:
    """What DescribeServices shows is seen at the next look, the rest within six."""
    stage, played = look(timeline)
    ends = [(at, status) for at, status in stage.history if status in ENDS]
    assert played.judged is not None
    # A restart has no phase that tells when it was judged; it ends with its rollback.
    assume(timeline.start[0] != "restart")

    for at, status in ends[:1]:
        pause = Pace().interval(at)
        goes_to_nothing = timeline.start[0] == "first" and status == "ROLLBACK_IN_PROGRESS"
        is_shown = status in SHOWN_BY_SERVICES and not goes_to_nothing
        looks = 1 if is_shown else DEPLOYMENT_EVERY
        assert played.judged <= min(at + looks * pause, TIMEOUT)


ENDS = set(FOLLOWS) - {"PENDING", "IN_PROGRESS", "STOP_REQUESTED"}
SHOWN_BY_SERVICES = ENDS - {"ROLLBACK_REQUESTED"}
RUNNING_TASKS = 2  # listed and described, where a failure is explained and no look has read them
BEFORE = 14  # calls that observe, plan and apply, and that tag a revision that failed
AFTER = 3  # calls that see whether a task is healthy where a rollback has failed


def calls_of(played: Played) -> int:
    return sum(played.calls.values())


def _moves(line: Line) -> bool:
    return line.kind in {"ours", "other"} and not line.anchor


@settings(SETTINGS, max_examples=60)
@given(timeline=timelines(faults=False))
def test_deploy__api_denied__no_wrong_success_and_nothing_undone(timeline: Timeline) -> None:
    stage, played = look(timeline, denied=True)
    ours = stage.world.find("ours")
    assert ours is not None

    assert not stage.clobbered
    if played.result.outcome is Outcome.SUCCEEDED:
        assert ours.status == "SUCCESSFUL"
    if played.result.outcome is Outcome.ROLLED_BACK:
        back = stage.world.find("back")
        assert ours.status == "ROLLBACK_SUCCESSFUL" or (back and back.status == "SUCCESSFUL")


@given(data=st.data())
def test_transitions__every_walk__ends(data: st.DataObject) -> None:
    """The table has no circle: a deployment that goes on moving comes to an end."""
    status, seen = "PENDING", set[str]()
    while FOLLOWS[status]:
        assert status not in seen
        seen.add(status)
        status = data.draw(st.sampled_from(FOLLOWS[status]))
