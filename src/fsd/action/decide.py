"""What a run of the workflow is for. Pure: the context, the inputs and the environments decide.

An allow list: an event deploys where it can only be about code that this repository has taken in.
Every other event is refused, whatever the inputs say, because a job of it has the base's
credentials and a checkout that anybody can fill (`pull_request_target`, `issue_comment`, …).
https://docs.github.com/en/actions/reference/security/secure-use#mitigating-the-risks-of-untrusted-code-checkout
https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fsd.action.inputs import Inputs, Said
from fsd.github.context import QUEUE, Context, PullRequest
from fsd.manifest.environments import Environment
from fsd.manifest.ref_patterns import matches
from fsd.report.decisions import (
    BareReason,
    BareRefusal,
    BaseDeploysNowhere,
    ChangedAfterCheckout,
    Doubt,
    EventOfAnybody,
    ForeignRef,
    MergedPullRequest,
    NoDeployment,
    OtherCode,
    ProtectedFromOtherCode,
    QueueBranch,
    RefDeleted,
    RefDeploysNowhere,
    RefNotAllowed,
    Refusal,
    ReleaseEnded,
    RunNotSuccessful,
    RunOfOtherEvent,
    SeveralEnvironments,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """An operator's button: release again what was there before."""

    environment: str
    to_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOnly:
    """`reason` says why there is no environment to plan for; None where there is one."""

    environments: tuple[str, ...]
    reason: NoDeployment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateOnly:
    reason: NoDeployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """`is_surprising` where the workflow let in what then goes nowhere: somebody waits for it."""

    reason: NoDeployment
    is_surprising: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    reason: Refusal


Decision: TypeAlias = Deploy | RollBack | PlanOnly | ValidateOnly | Skip | Refuse

_DEPLOYING = frozenset(
    {"push", "release", "workflow_dispatch", "schedule", "repository_dispatch", "workflow_run"}
)
_DISPATCHES = frozenset({"workflow_dispatch", "repository_dispatch"})
_ENDED_RELEASES = frozenset({"deleted", "unpublished"})


def decide(context: Context, inputs: Inputs, environments: Mapping[str, Environment]) -> Decision:
    """`environments` is the environments file's; empty without one."""
    if context.event == "pull_request":
        return _for_pull_request(context, inputs, environments)
    if context.event == "merge_group":
        return _for_queue(context, inputs, environments)
    stopped = _stop(context, inputs)
    if stopped is not None:
        return stopped
    found = _environment(context, inputs, environments)
    if not isinstance(found, str):
        return found
    refused = _refuse_protected(context, environments.get(found))
    if refused is not None:
        return refused
    if inputs.rollback_to:
        return RollBack(environment=found, to_version=inputs.rollback_to)
    return PlanOnly(environments=(found,)) if inputs.dry_run else Deploy(environment=found)


def doubts(
    context: Context,
    environments: Mapping[str, Environment],
    decision: Deploy | RollBack | PlanOnly,
) -> tuple[Doubt, ...]:
    """What a deployment or a plan should be read with. A protected environment refuses instead."""
    checkout = context.checkout
    if checkout is None or not context.sha:
        return ()
    if context.is_as_named:
        protected = isinstance(decision, Deploy) and environments.get(decision.environment)
        if checkout.is_dirty and protected and protected.protected:
            return (ChangedAfterCheckout(environment=protected.name, commit=context.sha),)
        return ()
    return (_other_code(context),)


def targets(
    inputs: Inputs, environments: Mapping[str, Environment], *, branch: str = "", tag: str = ""
) -> tuple[str, ...]:
    """The environments of a branch or a tag. What the file says replaces the default; what the
    input says wins; and a name that is spelled out wins over a pattern that also lets it in."""
    in_file = {
        name: (*each.branches, *each.tags)
        for name, each in environments.items()
        if each.takes(branch=branch, tag=tag)
    }
    by_file = _closest(in_file, branch or tag)
    if tag or (any(each.branches for each in environments.values()) and not inputs.maps_branches):
        return by_file
    return _closest(_by_input(inputs, branch), branch) or by_file


def _by_input(inputs: Inputs, branch: str) -> dict[str, tuple[str, ...]]:
    patterns: dict[str, tuple[str, ...]] = {}
    for pattern, name in inputs.branch_environments.items():
        patterns[name] = (*patterns.get(name, ()), pattern)
    return {name: each for name, each in patterns.items() if matches(each, branch)}


