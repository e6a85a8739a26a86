"""Why a run of a workflow deploys nothing, or is refused: the reasons as values, and their words.

`fsd.action` decides and is above this package, so the values are here, beside their words. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, assert_never

from fsd.report.words import short_commit


class BareReason(StrEnum):
    """Reasons without values to deploy nothing."""

    CLOSED = "closed"
    DEPENDABOT = "dependabot"
    FORK = "fork"
    NO_REF = "no-ref"
    QUEUE_UNKNOWN = "queue-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedPullRequest:
    base: str  # "" where the event does not name it


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseDeploysNowhere:
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefDeleted:
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueBranch:
    """A merge queue's own branch was pushed."""

    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseEnded:
    """A GitHub release was deleted or unpublished."""

    tag: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefDeploysNowhere:
    kind: str  # branch, tag
    ref: str


NoDeployment: TypeAlias = (
    BareReason
    | MergedPullRequest
    | BaseDeploysNowhere
    | RefDeleted
    | QueueBranch
    | ReleaseEnded
    | RefDeploysNowhere
)


class BareRefusal(StrEnum):
    """Refusals that have no values."""

    FORKS_RUN = "forks-run"
    PULL_REQUEST_UNKNOWN = "pull-request-unknown"
    ROLLBACK_EMPTY = "rollback-empty"
    ROLLBACK_NOT_TAKEN = "rollback-not-taken"
    RUN_UNKNOWN = "run-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOfAnybody:
    """The event can carry the code of anybody's pull request."""

    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRef:
    """Neither a branch nor a tag of this repository."""

    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOfOtherEvent:
    """A workflow_run after a workflow that no push started."""

    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNotSuccessful:
    conclusion: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralEnvironments:
    kind: str  # branch, tag
    ref: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefNotAllowed:
    """The environment is protected, and takes only some branches and tags."""

    environment: str
    allowed: tuple[str, ...]
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherCode:
    """Not the event's commit is checked out, or git does not say that it is."""

    event: str
    named: str  # the event's commit, "" where it names none
    head: str = ""  # what is checked out, "" where git does not say
    problem: str = ""  # git's words


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedFromOtherCode:
    environment: str
    code: OtherCode


