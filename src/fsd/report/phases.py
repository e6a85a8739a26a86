"""What the phases of a deployment say: the only place that makes these words. Pure."""

from __future__ import annotations

from typing import assert_never

from fsd.durations import duration_text
from fsd.release.messages import (
    BackAndHealth,
    BackEnded,
    BackUnknown,
    BareMessage,
    Down,
    NothingBefore,
    OvertakenBy,
)
from fsd.release.phase_facts import (
    BarePhaseFact,
    EndedAfter,
    HealthyAfter,
    ImageOrigin,
    ImageReady,
    ManifestRead,
    PhaseFact,
    PushedParts,
    RolloutEnd,
    WentBack,
)
from fsd.release.result import Phase
from fsd.report.changes import changes_text, step_text

_BARE = {
    BarePhaseFact.BUILDING: "building",
    BarePhaseFact.FAILED: "failed",
    BarePhaseFact.NO_ANSWER: "AWS does not answer",
    BarePhaseFact.NO_TASK: "no task: the desired count is 0",
}
_ENDS = {
    RolloutEnd.SUPERSEDED: "superseded after",
    RolloutEnd.NO_END: "not finished after",
    RolloutEnd.FAILED: "failed after",
}


def phase_text(phase: Phase) -> str:
    """What a phase does, and what came of it once it is done; "" where it has only begun."""
    if phase.fact is not None:
        return fact_text(phase.fact)
    if phase.step is None:
        return ""
    if phase.revision:
        return f"{phase.revision}   {changes_text(phase.step_changes)}".rstrip()
    return step_text(phase.step)


def fact_text(fact: PhaseFact) -> str:
    match fact:
        case BarePhaseFact():
            return _BARE[fact]
        case ManifestRead():
            noun = "warning" if fact.warnings == 1 else "warnings"
            return f"{fact.file}: 0 errors, {fact.warnings} {noun}"
        case ImageReady():
            return f"{_image_name(fact)}   {_image_origin(fact)}"
        case HealthyAfter():
            return f"{_count(fact)} healthy after {duration_text(fact.took)}"
        case EndedAfter():
            return f"{_ENDS[fact.end]} {duration_text(fact.took)}"
        case WentBack():
            return f"{_back(fact)} {duration_text(fact.took)}"
        case _:
            assert_never(fact)


def _image_name(image: ImageReady) -> str:
    return f"{image.name}@{image.digest[:19]}…" if image.digest else f"{image.name}:{image.tag}"


def _image_origin(image: ImageReady) -> str:
    match image.origin:
        case ImageOrigin.GIVEN:
            return "given"
        case ImageOrigin.REUSED:
            return "reused from an earlier build"
        case ImageOrigin.BUILT:
            pushed = f", {_parts(image.parts)}" if image.parts else ""
            return f"built {image.seconds:.1f} s{pushed}"
        case ImageOrigin.PUSHED:
            return f"built earlier, {_parts(image.parts)}" if image.parts else "built earlier"


def _parts(parts: PushedParts) -> str:
    return f"pushed {parts.pushed} of {parts.total} {parts.unit}"


def _count(rollout: HealthyAfter) -> str:
    if rollout.running is None or rollout.desired is None:
        return "all"
    return f"{rollout.running} of {rollout.desired}"


def _back(back: WentBack) -> str:
    """`rolled back to web:41 in`, `the service is down after`."""
    message = back.message.ended if isinstance(back.message, BackAndHealth) else back.message
    if isinstance(message, Down):
        return "the service is down after"
    if back.revision:
        return f"rolled back to {back.revision} in"
    return f"{_not_back(message)} after"


def _not_back(message: BackEnded) -> str:
    match message:
        case BareMessage.HEALTHY_TOO_SOON:
            return "too late: the deployment had succeeded"
        case OvertakenBy():
            return "another deployment took over"
        case NothingBefore(is_stopped=True):
            return "nothing to roll back to; scaled to 0"
        case NothingBefore():
            return "nothing to roll back to; scaling to 0, tasks are still stopping"
        case BackUnknown():
            return "the state is not known"
        case _:
            return "the rollback did not succeed"
