"""Changes and the steps of a plan in words: the only place that makes them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never

from fsd.change import BareRemark, Change, CommitCount, OwnershipTaken, Remark, RulesLacking
from fsd.plan.steps import (
    ApplyScaling,
    ApplyShared,
    ApplyStack,
    CreateCluster,
    CreateService,
    PrepareCluster,
    PutSchedule,
    RegisterRevision,
    RemoveScaling,
    ReturnTraffic,
    RunOneOff,
    SetCount,
    SetStrategy,
    Step,
    TakeOver,
    UpdateService,
    UseRevision,
)
from fsd.report.words import short_commit, short_digest

RESOURCES_SHOWN = 6  # of a stack; more would hide the other steps


def changes_text(changes: Iterable[Change], *, between: str = " · ") -> str:
    """`image sha256:1a2b… → sha256:9b1f… · environment +DATABASE_URL`."""
    return between.join(change_text(change) for change in changes)


def change_text(change: Change) -> str:
    """`cpu 512 → 1024`."""
    return f"{change.sign or ''}{change.what} {value_text(change)}".strip()


def value_text(change: Change) -> str:
    """What `change_text` says behind the attribute's name: `512 → 1024`."""
    parts = [
        *(f"+{name}" for name in change.added),
        *(f"-{name}" for name in change.removed),
        *(f"~{name}" for name in change.changed),
    ]
    if change.before is not None or change.after is not None:
        parts.append(_from_to(change))
    if remark := remark_text(change.remark):
        # Alone it is what happened ("replaced"); beside a value or a resource it explains.
        explains = bool(parts) or change.sign is not None
        parts.append(f"({remark})" if explains else remark)
    return " ".join(parts)


def remark_text(remark: Remark | None) -> str:
    """ "" for none."""
    match remark:
        case None:
            return ""
        case BareRemark():
            return _REMARKS[remark]
        case CommitCount(count=count):
            return f"{count} {'commit' if count == 1 else 'commits'}"
        case RulesLacking(rules=rules):
            return f"lacks {', '.join(rules)}"
        case OwnershipTaken(keeps=keeps):
            kept = ", its ".join(f"{kind} {name}" for kind, name in keeps) or "name"
            return f"taken over from another tool: keeps its {kept}"
        case _:
            assert_never(remark)


_REMARKS: Mapping[BareRemark, str] = {
    BareRemark.ADDED: "added",
    BareRemark.REMOVED: "removed",
    BareRemark.REPLACED: "replaced",
    BareRemark.CHANGED: "changed",
    BareRemark.MISSING: "missing",
    BareRemark.FORWARDS_ELSEWHERE: "forwards elsewhere",
    BareRemark.UNPROVED: "nothing has proved it yet",
    BareRemark.OWN_GROUP_ADDED: "one of FSD's is added",
    BareRemark.ALL_REQUESTS: "all requests",
    BareRemark.OTHER_METRIC: "of another metric",
    BareRemark.OTHER_FIELDS: "other fields",
    BareRemark.DESCRIPTIONS: "or descriptions",
}


def change_json(change: Change) -> dict[str, object]:
    """`text` is what the other reports say; the rest are its values, null where there are none."""
    return {
        "what": change.what,
        "text": value_text(change),
        "sign": str(change.sign) if change.sign else None,
        "before": change.before,
        "after": change.after,
        "added": list(change.added),
        "removed": list(change.removed),
        "changed": list(change.changed),
        "remark": remark_text(change.remark),
    }


def _from_to(change: Change) -> str:
    if change.what == "commits":
        return f"{short_commit(change.before or '')}..{short_commit(change.after or '')}"
    return f"{short_value(change.before) or 'none'} → {short_value(change.after) or 'none'}"


def short_value(value: str | None) -> str:
    """A digest is cut to what tells it from another; "" for none."""
    return short_digest(value) if value and value.startswith("sha256:") else value or ""


# --- the steps of a plan -----------------------------------------------------------------------

