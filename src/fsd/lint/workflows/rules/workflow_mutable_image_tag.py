"""A tag such as `latest` names another image after every push.

ECS resolves a tag when a task starts. A rollback to the revision before then starts the new image
again, and nobody can say which commit runs. A tag with the commit, or the digest, stays.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from fsd.lint.workflows.deployers import deploying_words
from fsd.lint.workflows.deployments import deployments
from fsd.lint.workflows.document import Job, Workflow, WorkflowStep, every_command
from fsd.lint.workflows.problem import WorkflowProblem
from fsd.lint.workflows.programs import from_program
from fsd.lint.workflows.shell import Command
from fsd.lint.workflows.values import Values
from fsd.manifest.key_path import KeyPath
from fsd.manifest.yaml_tree import Scalar

_MUTABLE = re.compile(
    r"(?:[\w.-]+-)?latest(?:-[a-z]\w*)?|newest|current|stable|edge|nightly|release|main|master|trunk|dev|develop|development"
    r"|test|qa|uat|stage|staging|prod|production|live"
)
# A version without a minor one: whoever pushes it at every push moves it.
_WRITTEN_DOWN = re.compile(r"v\d{1,3}")
_BRANCH = re.compile(
    r"\$\{\{\s*github\.(?:ref_name|head_ref)\s*\}\}|\$\{?GITHUB_(?:REF_NAME|HEAD_REF)\}?"
)
# An expression, or a variable of the shell with what is cut out of it: `${GITHUB_SHA::7}`.
_EXPRESSION = re.compile(r"\$\{\{.{0,300}?\}\}|\$\{[^{}]{0,300}\}")
_INPUT = re.compile(r"\$\{\{\s*inputs\.(?P<name>[\w-]+)\s*\}\}")
_SETS_IMAGE = re.compile(r"\.image\s{0,9}\|?=\s{0,9}\$(?P<name>\w{1,99})")
_REGISTRY = ".dkr.ecr."
_DEPLOYS_IMAGE = frozenset({"aws-actions/amazon-ecs-render-task-definition"})
_FIX = (
    "tag it with the commit, `{repository}:${{{{ github.sha }}}}`; `uses: org/fsd-deploy@v1` "
    "builds, tags so and deploys by digest"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    reference: str  # with the variables that the workflow says
    value: Scalar
    at: KeyPath
    offset: int
    width: int
    is_pushed: bool = False

    @property
    def repository(self) -> str:
        return _split(self.reference)[0]

    @property
    def is_mutable(self) -> bool:
        repository, tag = _split(self.reference)
        if "@" in self.reference:
            return False
        if not tag:  # `latest`; a variable at the end may bring a tag
            return not repository.endswith(("}", "}}")) and "$" not in repository.rpartition("/")[2]
        if self.is_pushed and _WRITTEN_DOWN.fullmatch(tag):
            return True
        return bool(_MUTABLE.fullmatch(tag) or _BRANCH.fullmatch(tag))


def check(workflow: Workflow) -> Iterator[WorkflowProblem]:
    deploys = bool(deployments(workflow))
    restarts = _only_restarts(workflow)
    seen: set[str] = set()
    for job in workflow.jobs.values():
        values = Values(workflow, job)
        deployed = _known(values, _images(workflow, job, _deployed))
        pushed = _known(
            values, (replace(each, is_pushed=True) for each in _images(workflow, job, _pushed))
        )
        found = [image for image in deployed if image.is_mutable]
        if restarts:  # of what was pushed, only a tag that moves can be what now starts
            found += [image for image in pushed if image.is_mutable]
        elif deploys or _is_on_ecr(job, pushed):
            found += _only_mutable(pushed)
        for image in found:
            if image.reference not in seen:
                seen.add(image.reference)
                yield _problem(image)


def _images(
    workflow: Workflow, job: Job, of: Callable[[WorkflowStep], Iterator[_Image]]
) -> Iterator[_Image]:
    """Also those whose names are handed to a workflow or an action of the same repository."""
    if job.uses is not None and (called := workflow.called_by(job.uses)) is not None:
        yield from _handed(called, of, job.inputs, job.at)
    for step in job.steps:
        yield from of(step)
        if (action := workflow.action_of(step)) is not None:
            yield from _handed(action, of, step.inputs, step.at)


def _handed(
    called: Workflow,
    of: Callable[[WorkflowStep], Iterator[_Image]],
    inputs: Mapping[str, Scalar],
    at: KeyPath,
) -> Iterator[_Image]:
    """None if it also has an image of its own: a tag beside another one is a convenience."""
    images = [image for job in called.jobs.values() for step in job.steps for image in of(step)]
    every = [[match["name"] for match in _INPUT.finditer(each.reference)] for each in images]
    if not all(names and set(names) <= inputs.keys() for names in every):
        return
    for image, names in zip(images, every, strict=True):
        last = inputs[names[-1]]
        yield _Image(
            reference=_INPUT.sub(lambda match: inputs[match["name"]].text, image.reference),
            value=last,
            at=(*at, "with", names[-1]),
            offset=0,
            width=len(last.text),
        )


def _known(values: Values, images: Iterable[_Image]) -> list[_Image]:
    return [replace(image, reference=values.resolve(image.reference)) for image in images]


def _only_restarts(workflow: Workflow) -> bool:
    """`update-service --force-new-deployment` of a definition that this workflow never changes."""
    commands = [
        command
        for job in workflow.jobs.values()
        for step in job.steps
        for command in every_command(step.commands)
    ]
    texts = [text for command in commands for text in command.texts]
    actions = [step.action for job in workflow.jobs.values() for step in job.steps]
    changes = any("task-definition" in text for text in (*texts, *actions))
    return not changes and any(text.startswith("--force-new-deployment") for text in texts)


def _problem(image: _Image) -> WorkflowProblem:
    repository, tag = _split(image.reference)
    name = f"`{tag}`" if tag else "no tag, which means `latest`,"
    return WorkflowProblem(
        at=image.at,
        value=image.value,
        message=f"`{image.reference}` has {name} and is another image after every push"
        if not tag
        else f"the tag {name} of `{image.reference}` names another image after every push",
        fix=_FIX.format(repository=repository),
        offset=image.offset,
        width=image.width,
    )


def _only_mutable(images: Sequence[_Image]) -> Iterator[_Image]:
    """`latest` beside a tag with the commit is a convenience."""
    by_repository: dict[str, list[_Image]] = defaultdict(list)
    for image in images:
        by_repository[image.repository].append(image)
    for group in by_repository.values():
        if all(image.is_mutable for image in group):
            yield group[0]


def _is_on_ecr(job: Job, images: Sequence[_Image]) -> bool:
    logs_in = any(
        step.action == "aws-actions/amazon-ecr-login"
        or any(command.texts[:2] == ("aws", "ecr") for command in every_command(step.commands))
        for step in job.steps
    )
    return logs_in or any(_REGISTRY in image.reference for image in images)


def _deployed(step: WorkflowStep) -> Iterator[_Image]:
    """Images by which something is deployed."""
    image = step.input("image")
    is_fsd = step.action.endswith("/fsd-deploy")
    if image is not None and (is_fsd or step.action in _DEPLOYS_IMAGE):
        yield from _whole(step, image, "image")
    for command in every_command(step.commands):
        if deploying_words(command):
            yield from _of_flags(step, command, ("--image", "-i"))
        if command.texts[:1] == ("jq",):
            yield from _of_jq(step, command)


def _pushed(step: WorkflowStep) -> Iterator[_Image]:
    tags, push = step.input("tags"), step.input("push")
    pushes = push is not None and step.resolve(push.text) != "false"
    if step.action == "docker/build-push-action" and tags is not None and pushes:
        yield from _listed(step, tags)
    for command in every_command(step.commands):
        names = tuple(word.text for word in from_program(command.words)[:2])
        if names in (("docker", "push"), ("podman", "push"), ("docker", "image")):
            yield from _of_push(step, command)
        elif names[:1] in (("docker",), ("podman",)) and "--push" in command.texts:
            yield from _of_flags(step, command, ("-t", "--tag"))


def _of_push(step: WorkflowStep, command: Command) -> Iterator[_Image]:
    words = [word for word in command.words[2:] if not word.text.startswith("-")]
    words = [word for word in words if word.text != "push"]
    every = {"-a", "--all-tags"} & set(command.texts)
    is_push = "push" in command.texts[1:3]
    if step.run is not None and words and is_push and not every:
        word = words[0]
        yield _Image(
            reference=step.resolve(word.text),
            value=step.run,
            at=(*step.at, "run"),
            offset=word.offset,
            width=word.width,
        )


def _of_flags(step: WorkflowStep, command: Command, flags: tuple[str, ...]) -> Iterator[_Image]:
    """The values of `--image X` and `--image=X`."""
    if step.run is None:
        return
    long = tuple(f"{flag}=" for flag in flags if flag.startswith("--"))
    for before, word in pairwise(command.words):
        joined = word.text.startswith(long)
        if not joined and before.text not in flags:
            continue
        skipped = word.text.index("=") + 1 if joined else 0
        yield _Image(
            reference=step.resolve(word.text[skipped:]),
            value=step.run,
            at=(*step.at, "run"),
            offset=word.offset + skipped,
            width=word.width - skipped,
        )


def _of_jq(step: WorkflowStep, command: Command) -> Iterator[_Image]:
    """`jq --arg IMAGE "$IMAGE" '.containerDefinitions[0].image = $IMAGE'`"""
    written = {match["name"] for text in command.texts for match in _SETS_IMAGE.finditer(text)}
    words = command.words
    for flag, name, value in zip(words, words[1:], words[2:], strict=False):
        if step.run is not None and flag.text == "--arg" and name.text in written:
            yield _Image(
                reference=step.resolve(value.text),
                value=step.run,
                at=(*step.at, "run"),
                offset=value.offset,
                width=value.width,
            )


def _whole(step: WorkflowStep, value: Scalar, key: str) -> Iterator[_Image]:
    if value.text.strip():
        yield _Image(
            reference=step.resolve(value.text.strip()),
            value=value,
            at=(*step.at, "with", key),
            offset=0,
            width=len(value.text),
        )


def _listed(step: WorkflowStep, tags: Scalar) -> Iterator[_Image]:
    for match in re.finditer(r"(?:\$\{\{.{0,300}?\}\}|[^,\n])+", tags.text):
        reference = match[0].strip()
        if reference:
            yield _Image(
                reference=step.resolve(reference),
                value=tags,
                at=(*step.at, "with", "tags"),
                offset=match.start() + match[0].index(reference),
                width=len(reference),
            )


def _split(reference: str) -> tuple[str, str]:
    """Repository and tag; a colon before the last slash is a port's, one in braces nothing."""
    name = reference.partition("@")[0]
    masked = _EXPRESSION.sub(lambda match: "x" * len(match[0]), name)
    colon = masked.rfind(":")
    return (name[:colon], name[colon + 1 :]) if colon > masked.rfind("/") else (name, "")