Refusal: TypeAlias = (
    BareRefusal
    | EventOfAnybody
    | ForeignRef
    | RunOfOtherEvent
    | RunNotSuccessful
    | SeveralEnvironments
    | RefNotAllowed
    | ProtectedFromOtherCode
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedAfterCheckout:
    """A protected environment gets files that are not the commit's."""

    environment: str
    commit: str


Doubt: TypeAlias = OtherCode | ChangedAfterCheckout

_BARE = {
    BareReason.CLOSED: "the pull request was closed, and a pull_request event never deploys",
    BareReason.DEPENDABOT: (
        "Dependabot's runs get no secrets, and this job has no `id-token: write`"
    ),
    BareReason.FORK: "a fork's pull request gets no credentials, so there is no plan",
    BareReason.NO_REF: (
        "the event names no branch and no tag; the input `environment` says where it goes"
    ),
    BareReason.QUEUE_UNKNOWN: "the event does not say which branch this merge group is for",
}
_REFUSED = {
    BareRefusal.FORKS_RUN: "this workflow_run was started by a fork's workflow",
    BareRefusal.PULL_REQUEST_UNKNOWN: (
        "the event's file does not say which pull request this is, and of whom"
    ),
    BareRefusal.ROLLBACK_EMPTY: (
        "`rollback-to` is empty, so this could be a rollback or a deployment"
    ),
    BareRefusal.ROLLBACK_NOT_TAKEN: (
        "the dispatch has an input `rollback-to`, and the step does not take it"
    ),
    BareRefusal.RUN_UNKNOWN: (
        "the event's file does not say which run, branch and commit this is about"
    ),
}
_FIXES = {
    BareRefusal.FORKS_RUN: "deploy on a push to a branch of this repository",
    BareRefusal.PULL_REQUEST_UNKNOWN: "leave GITHUB_EVENT_PATH as the runner sets it",
    BareRefusal.ROLLBACK_EMPTY: (
        "name a release or `previous`; to deploy, write `rollback-to: false`"
    ),
    BareRefusal.ROLLBACK_NOT_TAKEN: (
        "give the step `rollback-to: ${{ inputs.rollback-to }}`; "
        "where it only deploys, `rollback-to: false`"
    ),
    BareRefusal.RUN_UNKNOWN: (
        "deploy by `on: push`, with the tests as a job that the deployment `needs`"
    ),
}
# Events that people use on a pull request's code, with what to use instead.
_INSTEAD = {
    "pull_request_target": "use `on: pull_request`: it plans, and a fork's gets validated",
    "issue_comment": "deploy by `on: workflow_dispatch`: only who may write can start it",
}


def deploy_text(environment: str) -> str:
    return f"deploy to {environment}"


def roll_back_text(environment: str, version: str) -> str:
    return f"roll {environment} back to {version}"


def plan_text(environments: Sequence[str]) -> str:
    return f"plan for {', '.join(environments) or 'no environment'}"


def no_plan_text(reason: NoDeployment) -> str:
    return f"no plan: {no_deployment_text(reason)}"


def validate_text(reason: NoDeployment) -> str:
    return f"validate only: {no_deployment_text(reason)}"


def skip_text(reason: NoDeployment) -> str:
    return f"nothing to do: {no_deployment_text(reason)}"


def refused_text(refusal: Refusal) -> str:
    return f"refused: {refusal_text(refusal)}"


def no_deployment_text(reason: NoDeployment) -> str:
    match reason:
        case BareReason():
            return _BARE[reason]
        case MergedPullRequest(base=base):
            return (
                "a pull_request event never deploys, merged or not; "
                f"the push to {base or 'the base branch'} does (`on: push`)"
            )
        case BaseDeploysNowhere(base=base):
            return f"the base branch {base or '(unknown)'} deploys nowhere"
        case RefDeleted(ref=ref):
            return f"{ref} was deleted"
        case QueueBranch(branch=branch):
            return f"{branch} is a merge queue's; the push after the merge deploys"
        case ReleaseEnded(tag=tag, action=action):
            return f"the release of {tag} was {action}"
        case RefDeploysNowhere(kind=kind, ref=ref):
            says = "; `tags` in the environments file says where it goes" if kind == "tag" else ""
            return f"the {kind} {ref} deploys nowhere{says}"
        case _:
            assert_never(reason)


def refusal_text(refusal: Refusal) -> str:
    match refusal:
        case BareRefusal():
            return _REFUSED[refusal]
        case EventOfAnybody(event=event):
            return (
                f"the event {event or '(none)'} can carry the code of anybody's pull request, "
                "and this job has the repository's credentials"
            )
        case ForeignRef(ref=ref):
            return f"{ref} is neither a branch nor a tag of this repository"
        case RunOfOtherEvent(event=event):
            return (
                f"this workflow_run is of the event {event or '(unknown)'}, and only one "
                "of a push deploys"
            )
        case RunNotSuccessful(conclusion=conclusion, commit=commit):
            return (
                f"the workflow that this run follows ended with {conclusion or 'nothing'} "
                f"for {short_commit(commit)}"
            )
        case SeveralEnvironments(kind=kind, ref=ref, names=names):
            return f"the {kind} {ref} deploys to more than one: {', '.join(names)}"
        case RefNotAllowed(environment=environment, allowed=allowed, ref=ref):
            return (
                f"{environment} is protected and takes only its branches and tags "
                f"({', '.join(allowed) or 'none'}); this is {ref or 'no branch'}"
            )
        case ProtectedFromOtherCode(environment=environment, code=code):
            return f"{environment} is protected, and {_other_code(code)}"
        case _:
            assert_never(refusal)


def refusal_fix(refusal: Refusal) -> str:
    match refusal:
        case BareRefusal():
            return _FIXES[refusal]
        case EventOfAnybody(event=event):
            return _INSTEAD.get(event, "deploy by `on: push` or `on: workflow_dispatch`")
        case ForeignRef():
            return "deploy a branch or a tag"
        case RunOfOtherEvent():
            return "run the job only `if: github.event.workflow_run.event == 'push'`"
        case RunNotSuccessful():
            return "run the job only `if: github.event.workflow_run.conclusion == 'success'`"
        case SeveralEnvironments():
            return "give each its own job with the input `environment`"
        case RefNotAllowed():
            return "run it on one of them, or change `branches` or `tags` in the environments file"
        case ProtectedFromOtherCode(code=code):
            return _ref_to_check_out(code)
        case _:
            assert_never(refusal)


def doubt_text(doubt: Doubt) -> str:
    match doubt:
        case OtherCode():
            return f"{_other_code(doubt)}\nfix: {_ref_to_check_out(doubt)}"
        case ChangedAfterCheckout(environment=environment, commit=commit):
            return (
                f"{environment} is protected, and files of {short_commit(commit)} were changed "
                "after the checkout\nfix: commit what a step writes into them"
            )
        case _:
            assert_never(doubt)


def _other_code(code: OtherCode) -> str:
    named = short_commit(code.named) or "no commit"
    if code.head:
        return f"{short_commit(code.head)} is checked out, while the event is about {named}"
    why = f" ({code.problem})" if code.problem else ""
    return f"git does not say that {named}, which the event is about, is what is checked out{why}"


def _ref_to_check_out(code: OtherCode) -> str:
    if code.event == "workflow_run":
        return (
            "give actions/checkout `ref: ${{ github.event.workflow_run.head_sha }}`: "
            "it takes the default branch without"
        )
    return (
        "check out the event's commit: use actions/checkout without `ref`, and into the folder "
        "that is deployed"
    )
