"""Plays a rollout that is written as text: the real commands over an ECS that follows the script.

    === a title
    source   where it is known from
    start    update  count=2  timeout=5m        what runs before, and what is asked for
    0s       ours  IN_PROGRESS  0/2             from the moment on when ECS took the change
    20s      ours  SUCCESSFUL  2/2
    verdict  succeeded  exit 0  at 20s          `at`: when the rollout was judged

Columns are separated by two or more spaces. A time may also be `stop+4s` (after FSD's
StopServiceDeployment), `back+4s` (after its second UpdateService) or `-5s` (before the command).
`tests/corpus/README.md` lists all words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from fsd.aws.ecs_tolerant import TolerantEcs
from fsd.compile.desired import Json, Scaling
from fsd.errors import Interrupted
from fsd.release.concurrency.in_flight import InFlight
from fsd.release.deploy import deploy
from fsd.release.deploy_request import OnCancel
from fsd.release.notes import Note
from fsd.release.operation import Operation, ServiceRef
from fsd.release.ports import LogLine
from fsd.release.redeploy import restart
from fsd.release.result import Phase, PhaseName, PhaseState, Progress, Result
from fsd.release.rollback_to_version import roll_back
from fsd.report.notes import note_text
from fsd.snapshot import TargetHealth
from tests.fakes.aws import FakeAws
from tests.fakes.ecs_world import EcsWorld, WorldClients, WorldClock, WorldLogs, WorldTargets
from tests.unit.release.desired import make_desired, make_request

FOLDER = Path(__file__).parent
TARGET_GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web-dev/1"


@dataclass(frozen=True, kw_only=True)
class Line:
    anchor: str  # "", stop, back
    after: timedelta
    kind: str
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Timeline:
    file: str
    title: str
    start: tuple[str, ...]
    lines: tuple[Line, ...]
    verdict: tuple[str, ...]
    says: tuple[str, ...]  # texts that the result contains
    never: tuple[str, ...]  # texts that it does not

    def has(self, option: str) -> bool:
        return option in self.start

    def option(self, name: str, default: str) -> str:
        found = (o.partition("=")[2] for o in self.start if o.startswith(f"{name}="))
        return next(found, default)


@dataclass(frozen=True, kw_only=True)
class Played:
    result: Result
    judged: timedelta | None  # after ECS took the change
    world: EcsWorld
    calls: Counter[str]  # until it was judged
    watching: Counter[str]  # those of them that came after ECS took the change
    notes: tuple[str, ...]
    progress: tuple[Progress, ...]


# --- reading ------------------------------------------------------------------------------------


def read_timelines() -> list[Timeline]:
    return [
        timeline
        for path in sorted(FOLDER.glob("*.txt"))
        for timeline in parse(path.read_text(), file=path.stem)
    ]


def parse(text: str, *, file: str) -> list[Timeline]:
    blocks = re.split(r"^=== ", text, flags=re.MULTILINE)[1:]
    return [_timeline(block, file) for block in blocks]


def _timeline(block: str, file: str) -> Timeline:
    title, *rest = [line.strip() for line in block.splitlines() if line.strip()]
    start: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    says, never, lines = [], [], []
    for text in rest:
        head, *columns = re.split(r"\s{2,}", text)
        match head:
            case "source" | "note":
                pass
            case "start":
                start = tuple(columns)
            case "verdict":
                verdict = tuple(columns)
            case "says":
                says.append("  ".join(columns))
            case "never":
                never.append("  ".join(columns))
            case _:
                lines.append(_line(head, columns))
    assert start, f"{title}: no start"
    assert verdict, f"{title}: no verdict"
    return Timeline(
        file=file, title=title, start=start, lines=tuple(lines), verdict=verdict,
        says=tuple(says), never=tuple(never),
    )  # fmt: skip


def _line(head: str, columns: Sequence[str]) -> Line:
    anchor, _, after = head.rpartition("+")
    return Line(anchor=anchor, after=duration(after), kind=columns[0], columns=tuple(columns[1:]))


def duration(text: str) -> timedelta:
    """`-5s`, `90s`, `1m30s`, `2m`."""
    found = re.fullmatch(r"(-?)(?:(\d+)m)?(?:(\d+)s)?", text)
    assert found is not None, text
    length = timedelta(minutes=int(found[2] or 0), seconds=int(found[3] or 0))
    return -length if found[1] else length


# --- playing ------------------------------------------------------------------------------------


@dataclass
class Recorder:
    """The reporter of the play: notes when the rollout was judged."""

    clock: WorldClock
    world: EcsWorld
    judged: datetime | None = None
    calls: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    progresses: list[Progress] = field(default_factory=list)

    def begin(self, headline: str) -> None:
        del headline

    def phase(self, phase: Phase) -> None:
        if phase.name is PhaseName.ROLLOUT and phase.state is not PhaseState.RUNNING:
            self.judged = self.clock.now()
            self.calls = Counter(self.world.calls)

    def progress(self, progress: Progress) -> None:
        self.progresses.append(progress)

    def note(self, note: Note) -> None:
        self.notes.append(note_text(note))


def play(timeline: Timeline, *, denied: bool = False) -> Played:
    stage = Stage(timeline)
    stage.world.denied = denied or timeline.has("denied")
    return stage.run()


class Stage:
    """One play: the world, what happens in it when, and the command that runs."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.clock = WorldClock()
        self.world = EcsWorld(self.clock)
        self.fakes = FakeAws()
        self.targets = WorldTargets()
        self.logs = WorldLogs()
        self.recorder = Recorder(clock=self.clock, world=self.world)
        self.took: datetime | None = None
        self.before: Counter[str] = Counter()
        self.world.on_deploy = self._deployed
        self.world.on_stop = lambda: self._schedule("stop", "stop")

    def run(self) -> Played:
        count = int(self.timeline.option("before", self.timeline.option("count", "2")))
        if not self.timeline.has("first"):
            before = self.timeline.option("revision", "web-dev:41")
            definition = _definition("repo@sha256:" + "41" * 32)
            if self.timeline.has("same"):
                definition = dict(make_desired().task_definition)
            for revision in ("web-dev:40", before):
                self.world.define(revision, definition)
            self.world.declare_running(before, definition, count=count)
            self.fakes.stacks.apply("fsd-web-dev", template=make_desired().template, tags={
                "fsd:service": "web"})  # fmt: skip
        self._schedule("before", "")
        self.clock.wait(timedelta(seconds=10))
        result = self._command()
        took = self.took
        judged = self.recorder.judged
        if judged is None:
            judged, self.recorder.calls = result.finished_at, Counter(self.world.calls)
        return Played(
            result=result,
            judged=judged - took if took else None,
            world=self.world,
            calls=self.recorder.calls,
            watching=self.recorder.calls - self.before,
            notes=tuple(self.recorder.notes),
            progress=tuple(self.recorder.progresses),
        )

    # --- the command -----------------------------------------------------------------------

    def _command(self) -> Result:
        ecs = TolerantEcs(
            clients=WorldClients(self.world), clock=self.clock, poll=timedelta(seconds=2),
            warn=self.recorder.notes.append,
        )  # fmt: skip
        aws = replace(self.fakes.aws(), ecs=ecs, targets=self.targets, logs=self.logs)
        timeline = self.timeline
        timeout = duration(timeline.option("timeout", "20m"))
        if timeline.has("restart") or timeline.has("rollback"):
            ref = ServiceRef(
                service="web", environment="dev", cluster="dev", name="web-dev",
                stack_name="fsd-web-dev",
            )  # fmt: skip
            operation = Operation(
                aws=aws, ref=ref, clock=self.clock, reporter=self.recorder, timeout=timeout
            )
            return restart(operation) if timeline.has("restart") else roll_back(operation, "v40")
        scaling = None
        if timeline.has("scaled"):
            scaling = Scaling(minimum=2, maximum=9, cpu=70, memory=None, scale_in_cooldown=1,
                              scale_out_cooldown=1)  # fmt: skip
            self.fakes.scaling.scaling = scaling
        desired = make_desired(count=int(timeline.option("count", "2")), scaling=scaling)
        if ringing := timeline.option("ringing", ""):
            self.fakes.alarms.states[ringing] = "ALARM"
            alarms: Json = {"enable": True, "rollback": True, "alarmNames": [ringing]}
            service = replace(desired.service, deployment_configuration={"alarms": alarms})
            desired = replace(desired, service=service)
        request = make_request(
            desired,
            timeout=timeout,
            wait=not timeline.has("no-wait"),
            rollback=not timeline.has("no-rollback"),
            on_cancel=OnCancel(timeline.option("on-cancel", "leave")),
            in_flight=InFlight(timeline.option("in-flight", "refuse")),
        )
        return deploy(request, aws, clock=self.clock, reporter=self.recorder)

    # --- what happens ----------------------------------------------------------------------

    def _deployed(self, name: str) -> None:
        if name == "ours":
            self.took = self.clock.now()
            self.before = Counter(self.world.calls)
            self._schedule("", name)
        else:
            self._schedule("back", name)

    def _schedule(self, anchor: str, name: str) -> None:
        del name
        now = self.clock.now()
        for line in self.timeline.lines:
            is_before = line.after < timedelta()
            if anchor == "before" and is_before:
                self._happen(line)
            elif anchor == line.anchor and not is_before:
                self.clock.at(now + line.after, self._action(line))
        self.clock.settle()

    def _action(self, line: Line) -> Callable[[], None]:
        return lambda: self._happen(line)

    def _happen(self, line: Line) -> None:
        happen: dict[str, Callable[..., None]] = {
            "ours": lambda *columns: self._rollout("ours", columns),
            "back": lambda *columns: self._rollout("back", columns),
            "other": self._other,
            "old": self._old,
            "service": self._service,
            "stopped": self._stopped,
            "task": self._task,
            "target": self._target,
            "event": lambda *words: self.world.say("  ".join(words)),
            "log": lambda *words: self._log("  ".join(words)),
            "fails": self._fails,
            "stale": lambda length: self.world.freeze(duration(length)),
            "unlisted": self._unlisted,
            "hides": lambda *keys: self.world.hides.update(keys),
            "denied": self._deny,
            "desired": self._desired,
            "signal": self._signal,
        }
        happen[line.kind](*line.columns)

    def _rollout(self, name: str, columns: Sequence[str]) -> None:
        rollout = self.world.find(name)
        assert rollout is not None, name
        rollout.status, words = columns[0], list(columns[1:])
        fields = rollout.fields
        for word in list(words):
            if counts := re.fullmatch(r"(\d+)/(\d+)", word):
                rollout.running, rollout.requested = int(counts[1]), int(counts[2])
            elif failed := re.fullmatch(r"failed (\d+)", word):
                rollout.failed = int(failed[1])
            elif word == "TRIGGERED":
                fields["deploymentCircuitBreaker"] = {
                    "status": word, "failureCount": rollout.failed, "threshold": 3,
                }  # fmt: skip
            elif word.startswith("alarm="):
                _, status, alarm = re.split("[= ]", word)
                fields["alarms"] = {
                    "status": status, "alarmNames": [alarm], "triggeredAlarmNames": [alarm],
                }  # fmt: skip
            elif word.startswith("stage="):
                fields["lifecycleStage"] = word.removeprefix("stage=")
            elif word.startswith("hook="):
                fields["lifecycleHookDetails"] = [self._hook(word.removeprefix("hook="))]
            else:
                continue
            words.remove(word)
        rollout.reason = "  ".join(words)

    def _hook(self, text: str) -> dict[str, object]:
        """`gate PAUSE AWAITING_ACTION 24m ROLLBACK`"""
        id_, target, status, expires, action = text.split()
        return {
            "hookId": id_,
            "targetType": target,
            "status": status,
            "expiresAt": self.clock.now() + duration(expires),
            "timeoutAction": action,
        }

    def _other(self, revision: str, *columns: str) -> None:
        """Somebody else's deployment; ours ends unless the script says otherwise."""
        if self.world.find("other") is None:
            if revision not in self.world.definitions:
                self.world.define(revision, _definition("repo@sha256:" + "99" * 32))
            self.world.begin("other", revision)
        self._rollout("other", columns)

    def _old(self, counts: str) -> None:
        before = self.world.find("before")
        assert before is not None
        before.running = int(counts.partition("/")[0])

    def _service(self, status: str) -> None:
        self.world.status, self.world.exists = status, status != "gone"

    def _stopped(self, *columns: str) -> None:
        words = list(columns)
        times = next((int(w[1:]) for w in words if re.fullmatch(r"×\d+", w)), 1)
        exit_code = next((int(w.split()[1]) for w in words if re.fullmatch(r"exit \d+", w)), None)
        words = [w for w in words if not re.fullmatch(r"×\d+|exit \d+", w)]
        revision = words.pop(0) if re.fullmatch(r"web-dev:\d+", words[0]) else self._our_revision()
        code, *reason = words
        for _ in range(times):
            # ECS starts another in its place, and says so.
            self.world.say("has started 1 tasks: (task x).")
            self.world.stop_task(revision, code, "  ".join(reason), exit_code=exit_code)

    def _our_revision(self) -> str:
        ours = self.world.find("ours")
        return ours.revision if ours else "web-dev:42"

    def _task(self, address: str, status: str, health: str = "UNKNOWN") -> None:
        """A task of ours that should run."""
        arn = f"arn:aws:ecs:us-east-1:123456789012:task/dev/{address}"
        prefix = "arn:aws:ecs:us-east-1:123456789012:task-definition/"
        self.world.tasks = [t for t in self.world.tasks if t["taskArn"] != arn]
        self.world.tasks.append(
            {
                "taskArn": arn,
                "taskDefinitionArn": prefix + self._our_revision(),
                "lastStatus": status,
                "healthStatus": health,
                "attachments": [{"details": [{"name": "privateIPv4Address", "value": address}]}],
            }
        )

    def _target(self, address: str, state: str, reason: str = "", description: str = "") -> None:
        self.targets.healths[address] = TargetHealth(
            address=address, port=8000, state=state, reason=reason, description=description
        )

    def _log(self, text: str) -> None:
        self.logs.lines.append(LogLine(at=self.clock.now(), text=text, stream="s"))

    def _fails(self, operation: str, code: str, times: str = "×1") -> None:
        self.world.fail(operation, code, times=int(times[1:]))

    def _unlisted(self, length: str) -> None:
        self.world.unlisted_until = self.clock.now() + duration(length)

    def _deny(self) -> None:
        self.world.denied = True

    def _desired(self, count: str) -> None:
        self.world.desired = int(count)

    def _signal(self, name: str) -> None:
        raise Interrupted(f"stopped by {name}", where="this command", fix="again")


def _definition(image: str) -> dict[str, object]:
    return {
        "family": "web-dev",
        "cpu": "512",
        "memory": "1024",
        "containerDefinitions": [
            {
                "name": "web",
                "image": image,
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": "/ecs/web-dev", "awslogs-stream-prefix": "ecs"},
                },
            }
        ],
    }
