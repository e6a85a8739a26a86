"""What a run of the workflow is for. Pure: the context, the inputs and the environments decide.

A fork's code gets no credentials, and `pull_request_target` gives it some: that is refused, because
it runs with the base's secrets on what anybody can send.
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request_target
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fsd.action.inputs import Inputs
from fsd.github.context import Context
from fsd.spec.environments import Environment


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
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateOnly:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    reason: str
    fix: str


Decision: TypeAlias = Deploy | RollBack | PlanOnly | ValidateOnly | Skip | Refuse

# https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions
DEPENDABOT = "dependabot[bot]"
_BRANCH_EVENTS = frozenset({"push", "workflow_dispatch", "schedule", "repository_dispatch"})


def decide(context: Context, inputs: Inputs, environments: Mapping[str, Environment]) -> Decision:
    """`environments` is the environments file's; empty without one."""
    if context.event == "pull_request_target" or context.is_foreign:
        return _refuse_foreign(context)
    if context.pull_request is not None:
        return _for_pull_request(context, inputs, environments)
    if context.event == "merge_group":
        return ValidateOnly(reason="a merge queue does not deploy; the push after it does")
    if context.is_deletion:
        return Skip(reason=f"{context.ref} was deleted")
    found = _environment(context, inputs, environments)
    if not isinstance(found, str):
        return found
    refused = _refuse_protected(context, environments.get(found))
    if refused is not None:
        return refused
    if inputs.rollback_to:
        return RollBack(environment=found, to_version=inputs.rollback_to)
    return PlanOnly(environments=(found,)) if inputs.dry_run else Deploy(environment=found)


def branch_environments(
    inputs: Inputs, environments: Mapping[str, Environment]
) -> dict[str, tuple[str, ...]]:
    """Branch → environments. What the file says replaces the default; what the input says wins."""
    from_file: dict[str, tuple[str, ...]] = {}
    for name, environment in environments.items():
        for branch in environment.branches:
            from_file[branch] = (*from_file.get(branch, ()), name)
    from_input = {branch: (name,) for branch, name in inputs.branch_environments.items()}
    if from_file and not inputs.maps_branches:
        return from_file
    return from_file | from_input


def _for_pull_request(
    context: Context, inputs: Inputs, environments: Mapping[str, Environment]
) -> Decision:
    if context.pull_request is not None and context.pull_request.is_fork:
        return ValidateOnly(reason="a fork's pull request gets no credentials, so there is no plan")
    if context.actor == DEPENDABOT:
        return ValidateOnly(
            reason="Dependabot's runs get no secrets and a token that may only read"
        )
    if inputs.environment:
        return PlanOnly(environments=(inputs.environment,))
    mapped = branch_environments(inputs, environments).values()
    return PlanOnly(environments=tuple(dict.fromkeys(name for names in mapped for name in names)))


def _environment(
    context: Context, inputs: Inputs, environments: Mapping[str, Environment]
) -> str | Skip | Refuse:
    if inputs.environment:
        return inputs.environment
    if context.event not in _BRANCH_EVENTS:
        return Skip(reason=f"the event {context.event} deploys only with the input `environment`")
    if not context.branch:
        return Skip(
            reason=f"{context.ref} is no branch; the input `environment` says where it goes"
        )
    names = branch_environments(inputs, environments).get(context.branch, ())
    match names:
        case ():
            return Skip(reason=f"the branch {context.branch} deploys nowhere")
        case (name,):
            return name
    return Refuse(
        reason=f"the branch {context.branch} deploys to more than one: {', '.join(names)}",
        fix="give each its own job with the input `environment`",
    )


def _refuse_foreign(context: Context) -> Refuse:
    if context.event == "pull_request_target":
        return Refuse(
            reason="pull_request_target would build and run a pull request's code with this "
            "repository's credentials",
            fix="use `on: pull_request`: it plans, and a fork's gets validated",
        )
    return Refuse(
        reason="this workflow_run was started by a fork's workflow",
        fix="deploy on a push to a branch of this repository",
    )


def _refuse_protected(context: Context, environment: Environment | None) -> Refuse | None:
    if environment is None or not environment.protected:
        return None
    if context.branch and context.branch in environment.branches:
        return None
    allowed = ", ".join(environment.branches) or "none"
    return Refuse(
        reason=f"{environment.name} is protected and takes only its branches ({allowed}); "
        f"this is {context.ref or 'no branch'}",
        fix="run it on one of them, or change `branches` in the environments file",
    )
