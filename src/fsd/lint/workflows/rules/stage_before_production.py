"""What no other environment has run is tried out in production first.

A stage before it takes the mistakes that tests don't see: a missing secret, a permission, a
migration. The same image then goes on; a second build would be another image.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.workflows.deployments import (
    DeploymentTarget,
    WorkflowDeployment,
    branches_of,
    deployments,
    in_job,
    is_by_hand,
    is_stage,
    pushed_branches,
)
from fsd.lint.workflows.document import Job, Workflow, texts
from fsd.lint.workflows.problem import WorkflowProblem
from fsd.manifest.yaml_tree import find

_FIX = (
    "`uses: org/fsd-deploy@v1` with `require-promotion-from: dev` accepts only an image that is "
    "running in dev; or give this job `needs:` on one that deploys to a staging environment, or an "
    "`environment:` that requires approval"
)


def check(workflow: Workflow) -> Iterator[WorkflowProblem]:
    if pushed_branches(workflow) is None and not _follows_no_stage(workflow):
        return
    every = deployments(workflow)
    stages = frozenset(each.job.id for each in every if each.production is None)
    done: set[str] = set()
    for deployment in every:
        target = deployment.production
        if target is None or deployment.job.id in done:
            continue
        if _is_behind(workflow, deployment, target, stages):
            continue
        done.add(deployment.job.id)
        yield WorkflowProblem(
            at=target.at,
            value=target.value,
            message=f"a push deploys to `{target.name}` with no staging environment in between",
            fix=_FIX,
            offset=target.offset,
            width=target.width,
        )


def _follows_no_stage(workflow: Workflow) -> bool:
    """`on: workflow_run` after a workflow that deploys nothing."""
    if "workflow_run" not in workflow.triggers:
        return False
    names = texts(find(workflow.triggers["workflow_run"], ("workflows",)))
    known = {other.name: other for other in workflow.others}
    return not any(
        "deploy" in name.lower()
        or is_stage(name)
        or (name in known and any(not each.production for each in deployments(known[name])))
        for name in names
    )


def _is_behind(
    workflow: Workflow,
    deployment: WorkflowDeployment,
    target: DeploymentTarget,
    stages: frozenset[str],
) -> bool:
    """Whether something stands between a push and production; `stages` are jobs that deploy to
    another environment."""
    job, index = deployment.job, deployment.step
    condition = job.steps[index].condition if index >= 0 else ""
    return (
        deployment.promotes
        or deployment.approved
        or _promotes(workflow, target)
        or is_by_hand(job.condition, condition)
        or any(needed.id in stages or _says_stage(needed) for needed in workflow.needed(job))
        or any(_comes_before(workflow, each, deployment) for each in in_job(workflow, job))
        or _is_last_of_matrix(deployment, target)
    )


def _promotes(workflow: Workflow, target: DeploymentTarget) -> bool:
    """`promoteFrom`: FSD itself takes only what succeeded in another environment."""
    environment = workflow.environments.get(target.name)
    return environment is not None and environment.promote_from is not None


def _says_stage(job: Job) -> bool:
    return "deploy" in f"{job.id} {job.name}".lower() and is_stage(f"{job.id} {job.name}")


def _comes_before(
    workflow: Workflow, earlier: WorkflowDeployment, later: WorkflowDeployment
) -> bool:
    """A deployment to a stage in an earlier step that runs whenever the later one does."""
    if earlier.production is not None or (earlier.step, earlier.offset) >= (
        later.step,
        later.offset,
    ):
        return False
    steps = later.job.steps
    runs_for = branches_of(steps[earlier.step].condition)
    if runs_for is None:
        return True
    wanted = branches_of(steps[later.step].condition) or frozenset(pushed_branches(workflow) or ())
    return bool(wanted) and wanted <= runs_for


def _is_last_of_matrix(deployment: WorkflowDeployment, target: DeploymentTarget) -> bool:
    """`matrix.environment: [dev, prod]` one after the other."""
    names = [each.name for each in deployment.targets if each.value is target.value]
    return deployment.job.in_turn and names.index(target.name) > 0