def _closest(found: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    spelled = tuple(environment for environment, patterns in found.items() if name in patterns)
    return spelled or tuple(found)


# --- plans -------------------------------------------------------------------------------------


def _for_pull_request(
    context: Context, inputs: Inputs, environments: Mapping[str, Environment]
) -> Decision:
    pull = context.pull_request
    if pull is None:
        return Refuse(reason=BareRefusal.PULL_REQUEST_UNKNOWN)
    if pull.is_closed:
        return _skip_closed(pull)
    if pull.is_fork:
        return ValidateOnly(reason=BareReason.FORK)
    if context.is_dependabot and not context.can_have_credentials:
        return ValidateOnly(reason=BareReason.DEPENDABOT)
    return _plan_for(pull.base, inputs, environments)


def _skip_closed(pull: PullRequest) -> Skip:
    if pull.is_merged:
        return Skip(reason=MergedPullRequest(base=pull.base), is_surprising=True)
    return Skip(reason=BareReason.CLOSED)


def _for_queue(
    context: Context, inputs: Inputs, environments: Mapping[str, Environment]
) -> Decision:
    """A merge queue does not deploy; the push after it does."""
    if not context.queued_for and not inputs.environment:
        return ValidateOnly(reason=BareReason.QUEUE_UNKNOWN)
    return _plan_for(context.queued_for, inputs, environments)


def _plan_for(
    base: str, inputs: Inputs, environments: Mapping[str, Environment]
) -> PlanOnly | ValidateOnly:
    """Only where the merge goes: another environment's role is not this job's."""
    if inputs.environment:
        return PlanOnly(environments=(inputs.environment,))
    names = targets(inputs, environments, branch=base)
    return PlanOnly(environments=names, reason=None if names else BaseDeploysNowhere(base=base))


# --- deployments -------------------------------------------------------------------------------


def _stop(context: Context, inputs: Inputs) -> Refuse | Skip | None:
    """None where the event may deploy."""
    refused = _refuse_event(context)
    if refused is not None:
        return refused
    if context.is_deletion:
        return Skip(reason=RefDeleted(ref=context.ref))
    if context.branch.startswith(QUEUE):
        return Skip(reason=QueueBranch(branch=context.branch))
    if context.event == "release" and context.action in _ENDED_RELEASES:
        tag = context.tag or context.ref
        return Skip(reason=ReleaseEnded(tag=tag, action=context.action))
    return _refuse_empty_rollback(context, inputs)


def _refuse_event(context: Context) -> Refuse | None:
    event = context.event
    if event not in _DEPLOYING:
        return Refuse(reason=EventOfAnybody(event=event))
    if event == "workflow_run":
        return _refuse_checked_run(context)
    if context.ref and not (context.branch or context.tag):
        return Refuse(reason=ForeignRef(ref=context.ref))
    return None


def _refuse_checked_run(context: Context) -> Refuse | None:
    run = context.checked_run
    if run is None:
        return Refuse(reason=BareRefusal.RUN_UNKNOWN)
    if not run.is_own:
        return Refuse(reason=BareRefusal.FORKS_RUN)
    if run.event != "push":
        return Refuse(reason=RunOfOtherEvent(event=run.event))
    if run.conclusion != "success":
        return Refuse(reason=RunNotSuccessful(conclusion=run.conclusion, commit=context.sha))
    return None


def _refuse_empty_rollback(context: Context, inputs: Inputs) -> Refuse | None:
    """Who fills in a form to go back, and leaves one field empty, does not want a deployment."""
    if context.event not in _DISPATCHES or inputs.rollback_to or inputs.rollback_said is Said.NO:
        return None
    if inputs.rollback_said is Said.EMPTY:
        return Refuse(reason=BareRefusal.ROLLBACK_EMPTY)
    declared = {name.lower().replace("_", "-") for name in context.dispatch_inputs}
    if "rollback-to" in declared:
        return Refuse(reason=BareRefusal.ROLLBACK_NOT_TAKEN)
    return None


def _environment(
    context: Context, inputs: Inputs, environments: Mapping[str, Environment]
) -> str | Skip | Refuse:
    if inputs.environment:
        return inputs.environment
    kind, ref = ("tag", context.tag) if context.tag else ("branch", context.branch)
    if not ref:
        return Skip(reason=BareReason.NO_REF, is_surprising=True)
    match targets(inputs, environments, branch=context.branch, tag=context.tag):
        case ():
            return Skip(reason=RefDeploysNowhere(kind=kind, ref=ref), is_surprising=True)
        case (name,):
            return name
        case names:
            return Refuse(reason=SeveralEnvironments(kind=kind, ref=ref, names=names))


def _refuse_protected(context: Context, environment: Environment | None) -> Refuse | None:
    if environment is None or not environment.protected:
        return None
    if not environment.takes(branch=context.branch, tag=context.tag):
        allowed = (*environment.branches, *environment.tags)
        return Refuse(
            reason=RefNotAllowed(environment=environment.name, allowed=allowed, ref=context.ref)
        )
    if not context.is_as_named:
        code = _other_code(context)
        return Refuse(reason=ProtectedFromOtherCode(environment=environment.name, code=code))
    return None


def _other_code(context: Context) -> OtherCode:
    checkout = context.checkout
    return OtherCode(
        event=context.event,
        named=context.sha,
        head=(checkout.head or "") if checkout is not None else "",
        problem=checkout.problem if checkout is not None else "",
    )
