"""What in a workflow deploys to ECS, where to, and what has to happen before it.

FSD's own command and Action, and what others deploy to ECS with. Where the target is an expression
that only GitHub knows, nothing is claimed about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from fsd.lint.production import is_production
from fsd.lint.workflows.deployers import (
    deploying_words,
    is_deploying_action,
    script_of,
)
from fsd.lint.workflows.document import Job, Workflow, WorkflowStep, every_command, texts
from fsd.lint.workflows.shell import Command, Word, parse_script
from fsd.lint.workflows.values import Values
from fsd.manifest.key_path import KeyPath
from fsd.manifest.ref_patterns import matches
from fsd.manifest.yaml_tree import Branch, Scalar, find

_MOST = 100  # deployments of one job
_STAGE = re.compile(
    r"(?:^|[^a-z])(?:stag(?:e|ing)|dev|develop(?:ment)?|qa|uat|test(?:ing)?|pre-?prod|canary"
    r"|sandbox|beta|int|integration|acceptance|non-?prod|preview)(?:$|[^a-z])",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(r"\$\{\{.{0,300}?\}\}")
_MATRIX = re.compile(r"\$\{\{\s*matrix\.(?P<key>[\w-]+)\s*\}\}")
# `${{ vars.ECS_CLUSTER_PROD }}`: what it says is not known, but what it is for.
_SETTING = re.compile(r"\$\{\{\s*(?:vars|secrets)\.(?P<name>\w+)\s*\}\}")
# `a == 'main' && 'prod' || 'dev'`: the values that it can have.
_CHOICE = re.compile(r"(?:&&|\|\|)\s*'(?P<value>[^']*)'")
_REF = re.compile(r"github\.(?:ref|ref_name)\s*==\s*'(?:refs/heads/)?(?P<branch>[^']+)'")
_BY_HAND = re.compile(
    r"(?:event_name\s*==\s*'(?:workflow_dispatch|release|schedule|repository_dispatch|pull_request)'"
    r"|startsWith\(\s*github\.ref\s*,\s*'refs/tags|github\.ref_type\s*==\s*'tag'|\binputs\.)"
)
# Inputs by which what is called is told where to deploy.
_SAYS_WHERE = re.compile(r"env|stage|cluster|account|workspace|stack", re.IGNORECASE)
# The folder `live` has every environment, where Terragrunt's users write it.
_OF_PRODUCTION = frozenset({"prod", "production", "prd"})
_BY_ITSELF = re.compile(r"'push'|\bworkflow_run\b")
# A plan or a template is a file, whatever it is called after.
_FILE = re.compile(r"\.(?:tf)?plan$|\.json$|\.out$|\.zip$|\.ya?ml$")
_DEFAULT_BRANCHES = "staging=dev, main=prod"  # of the Action's input `branch-environments`


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentTarget:
    """The name of an environment, a cluster or a service, and where it stands."""

    name: str
    value: Scalar
    at: KeyPath
    offset: int = 0
    width: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowDeployment:
    """`what` is how the workflow spells it: `fsd deploy`, or the Action."""

    what: str
    job: Job
    step: int  # its index in the job; -1 for a reusable workflow
    value: Scalar
    at: KeyPath
    offset: int
    width: int | None
    targets: tuple[DeploymentTarget, ...]
    promotes: bool = False  # takes only what another environment has
    approved: bool = False  # GitHub asks the rules of an environment before

    @property
    def production(self) -> DeploymentTarget | None:
        return next((target for target in self.targets if is_production(target.name)), None)


def is_stage(name: str) -> bool:
    return _STAGE.search(name) is not None and not is_production(name)


def deployments(workflow: Workflow) -> tuple[WorkflowDeployment, ...]:
    return tuple(each for job in workflow.jobs.values() for each in in_job(workflow, job))


def in_job(workflow: Workflow, job: Job) -> tuple[WorkflowDeployment, ...]:
    return tuple(islice(_every(workflow, job), _MOST))


def _every(workflow: Workflow, job: Job) -> Iterator[WorkflowDeployment]:
    if job.uses is not None:
        yield from _called(workflow, job, job.uses)
    is_ours = workflow.is_about_ecs
    for index, step in enumerate(job.steps):
        if step.uses is not None:
            yield from _by_action(workflow, job, index, is_ours=is_ours)
            yield from _by_composite(workflow, job, index)
        elif step.run is not None:
            yield from _by_command(workflow, job, index, is_ours=is_ours)


def pushed_branches(workflow: Workflow) -> tuple[str, ...] | None:
    """The branches whose pushes start it, () for every branch, None for no push to a branch."""
    if "push" not in workflow.triggers:
        return None
    push = workflow.triggers["push"]
    branches = texts(find(push, ("branches",)))
    keys = push.entries.keys() if isinstance(push, Branch) else ()
    only_tags = "tags" in keys and not {"branches", "branches-ignore"} & set(keys)
    return None if only_tags else branches


def is_by_hand(*conditions: str) -> bool:
    """Whether an `if:` says that somebody starts it, and neither a push nor another workflow."""
    return any(
        _BY_HAND.search(condition) and not _BY_ITSELF.search(condition) for condition in conditions
    )


def branches_of(condition: str) -> frozenset[str] | None:
    """The branches that an `if:` names; None where it names none."""
    return frozenset(match["branch"] for match in _REF.finditer(condition)) or None


def _called(workflow: Workflow, job: Job, uses: Scalar) -> Iterator[WorkflowDeployment]:
    """A reusable workflow that is known to deploy."""
    called = workflow.called_by(uses)
    inner = _inside(workflow, called)
    if inner:
        yield _outer(job, -1, uses, inner, job.inputs, job.at)


def _by_composite(workflow: Workflow, job: Job, index: int) -> Iterator[WorkflowDeployment]:
    """An action of the same repository that deploys."""
    step = job.steps[index]
    inner = _inside(workflow, workflow.action_of(step))
    if inner and step.uses is not None:
        yield _outer(job, index, step.uses, inner, step.inputs, step.at)


def _inside(workflow: Workflow, called: Workflow | None) -> tuple[WorkflowDeployment, ...]:
    """Followed as deep as GitHub does, but never in a circle: nobody is called by its callee."""
    if called is None:
        return ()
    others = tuple(each for each in workflow.others if each.path != called.path)
    return deployments(replace(called, others=others))


def _outer(
    job: Job,
    step: int,
    uses: Scalar,
    inner: Sequence[WorkflowDeployment],
    inputs: Mapping[str, Scalar],
    at: KeyPath,
) -> WorkflowDeployment:
    targets = [
        DeploymentTarget(name=name, value=value, at=(*at, "with", key))
        for key, value in inputs.items()
        for name in _names(value.text, job, None)
    ]
    if not any(map(_SAYS_WHERE.search, inputs)):  # then what is called says it
        targets += [
            DeploymentTarget(name=target.name, value=uses, at=(*at, "uses"))
            for deployment in inner
            for target in deployment.targets
        ]
    return WorkflowDeployment(
        what=uses.text,
        job=job,
        step=step,
        value=uses,
        at=(*at, "uses"),
        offset=0,
        width=None,
        targets=tuple(targets),
        promotes=any(deployment.promotes for deployment in inner),
        approved=bool(job.environment) or any(deployment.approved for deployment in inner),
    )


def _by_action(
    workflow: Workflow, job: Job, index: int, *, is_ours: bool
) -> Iterator[WorkflowDeployment]:
    step = job.steps[index]
    uses = step.uses
    if uses is None:
        return
    is_fsd = step.action.endswith("/fsd-deploy")
    if is_fsd and not _is_deployment(step):
        return
    if is_fsd:
        keys: tuple[str, ...] = ("environment",)
    elif is_deploying_action(step, is_about_ecs=is_ours):
        keys = ("cluster", "service", "stack-name", "name", "environment", "env")
    elif any(
        deploying_words(command, is_about_ecs=is_ours)
        for command in every_command(parse_script(script_of(step)))
    ):
        keys = ("command",)
    else:
        return
    targets = [
        DeploymentTarget(name=name, value=value, at=(*step.at, "with", key))
        for key in keys
        if (value := step.input(key)) is not None
        for name in _names(step.resolve(value.text), job, Values(workflow, job))
    ]
    if is_fsd and step.input("environment") is None:
        targets = list(_by_branch(workflow, step, uses))
    promotion = step.input("require-promotion-from")
    yield WorkflowDeployment(
        what=step.action,
        job=job,
        step=index,
        value=uses,
        at=(*step.at, "uses"),
        offset=0,
        width=None,
        targets=tuple(targets),
        promotes=is_fsd and promotion is not None and bool(promotion.text),
        approved=bool(job.environment),
    )


def _is_deployment(step: WorkflowStep) -> bool:
    """FSD's Action also plans, and goes back to a release."""
    dry_run, rollback = step.input("dry-run"), step.input("rollback")
    release = step.input("rollback-to")
    plans = dry_run is not None and dry_run.text == "true"
    goes_back = release is not None and release.text not in ("none", "false", "")
    return not (plans or goes_back) and (rollback is None or rollback.text in ("true", "false", ""))


