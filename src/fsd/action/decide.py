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
    """`reason` says why there is no environment to plan for."""

    environments: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateOnly:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """`is_surprising` where the workflow let in what then goes nowhere: somebody waits for it."""

    reason: str
    is_surprising: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    reason: str
    fix: str


Decision: TypeAlias = Deploy | RollBack | PlanOnly | ValidateOnly | Skip | Refuse

_DEPLOYING = frozenset(
    {"push", "release", "workflow_dispatch", "schedule", "repository_dispatch", "workflow_run"}
)
_DISPATCHES = frozenset({"workflow_dispatch", "repository_dispatch"})
_ENDED_RELEASES = frozenset({"deleted", "unpublished"})
# Those that people use on a pull request's code, with what to use instead.
_ANYBODYS = {
    "pull_request_target": "use `on: pull_request`: it plans, and a fork's gets validated",
    "issue_comment": "deploy by `on: workflow_dispatch`: only who may write can start it",
}


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
) -> tuple[str, ...]:
    """What a deployment or a plan should be read with. A protected environment refuses instead."""
    checkout = context.checkout
    if checkout is None or not context.sha:
        return ()
    if context.is_as_named:
        protected = isinstance(decision, Deploy) and environments.get(decision.environment)
        if checkout.is_dirty and protected and protected.protected:
            return (
                f"{protected.name} is protected, and files of {context.sha[:7]} were changed "
                "after the checkout\nfix: commit what a step writes into them",
            )
        return ()
    return (f"{_other_code(context)}\nfix: {_ref_to_check_out(context)}",)


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
        return Refuse(
            reason="the event's file does not say which pull request this is, and of whom",
            fix="leave GITHUB_EVENT_PATH as the runner sets it",
        )
    if pull.is_closed:
        return _skip_closed(pull)
    if pull.is_fork:
        return ValidateOnly(reason="a fork's pull request gets no credentials, so there is no plan")
    if context.is_dependabot and not context.can_have_credentials:
        return ValidateOnly(
            reason="Dependabot's runs get no secrets, and this job has no `id-token: write`"
        )
    return _plan_for(pull.base, inputs, environments)


def _skip_closed(pull: PullRequest) -> Skip:
    if pull.is_merged:
        return Skip(
            reason="a pull_request event never deploys, merged or not; "
            f"the push to {pull.base or 'the base branch'} does (`on: push`)",
            is_surprising=True,
        )
    return Skip(reason="the pull request was closed, and a pull_request event never deploys")


def _for_queue(
    context: Context, inputs: Inputs, environments: Mapping[str, Environment]
) -> Decision:
    """A merge queue does not deploy; the push after it does."""
    if not context.queued_for and not inputs.environment:
        return ValidateOnly(reason="the event does not say which branch this merge group is for")
    return _plan_for(context.queued_for, inputs, environments)


def _plan_for(
    base: str, inputs: Inputs, environments: Mapping[str, Environment]
) -> PlanOnly | ValidateOnly:
    """Only where the merge goes: another environment's role is not this job's."""
    if inputs.environment:
        return PlanOnly(environments=(inputs.environment,))
    names = targets(inputs, environments, branch=base)
    reason = "" if names else f"the base branch {base or '(unknown)'} deploys nowhere"
    return PlanOnly(environments=names, reason=reason)


# --- deployments -------------------------------------------------------------------------------


def _stop(context: Context, inputs: Inputs) -> Refuse | Skip | None:
    """None where the event may deploy."""
    refused = _refuse_event(context)
    if refused is not None:
        return refused
    if context.is_deletion:
        return Skip(reason=f"{context.ref} was deleted")
    if context.branch.startswith(QUEUE):
        return Skip(reason=f"{context.branch} is a merge queue's; the push after the merge deploys")
    if context.event == "release" and context.action in _ENDED_RELEASES:
        return Skip(reason=f"the release of {context.tag or context.ref} was {context.action}")
    return _refuse_empty_rollback(context, inputs)


def _refuse_event(context: Context) -> Refuse | None:
    event = context.event
    if event not in _DEPLOYING:
        return Refuse(
            reason=f"the event {event or '(none)'} can carry the code of anybody's pull request, "
            "and this job has the repository's credentials",
            fix=_ANYBODYS.get(event, "deploy by `on: push` or `on: workflow_dispatch`"),
        )
    if event == "workflow_run":
        return _refuse_checked_run(context)
    if context.ref and not (context.branch or context.tag):
        return Refuse(
            reason=f"{context.ref} is neither a branch nor a tag of this repository",
            fix="deploy a branch or a tag",
        )
    return None


