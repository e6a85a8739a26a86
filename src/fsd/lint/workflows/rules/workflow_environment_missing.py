"""A job that deploys to production without GitHub's `environment:` is started by whoever can push.

GitHub's environment is a border that the repository's code cannot move: its rules say which
branches may use it and who has to approve, and the identity token then names it, so that the role's
trust policy can ask for it (`sub: repo:org/name:environment:prod`).
https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsd.lint.production import is_production
from fsd.lint.workflows.deployments import DeploymentTarget, WorkflowDeployment, deployments
from fsd.lint.workflows.document import Workflow
from fsd.lint.workflows.problem import WorkflowProblem
from fsd.lint.workflows.rules import stage_before_production

_PULL_REQUEST = re.compile(r"github\.event_name\s*==\s*['\"]pull_request['\"]")

_FIX = (
    "give the job `{job}` the line `environment: {name}`, and that environment a rule under "
    "Settings, Environments; require `environment:{name}` in the role's trust policy"
)


def check(workflow: Workflow) -> Iterator[WorkflowProblem]:
    """The first of each job. What a reusable workflow does is said there: only it can name one.

    A job without a staging environment before it has that finding, at the same place, and its
    fix names both.
    """
    seen = {str(problem.at[1]) for problem in stage_before_production.check(workflow)}
    for deployment in () if workflow.is_action else deployments(workflow):
        target = _production(workflow, deployment)
        job = deployment.job
        if target is None or job.environment or job.uses is not None or job.id in seen:
            continue
        if _plans(workflow, deployment) or _waits_for_one(workflow, deployment):
            continue
        seen.add(job.id)
        yield WorkflowProblem(
            at=target.at,
            value=target.value,
            message=f"the job `{job.id}` deploys to `{target.name}` without an `environment:`",
            fix=_FIX.format(job=job.id, name=target.name),
            offset=target.offset,
            width=target.width,
        )


def _plans(workflow: Workflow, deployment: WorkflowDeployment) -> bool:
    """For a pull request the Action deploys nothing, and the plan has a role of its own."""
    job, index = deployment.job, deployment.step
    conditions = (job.condition, job.steps[index].condition if index >= 0 else "")
    only = set(workflow.triggers) <= {"pull_request", "merge_group"}
    return only or any(_PULL_REQUEST.search(condition) for condition in conditions)


def _waits_for_one(workflow: Workflow, deployment: WorkflowDeployment) -> bool:
    """A job before it waits for the rules of production's environment."""
    needed = workflow.needed(deployment.job)
    return any(is_production(job.environment) for job in needed)


def _production(workflow: Workflow, deployment: WorkflowDeployment) -> DeploymentTarget | None:
    """Named like production, or protected in the environments file."""
    protected = {name for name, each in workflow.environments.items() if each.protected}
    return next(
        (each for each in deployment.targets if is_production(each.name) or each.name in protected),
        None,
    )