def _by_branch(workflow: Workflow, step: WorkflowStep, uses: Scalar) -> Iterator[DeploymentTarget]:
    """Where the Action deploys a push to, as it decides it itself."""
    given = step.input("branch-environments")
    value, key = (given, "branch-environments") if given else (uses, "")
    at = (*step.at, "with", key) if given else (*step.at, "uses")
    if given is None and step.input("environments-file") is not None:
        return
    pairs = re.findall(r"([^\s,=]+)\s*=\s*([^\s,=]+)", given.text if given else _DEFAULT_BRANCHES)
    from_file = [
        (branch, name) for name, each in workflow.environments.items() for branch in each.branches
    ]
    pushed = pushed_branches(workflow) or ()
    for branch, name in from_file if from_file and given is None else pairs:
        if branch in pushed or any(matches((branch,), each) for each in pushed):
            yield DeploymentTarget(name=name, value=value, at=at)


def _by_command(
    workflow: Workflow, job: Job, index: int, *, is_ours: bool
) -> Iterator[WorkflowDeployment]:
    step = job.steps[index]
    run, values = step.run, Values(workflow, job)
    if run is None:
        return
    for command in every_command(step.commands):
        head = deploying_words(command, is_about_ecs=is_ours)
        if not head:
            continue
        last = max(head, key=lambda word: word.offset)
        yield WorkflowDeployment(
            what=" ".join(word.text.rpartition("/")[2] for word in head),
            job=job,
            step=index,
            value=run,
            at=(*step.at, "run"),
            offset=head[0].offset,
            width=last.offset + last.width - head[0].offset,
            targets=(*_targets(command, head, step, job, values), *_by_folder(step)),
            approved=bool(job.environment),
        )


