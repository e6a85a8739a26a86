"""With what people deploy to ECS: commands and actions of FSD and of others."""

from __future__ import annotations

from collections.abc import Sequence

from fsd.lint.workflows.document import WorkflowStep
from fsd.lint.workflows.programs import from_program, subcommand
from fsd.lint.workflows.shell import Command, Word

# Program → its subcommands that deploy to ECS.
_OF_ECS: dict[str, tuple[tuple[str, ...], ...]] = {
    "fsd": (("deploy",),),
    "ecspresso": (("deploy",),),
    "ecs": (("deploy",),),  # of the package ecs-deploy
    "ecs-deploy": ((),),
    "ecs-deploy.sh": ((),),
    "copilot": (("deploy",), ("svc", "deploy"), ("job", "deploy")),
    "ecs-cli": (("compose", "service", "up"), ("compose", "up")),
    "ufo": (("ship",), ("deploy",)),
    "hako": (("deploy",),),
    "fargate": (("service", "deploy"),),
}
_OF_AWS = (
    ("ecs", "deploy"),
    ("ecs", "create-service"),
    ("ecs", "update-service"),
    ("ecs", "create-task-set"),
    ("deploy", "create-deployment"),
)
# These deploy anything: to ECS where the workflow is about it.
_OF_ANYTHING: dict[str, tuple[tuple[str, ...], ...]] = {
    "aws": (
        ("cloudformation", "deploy"),
        ("cloudformation", "update-stack"),
        ("cloudformation", "create-stack"),
        ("cloudformation", "execute-change-set"),
    ),
    "cdk": (("deploy",),),
    "terraform": (("apply",),),
    "tofu": (("apply",),),
    "terragrunt": (("apply",), ("run-all", "apply")),
    "pulumi": (("up",), ("update",)),
    "sam": (("deploy",),),
    "sst": (("deploy",),),
}
_CHANGES_NOTHING = frozenset(
    {"--no-execute", "--no-execute-changeset", "--dry-run", "-destroy", "--destroy", "--help"}
)
_ACTIONS = frozenset(
    {
        "aws-actions/amazon-ecs-deploy-task-definition",
        "aws-actions/amazon-ecs-deploy-express-service",
        "donaldpiret/ecs-deploy",
        "silinternational/ecs-deploy",
        "airfordable/ecs-deploy-task-definition-to-scheduled-task",
    }
)
# Action → the input that says what it does, and the words with which it deploys.
_ACTIONS_OF_ANYTHING = {
    "aws-actions/aws-cloudformation-github-deploy": ("", ()),
    "pulumi/actions": ("command", ("up", "update")),
    "hashicorp/tfc-workflows-github/actions/apply-run": ("", ()),
    "youyo/aws-cdk-github-actions": ("cdk_subcommand", ("deploy",)),
    "ksivamuthu/aws-copilot-github-action": ("command", ("deploy",)),
}
_COPILOT = frozenset({"ksivamuthu/aws-copilot-github-action"})  # it deploys to ECS alone
# Actions whose input is a script.
_RETRIES = frozenset({"nick-fields/retry", "nick-invision/retry"})


def deploying_words(command: Command, *, is_about_ecs: bool = True) -> tuple[Word, ...]:
    """`fsd deploy` of `sudo fsd deploy --env dev`; nothing of another command."""
    words = from_program(command.words)
    if not words or _CHANGES_NOTHING & {word.text for word in words}:
        return ()
    name = words[0].text.rpartition("/")[2]
    for wanted in _OF_ECS.get(name, ()):
        if found := subcommand(words, wanted):
            return found
    for wanted in _OF_AWS if name == "aws" else ():
        found = subcommand(words, wanted)
        if found and (wanted[1] != "update-service" or _starts_tasks(command.texts)):
            return found
    for wanted in _OF_ANYTHING.get(name, ()) if is_about_ecs else ():
        if found := subcommand(words, wanted):
            return found
    return _by_compose(words)


def _starts_tasks(arguments: Sequence[str]) -> bool:
    """`update-service` also scales, which deploys nothing."""
    flags = ("--task-definition", "--force-new-deployment", "--cli-input-json")
    return any(argument.startswith(flags) for argument in arguments)


def _by_compose(words: Sequence[Word]) -> tuple[Word, ...]:
    """`docker compose up` in an ECS context."""
    texts = [word.text for word in words]
    if texts[:1] != ["docker"] or "up" not in texts:
        return ()
    contexts = [
        value
        for flag, value in zip(texts, [*texts[1:], ""], strict=True)
        if flag in ("--context", "-c")
    ] + [text.partition("=")[2] for text in texts if text.startswith("--context=")]
    if "ecs" in texts[1:3] or any("ecs" in context for context in contexts):
        return tuple(word for word in words if word.text in ("docker", "compose", "ecs", "up"))
    return ()


def is_deploying_action(step: WorkflowStep, *, is_about_ecs: bool) -> bool:
    """Not FSD's own, which is looked at more closely."""
    name = step.action
    if name in _ACTIONS:
        return True
    if name not in _ACTIONS_OF_ANYTHING or not (is_about_ecs or name in _COPILOT):
        return False
    key, wanted = _ACTIONS_OF_ANYTHING[name]
    given = step.input(key) if key else None
    return not key or (given is not None and given.text.strip() in wanted)


def script_of(step: WorkflowStep) -> str:
    """The input in which an action that tries again takes its script."""
    given = step.input("command") if step.action in _RETRIES else None
    return given.text if given is not None else ""
