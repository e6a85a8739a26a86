"""A workflow as its rules see it: triggers, jobs and steps, each value with its place.

Reads whatever is there and leaves out what has another shape: that a workflow is valid is for
GitHub and for actionlint to say. A composite action (`runs.steps`) reads as one job.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from fsd.lint.workflows.programs import scripts_in
from fsd.lint.workflows.shell import Command, parse_script
from fsd.manifest.environments import Environment
from fsd.manifest.key_path import KeyPath
from fsd.manifest.yaml_tree import Branch, Document, Items, Node, Scalar, find

Values = Mapping[str, Scalar]

# Rules look at a job together with those that it needs. Whoever writes more jobs generates them.
_MAX_JOBS = 200
_MAX_DEPTH = 6  # of scripts in scripts

# Scripts for another shell are not read: neither PowerShell nor Python has these commands.
_SHELLS = re.compile(r"(?:.*/)?(?:ba|z|da|)sh\b")
_ECS = re.compile(r"(?<![a-z])(?:ecs|fargate|ecr)(?![a-z])", re.IGNORECASE)
_ENV_REFERENCE = re.compile(
    r"\$\{\{\s*env\.(?P<github>\w+)\s*\}\}|\$\{(?P<braced>\w+)(?::?-(?P<default>[^{}$]*))?\}"
    r"|\$(?P<bare>[A-Za-z_]\w*)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowStep:
    at: KeyPath
    id: str
    name: str
    condition: str
    uses: Scalar | None
    run: Scalar | None
    inputs: Values
    env: Values  # the workflow's and the job's too; the nearest wins
    commands: tuple[Command, ...]
    folder: Scalar | None  # where it runs; the job's or the workflow's if it says none
    may_fail: bool

    @property
    def action(self) -> str:
        """`aws-actions/amazon-ecr-login`, without the version."""
        return self.uses.text.partition("@")[0].strip().lower() if self.uses else ""

    def input(self, *names: str) -> Scalar | None:
        """GitHub takes the names of inputs in any case."""
        known = {name.lower(): value for name, value in self.inputs.items()}
        return next((known[name] for name in names if name in known), None)

    def resolve(self, text: str) -> str:
        return resolve(text, self.env)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    id: str
    at: KeyPath
    name: str
    condition: str
    needs: tuple[str, ...]
    steps: tuple[WorkflowStep, ...]
    uses: Scalar | None  # a reusable workflow instead of steps
    inputs: Values
    outputs: Values
    env: Values
    environment: str  # GitHub's environment; an expression as it was written
    matrix: Mapping[str, tuple[str, ...]]
    in_turn: bool  # one run of the matrix after the other
    may_fail: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    path: str
    document: Document
    name: str
    triggers: Mapping[str, Node]
    jobs: Mapping[str, Job]
    is_action: bool = False
    is_about_ecs: bool = False  # says so somewhere: whoever applies Terraform may apply anything
    environments: Mapping[str, Environment] = field(default_factory=dict)  # FSD's, from its file
    others: tuple[Workflow, ...] = field(default=(), repr=False)  # of the same repository

    def needed(self, job: Job) -> tuple[Job, ...]:
        """Every job that ends before this one starts."""
        found: dict[str, Job] = {}
        waiting = list(job.needs)
        while waiting:
            id_ = waiting.pop()
            if id_ in self.jobs and id_ not in found and id_ != job.id:
                found[id_] = self.jobs[id_]
                waiting += self.jobs[id_].needs
        return tuple(found.values())

    def called_by(self, uses: Scalar) -> Workflow | None:
        """The workflow of `uses: ./.github/workflows/x.yml`, where its text is known."""
        called = uses.text.partition("@")[0]
        if not called.startswith("./"):
            return None
        name = called.rpartition("/")[2]
        others = (other for other in self.others if not other.is_action)
        return next((other for other in others if file_name(other.path) == name), None)

    def action_of(self, step: WorkflowStep) -> Workflow | None:
        """The composite action of `uses: ./.github/actions/x`, where its text is known."""
        if not step.action.startswith("./"):
            return None
        folder = step.action.removeprefix("./").rstrip("/")
        names = (f"{folder}/action.yml", f"{folder}/action.yaml")
        return next(
            (
                other
                for other in self.others
                if other.is_action and other.path.replace("\\", "/").lower().endswith(names)
            ),
            None,
        )


def file_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def read_workflow(document: Document) -> Workflow | None:
    """None where the file is neither a workflow nor a composite action."""
    root = document.root
    steps, jobs = find(root, ("runs", "steps")), find(root, ("jobs",))
    if isinstance(steps, Items):
        job = _job("runs", branch(find(root, ("runs",))), at=("runs",), env={}, defaults={})
        return Workflow(
            path=document.path,
            document=document,
            name=text(find(root, ("name",))),
            triggers={},
            jobs={"runs": job},
            is_action=True,
            is_about_ecs=_is_about_ecs(document),
        )
    if not isinstance(jobs, Branch):
        return None
    env = scalars(find(root, ("env",)))
    defaults = scalars(find(root, ("defaults", "run")))
    return Workflow(
        path=document.path,
        document=document,
        name=text(find(root, ("name",))),
        triggers=_triggers(find(root, ("on",))),
        is_about_ecs=_is_about_ecs(document),
        jobs={
            id_: _job(id_, entry.value, at=("jobs", id_), env=env, defaults=defaults)
            for id_, entry in islice(jobs.entries.items(), _MAX_JOBS)
            if isinstance(entry.value, Branch)
        },
    )


def _is_about_ecs(document: Document) -> bool:
    return any(_ECS.search(line) for line in document.lines)


def resolve(value: str, env: Values) -> str:
    """With the variables whose values the workflow itself says; the others stay."""

    def replace(match: re.Match[str]) -> str:
        known = env.get(match["github"] or match["braced"] or match["bare"])
        if known is not None:
            return known.text
        return match["default"] or match[0]

    return _ENV_REFERENCE.sub(replace, value)


def text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def texts(node: Node | None) -> tuple[str, ...]:
    """A text or a list of texts: GitHub takes either in many places."""
    if isinstance(node, Items):
        return tuple(item.text for item in node.items if isinstance(item, Scalar))
    return (node.text,) if isinstance(node, Scalar) and node.text else ()


def scalars(node: Node | None) -> dict[str, Scalar]:
    if not isinstance(node, Branch):
        return {}
    return {
        key: entry.value for key, entry in node.entries.items() if isinstance(entry.value, Scalar)
    }


def branch(node: Node | None) -> Branch:
    return node if isinstance(node, Branch) else Branch(entries={}, where="")


def every_command(commands: tuple[Command, ...], depth: int = 0) -> Iterator[Command]:
    """With those inside of `$( )` and `<( )`, and of a text that is a script itself."""
    for command in commands:
        yield command
        if depth < _MAX_DEPTH:
            for word in command.words:
                yield from every_command(word.inner, depth + 1)
            yield from every_command(tuple(scripts_in(command)), depth + 1)


def _triggers(node: Node | None) -> dict[str, Node]:
    if isinstance(node, Branch):
        return {name: entry.value for name, entry in node.entries.items()}
    empty = Branch(entries={}, where="")
    return dict.fromkeys(texts(node), empty)


def _job(id_: str, node: Node, *, at: KeyPath, env: Values, defaults: Values) -> Job:
    own_env = {**env, **scalars(find(node, ("env",)))}
    defaults = {**defaults, **scalars(find(node, ("defaults", "run")))}
    shell, folder = text(defaults.get("shell")), defaults.get("working-directory")
    if not shell and "windows" in " ".join(texts(find(node, ("runs-on",)))).lower():
        shell = "pwsh"
    listed = find(node, ("steps",))
    steps = listed.items if isinstance(listed, Items) else ()
    named = find(node, ("environment",))
    uses = find(node, ("uses",))
    return Job(
        id=id_,
        at=at,
        name=text(find(node, ("name",))),
        condition=text(find(node, ("if",))),
        needs=texts(find(node, ("needs",))),
        steps=tuple(
            _step(step, at=(*at, "steps", index), env=own_env, shell=shell, folder=folder)
            for index, step in enumerate(steps)
            if isinstance(step, Branch)
        ),
        uses=uses if isinstance(uses, Scalar) else None,
        inputs=scalars(find(node, ("with",))),
        outputs=scalars(find(node, ("outputs",))),
        env=own_env,
        environment=text(named) or text(find(branch(named), ("name",))),
        matrix=_matrix(find(node, ("strategy", "matrix"))),
        in_turn=text(find(node, ("strategy", "max-parallel"))) == "1",
        may_fail=text(find(node, ("continue-on-error",))) == "true",
    )


def _matrix(node: Node | None) -> dict[str, tuple[str, ...]]:
    """Key → its values; those of `include` are values too."""
    found: dict[str, tuple[str, ...]] = {}
    for key, entry in branch(node).entries.items():
        if key == "include" and isinstance(entry.value, Items):
            for item in entry.value.items:
                for name, scalar in scalars(item).items():
                    found[name] = (*found.get(name, ()), scalar.text)
        elif key != "exclude":
            found[key] = (*texts(entry.value), *found.get(key, ()))
    return found


def _step(
    node: Branch, *, at: KeyPath, env: Values, shell: str, folder: Scalar | None
) -> WorkflowStep:
    own = find(node, ("working-directory",))
    run, uses = find(node, ("run",)), find(node, ("uses",))
    shell = text(find(node, ("shell",))) or shell
    readable = isinstance(run, Scalar) and (not shell or _SHELLS.match(shell) is not None)
    return WorkflowStep(
        at=at,
        id=text(find(node, ("id",))),
        name=text(find(node, ("name",))),
        condition=text(find(node, ("if",))),
        uses=uses if isinstance(uses, Scalar) else None,
        run=run if isinstance(run, Scalar) else None,
        inputs=scalars(find(node, ("with",))),
        env={**env, **scalars(find(node, ("env",)))},
        commands=parse_script(text(run)) if readable else (),
        folder=own if isinstance(own, Scalar) else folder,
        may_fail=text(find(node, ("continue-on-error",))) == "true",
    )