_KINDS: dict[type[Step], str] = {
    CreateCluster: "create-cluster",
    PrepareCluster: "prepare-cluster",
    ApplyShared: "apply-shared-stack",
    ApplyStack: "apply-stack",
    RegisterRevision: "register-revision",
    UseRevision: "use-revision",
    RunOneOff: "run-one-off",
    CreateService: "create-service",
    UpdateService: "update-service",
    SetStrategy: "set-strategy",
    ReturnTraffic: "return-traffic",
    PutSchedule: "put-schedule",
    TakeOver: "take-over",
    ApplyScaling: "apply-scaling",
    RemoveScaling: "remove-scaling",
    SetCount: "set-count",
}


def step_kind(step: Step) -> str:
    """Its name in JSON."""
    return _KINDS[type(step)]


def step_subject(step: Step) -> str:
    """What it is about: `stack`, `revision`, `service`, `schedule`, `scaling` or `cluster`."""
    match step:
        case CreateCluster() | PrepareCluster():
            return "cluster"
        case ApplyShared() | ApplyStack() | ReturnTraffic():
            return "stack"
        case RegisterRevision() | UseRevision():
            return "revision"
        case RunOneOff():
            return "task"
        case CreateService() | UpdateService() | SetStrategy() | TakeOver() | SetCount():
            return "service"
        case PutSchedule():
            return "schedule"
        case ApplyScaling() | RemoveScaling():
            return "scaling"
        case _:
            assert_never(step)


def step_text(step: Step) -> str:
    """What it does to its subject: `fsd-offer-api-dev   +TaskRole · ~TaskSecurityGroup`."""
    match step:
        case (
            PrepareCluster()
            | ApplyShared()
            | ApplyStack()
            | CreateService()
            | UpdateService()
            | SetStrategy()
            | PutSchedule()
            | TakeOver()
            | SetCount()
        ):
            return f"{step.name}   {step_effect(step)}".rstrip()
        case _:
            return step_effect(step)


def step_effect(step: Step) -> str:
    """`step_text` without the name of what is changed."""
    match step:
        case CreateCluster() | PrepareCluster():
            return _cluster_text(step)
        case ApplyShared() | ApplyStack():
            return _stack_text(step)
        case RegisterRevision(changes=changes, family=family):
            return changes_text(changes) or family
        case UseRevision(changes=changes, arn=arn):
            return f"{arn.rpartition('/')[2]} (registered before)   {changes_text(changes)}"
        case RunOneOff(key=key, one_off=one_off):
            return f"{key}: {' '.join(one_off.command)}"
        case CreateService() | PutSchedule():
            return _release_text(step)
        case (
            UpdateService(changes=changes)
            | TakeOver(changes=changes)
            | ReturnTraffic(changes=changes)
            | ApplyScaling(changes=changes)
        ):
            return changes_text(changes)
        case RemoveScaling(kept_for=others):
            kept = f" by FSD's policies; {', '.join(others)} stays" if others else ""
            return f"no longer scaled{kept}"
        case SetCount() | SetStrategy():
            return _setting_text(step)
        case _:
            assert_never(step)


def _setting_text(step: SetCount | SetStrategy) -> str:
    text = changes_text(step.changes)
    if isinstance(step, SetCount):
        return f"{text}   once auto scaling is gone"
    return f"{text}   after the rollout" if step.is_after else text


def _release_text(step: CreateService | PutSchedule) -> str:
    if isinstance(step, CreateService):
        return f"{step.desired_count} task{'' if step.desired_count == 1 else 's'}"
    moved = ("starts the new revision",) if step.releases else ()
    return " · ".join((*moved, *filter(None, [changes_text(step.changes)])))


def _cluster_text(step: CreateCluster | PrepareCluster) -> str:
    if isinstance(step, CreateCluster):
        return step.name
    parts = [f"+namespace {step.namespace}"] if step.namespace else []
    parts += [f"+capacity provider {name}" for name in step.providers]
    return " · ".join(parts)


def _stack_text(step: ApplyShared | ApplyStack) -> str:
    if isinstance(step, ApplyShared):
        return f"shared load balancer   {changes_text(step.changes)}"
    if step.cleans_up:
        return f"{changes_text(step.changes)}   once no old task needs it"
    if step.adds_everything:
        return f"{len(step.changes)} resources"
    more = len(step.changes) - RESOURCES_SHOWN
    shown = changes_text(step.changes[:RESOURCES_SHOWN])
    return f"{shown} · {more} more" if more > 0 else shown