def _refuse_checked_run(context: Context) -> Refuse | None:
    run = context.checked_run
    if run is None:
        return Refuse(
            reason="the event's file does not say which run, branch and commit this is about",
            fix="deploy by `on: push`, with the tests as a job that the deployment `needs`",
        )
    if not run.is_own:
        return Refuse(
            reason="this workflow_run was started by a fork's workflow",
            fix="deploy on a push to a branch of this repository",
        )
    if run.event != "push":
        return Refuse(
            reason=f"this workflow_run is of the event {run.event or '(unknown)'}, and only one "
            "of a push deploys",
            fix="run the job only `if: github.event.workflow_run.event == 'push'`",
        )
    if run.conclusion != "success":
        return Refuse(
            reason=f"the workflow that this run follows ended with {run.conclusion or 'nothing'} "
            f"for {context.sha[:7]}",
            fix="run the job only `if: github.event.workflow_run.conclusion == 'success'`",
        )
    return None


def _refuse_empty_rollback(context: Context, inputs: Inputs) -> Refuse | None:
    """Who fills in a form to go back, and leaves one field empty, does not want a deployment."""
    if context.event not in _DISPATCHES or inputs.rollback_to or inputs.rollback_said is Said.NO:
        return None
    if inputs.rollback_said is Said.EMPTY:
        return Refuse(
            reason="`rollback-to` is empty, so this could be a rollback or a deployment",
            fix="name a release or `previous`; to deploy, write `rollback-to: false`",
        )
    declared = {name.lower().replace("_", "-") for name in context.dispatch_inputs}
    if "rollback-to" in declared:
        return Refuse(
            reason="the dispatch has an input `rollback-to`, and the step does not take it",
            fix="give the step `rollback-to: ${{ inputs.rollback-to }}`; "
            "where it only deploys, `rollback-to: false`",
        )
    return None


def _environment(
    context: Context, inputs: Inputs, environments: Mapping[str, Environment]
) -> str | Skip | Refuse:
    if inputs.environment:
        return inputs.environment
    kind, ref = ("tag", context.tag) if context.tag else ("branch", context.branch)
    if not ref:
        return Skip(
            reason="the event names no branch and no tag; the input `environment` says where it "
            "goes",
            is_surprising=True,
        )
    match targets(inputs, environments, branch=context.branch, tag=context.tag):
        case ():
            return Skip(reason=_nowhere(kind, ref), is_surprising=True)
        case (name,):
            return name
        case names:
            return Refuse(
                reason=f"the {kind} {ref} deploys to more than one: {', '.join(names)}",
                fix="give each its own job with the input `environment`",
            )


def _nowhere(kind: str, ref: str) -> str:
    if kind == "tag":
        return f"the tag {ref} deploys nowhere; `tags` in the environments file says where it goes"
    return f"the branch {ref} deploys nowhere"


_HOW_TO_CHECK_OUT = (
    "check out the event's commit: use actions/checkout without `ref`, and into the folder that "
    "is deployed"
)


def _refuse_protected(context: Context, environment: Environment | None) -> Refuse | None:
    if environment is None or not environment.protected:
        return None
    if not environment.takes(branch=context.branch, tag=context.tag):
        allowed = ", ".join((*environment.branches, *environment.tags)) or "none"
        return Refuse(
            reason=f"{environment.name} is protected and takes only its branches and tags "
            f"({allowed}); this is {context.ref or 'no branch'}",
            fix="run it on one of them, or change `branches` or `tags` in the environments file",
        )
    if not context.is_as_named:
        return Refuse(
            reason=f"{environment.name} is protected, and {_other_code(context)}",
            fix=_ref_to_check_out(context),
        )
    return None


def _other_code(context: Context) -> str:
    checkout, named = context.checkout, context.sha[:7] or "no commit"
    if checkout is not None and checkout.head:
        return f"{checkout.head[:7]} is checked out, while the event is about {named}"
    why = f" ({checkout.problem})" if checkout is not None and checkout.problem else ""
    return f"git does not say that {named}, which the event is about, is what is checked out{why}"


def _ref_to_check_out(context: Context) -> str:
    if context.event == "workflow_run":
        return (
            "give actions/checkout `ref: ${{ github.event.workflow_run.head_sha }}`: "
            "it takes the default branch without"
        )
    return _HOW_TO_CHECK_OUT