def _targets(
    command: Command, head: Sequence[Word], step: WorkflowStep, job: Job, values: Values
) -> Iterator[DeploymentTarget]:
    """For `fsd` the value of `--env`; for the others any word that could be a name."""
    run = step.run
    if run is None:
        return
    flags = {"--env", "-e"} if head[0].text.endswith("fsd") else None
    before = ""
    for word in command.words:
        flag, _, value = word.text.rpartition("=")
        is_value = (flag or before) in flags if flags else not word.text.startswith("-") or flag
        if is_value and word not in head and not _FILE.search(value):
            for name in _names(step.resolve(value), job, values):
                skipped = len(word.text) - len(value) if flag else 0
                yield DeploymentTarget(
                    name=name,
                    value=run,
                    at=(*step.at, "run"),
                    offset=word.offset + skipped,
                    width=word.width - skipped,
                )
        before = word.text


def _by_folder(step: WorkflowStep) -> Iterator[DeploymentTarget]:
    """`working-directory: environments/prod` says what is deployed there."""
    folder = step.folder
    if folder is not None and _OF_PRODUCTION & set(step.resolve(folder.text).split("/")):
        yield DeploymentTarget(name=folder.text, value=folder, at=(*step.at, "run"))


def _names(text: str, job: Job, values: Values | None) -> tuple[str, ...]:
    """What a value can be; nothing where only GitHub knows."""
    if values is not None and "$" in text:
        every = values.every(text)
        if every != (text,):
            return tuple(name for each in every for name in _names(each, job, None))
    matrix = _MATRIX.fullmatch(text.strip())
    if matrix is not None:
        return job.matrix.get(matrix["key"], ())
    if "${{" in text:
        setting = _SETTING.fullmatch(text.strip())
        if setting is not None and is_production(setting["name"].replace("_", "-")):
            return (setting["name"],)
        choices = tuple(match["value"] for match in _CHOICE.finditer(text))
        return choices or (_EXPRESSION.sub("", text),)
    return (text,)
