"""A deployment that waits for no test brings every broken commit to a running service.

The rollout finds only what its health check sees; the rest is found by users. A job with `needs:`
on the tests is not started when they fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fsd.lint.workflows.deployments import (
    WorkflowDeployment,
    deployments,
    is_by_hand,
    pushed_branches,
)
from fsd.lint.workflows.document import Workflow, texts
from fsd.lint.workflows.problem import WorkflowProblem
from fsd.lint.workflows.testing import Tested, has_tests, runs_on_pull_request, tested
from fsd.manifest.yaml_tree import find

_FIX = (
    "run the tests in a job of their own, and give `{job}` the line `needs: test`; its deployment "
    "is then `uses: org/fsd-deploy@v1`"
)


def check(workflow: Workflow) -> Iterator[WorkflowProblem]:
    """The first deployment of each job, unless a job that it needs has the finding already."""
    branches = pushed_branches(workflow)
    if branches is None:
        yield from _after_another(workflow)
        return
    if any(map(runs_on_pull_request, workflow.others)):
        return
    seen: set[str] = set()
    found: set[str] = set()
    for deployment in _in_order(workflow):
        job = deployment.job
        by_hand = is_by_hand(job.condition, _condition(deployment))
        if job.id in seen or by_hand or deployment.promotes:
            continue
        seen.add(job.id)  # what is tested before the first is tested before the others too
        how = tested(workflow, job, deployment.step, deployment.offset)
        if how is Tested.YES:
            continue
        if not found.intersection(needed.id for needed in workflow.needed(job)):
            yield _problem(deployment, how, branches)
        found.add(job.id)


def _after_another(workflow: Workflow) -> Iterator[WorkflowProblem]:
    """`on: workflow_run` starts however the other workflow ended; only an `if:` asks how."""
    if "workflow_run" not in workflow.triggers:
        return
    names = texts(find(workflow.triggers["workflow_run"], ("workflows",)))
    before = _before(workflow)
    if before and not any(pushed_branches(each) is not None for each in before):
        return
    seen: set[str] = set()
    for deployment in _in_order(workflow):
        job = deployment.job
        conditions = [job.condition, _condition(deployment)]
        conditions += [needed.condition for needed in workflow.needed(job)]
        if job.id in seen or is_by_hand(*conditions) or deployment.promotes:
            continue
        seen.add(job.id)
        asks = any("conclusion" in condition for condition in conditions)
        how = tested(workflow, job, deployment.step, deployment.offset)
        if how is Tested.NO:
            how = _tested_before(before, asks=asks)
        if how is not Tested.YES:
            yield _problem_after(deployment, how, names)


def _before(workflow: Workflow) -> tuple[Workflow, ...]:
    """What a workflow runs after, and what that runs after."""
    found: dict[str, Workflow] = {}
    waiting = [workflow]
    while waiting:
        trigger = waiting.pop().triggers.get("workflow_run")
        names = texts(find(trigger, ("workflows",))) if trigger is not None else ()
        for each in workflow.others:
            if each.name in names and not each.is_action and each.path not in found:
                found[each.path] = each
                waiting.append(each)
    return tuple(found.values())


def _tested_before(before: Sequence[Workflow], *, asks: bool) -> Tested:
    """What is elsewhere is taken to test; whether it had to succeed stands here."""
    if before and not any(map(has_tests, before)) and not any(map(runs_on_pull_request, before)):
        return Tested.NO
    return Tested.YES if asks else Tested.IGNORED


def _problem_after(
    deployment: WorkflowDeployment, how: Tested, names: tuple[str, ...]
) -> WorkflowProblem:
    after = ", ".join(f"`{name}`" for name in names) or "another workflow"
    message = f"`{deployment.what}` runs after {after}, even if it fails"
    fix = (
        f"give `{deployment.job.id}` the line "
        "`if: github.event.workflow_run.conclusion == 'success'`"
    )
    if how is Tested.NO:
        message = f"`{deployment.what}` runs after {after}, and no test runs before it"
        fix = _FIX.format(job=deployment.job.id)
    return WorkflowProblem(
        at=deployment.at,
        value=deployment.value,
        message=message,
        fix=fix,
        offset=deployment.offset,
        width=deployment.width,
    )


def _in_order(workflow: Workflow) -> list[WorkflowDeployment]:
    """A job after those that it needs."""
    return sorted(deployments(workflow), key=lambda each: len(workflow.needed(each.job)))


def _condition(deployment: WorkflowDeployment) -> str:
    steps = deployment.job.steps
    return steps[deployment.step].condition if deployment.step >= 0 else ""


def _problem(
    deployment: WorkflowDeployment, how: Tested, branches: tuple[str, ...]
) -> WorkflowProblem:
    pushed = f"every push to {', '.join(branches)}" if branches else "every push"
    message = f"`{deployment.what}` runs on {pushed}, and no test runs before it"
    if how is Tested.IGNORED:
        message = f"`{deployment.what}` runs on {pushed}, even if the tests before it fail"
    return WorkflowProblem(
        at=deployment.at,
        value=deployment.value,
        message=message,
        fix=_FIX.format(job=deployment.job.id),
        offset=deployment.offset,
        width=deployment.width,
    )
