"""The questions. Each makes only what bears the run's name, and says first how to remove it.

Nothing here runs a task, so that nothing is charged: refusals, and the states of stacks.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from conformance.recording import Answer, without_names

TAG = "fsd:conformance"
_HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a scenario makes. `command` removes it by hand."""

    what: str
    command: str
    remove: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What was made and could not be removed, why, and the command that removes it."""

    what: str
    reason: str
    command: str


@dataclass(slots=True)
class Interrupts:
    """A signal's handler: it raises KeyboardInterrupt once each time that it is heeded.

    So a signal that comes between two removals does not end the removals.
    """

    heeded: bool = True

    def __call__(self, *_: object) -> None:
        if self.heeded:
            self.heeded = False
            raise KeyboardInterrupt


@dataclass(slots=True, kw_only=True)
class Site:
    """Where is asked. `undo` has what was made, the last first to go."""

    client: Callable[..., Any]  # of a service, with boto3's further arguments
    cluster: str
    name: str  # conformance-1a2b3c4d
    options: str  # of the AWS CLI, for this endpoint
    pause: float = 2.0  # seconds between two looks
    longest: float = 600.0  # seconds until a state counts as its last
    undo: list[Made] = field(default_factory=list)
    interrupts: Interrupts = field(default_factory=Interrupts)

    def say(self, text: str) -> str:
        return without_names(text, self.cluster)

    def refusal(self, ask: Callable[[], object]) -> tuple[str, ...]:
        try:
            ask()
        except ClientError as error:
            said = error.response["Error"]
            return self.say(str(said.get("Code"))), self.say(str(said.get("Message")))
        return ("accepted",)

    def last_state(
        self, look: Callable[[], str], *, until: Callable[[str], bool]
    ) -> tuple[str, ...]:
        """The last alone: which are seen on the way depends on when one looks."""
        end = time.monotonic() + self.longest
        state = look()
        while not until(state) and time.monotonic() < end:
            threading.Event().wait(self.pause)
            state = look()
        return (state,)

    def remove_all(self) -> Iterator[Left]:
        """Removes all that it can, and gives what is left. A signal gives up what is being
        removed, not the rest."""
        while self.undo:
            made = self.undo.pop()
            reason = self._removal(made)
            if reason:
                yield Left(what=made.what, reason=reason, command=made.command)

    def _removal(self, made: Made) -> str:
        """Empty, or why it failed."""
        try:
            self.interrupts.heeded = True
            try:
                made.remove()
            finally:
                self.interrupts.heeded = False
        except (BotoCoreError, ClientError, NotRemovedError) as error:
            return str(error)
        except KeyboardInterrupt:
            return "interrupted"
        return ""


class NotRemovedError(Exception):
    """The endpoint accepted a removal that then failed."""


Scenario = Callable[[Site], Iterator[Answer]]


def messages(site: Site) -> Iterator[Answer]:
    """Refusals of ECS; nothing is made."""
    ecs, missing = site.client("ecs"), f"{site.name}-missing"
    container = {"name": "web", "image": "web:1"}
    fargate = {
        "family": site.name,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [container],
    }
    questions: dict[str, Callable[[], object]] = {
        "cluster that does not exist": lambda: ecs.list_services(cluster=missing),
        "service that does not exist": lambda: ecs.update_service(
            cluster=site.cluster, service=missing, desiredCount=1
        ),
        "task definition that does not exist": lambda: ecs.describe_task_definition(
            taskDefinition=missing
        ),
        "Fargate with cpu 300": lambda: ecs.register_task_definition(
            **fargate, cpu="300", memory="512"
        ),
        "Fargate without memory": lambda: ecs.register_task_definition(**fargate, cpu="256"),
        "service of a missing task definition": lambda: ecs.create_service(
            cluster=site.cluster, serviceName=missing, taskDefinition=missing, desiredCount=0
        ),
    }
    site.undo.append(revisions(site, ecs))
    for question, ask in questions.items():
        yield Answer(scenario="messages", question=question, said=site.refusal(ask))


def revisions(site: Site, ecs: Any) -> Made:
    """What an endpoint accepted that AWS refuses."""
    listing = (
        f"aws ecs list-task-definitions --family-prefix {site.name} {site.options} "
        "--query taskDefinitionArns --output text"
    )
    return Made(
        what=f"revisions of task definition {site.name}",
        command=f"for arn in $({listing}); do aws ecs deregister-task-definition "
        f'--task-definition "$arn" {site.options}; done',
        remove=partial(_deregister, ecs, site.name),
    )


def _deregister(ecs: Any, family: str) -> None:
    for arn in ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]:
        ecs.deregister_task_definition(taskDefinition=arn)


def stacks(site: Site) -> Iterator[Answer]:
    """A stack that is made, one that fails, a change without a change, and a deletion."""
    cloudformation = site.client("cloudformation")
    good, bad = f"{site.name}-good", f"{site.name}-bad"

    state = partial(_stack_state, site, cloudformation)
    for name, resources in ((good, {"One": _HANDLE}), (bad, _twice(site.name))):
        site.undo.append(_stack(site, cloudformation, name))
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=json.dumps({"Resources": resources}),
            Tags=[{"Key": TAG, "Value": site.name}],
        )
        said = site.last_state(partial(state, name), until=_ended)
        what = "stack that is made" if name == good else "stack that fails"
        yield Answer(scenario="stacks", question=what, said=said)
    same = site.refusal(
        lambda: cloudformation.update_stack(
            StackName=good, TemplateBody=json.dumps({"Resources": {"One": _HANDLE}})
        )
    )
    yield Answer(scenario="stacks", question="update without a change", said=same)
    update = site.refusal(
        lambda: cloudformation.update_stack(
            StackName=bad, TemplateBody=json.dumps({"Resources": {"One": _HANDLE}})
        )
    )
    yield Answer(scenario="stacks", question="update of a stack that failed", said=update)
    cloudformation.delete_stack(StackName=good)
    gone = site.last_state(partial(state, good), until=_is_gone)
    yield Answer(scenario="stacks", question="stack that is deleted", said=gone)


def _twice(name: str) -> dict[str, Any]:
    """Two log groups of one name: the second cannot be made."""
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/fsd/{name}"}}
    return {"One": group, "Two": {**group, "DependsOn": "One"}}


def _stack_state(site: Site, cloudformation: Any, name: str) -> str:
    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        return site.say(str(error.response["Error"].get("Message")))
    return str(found[0]["StackStatus"])


def _ended(state: str) -> bool:
    return not state.endswith("_IN_PROGRESS")


def _is_gone(state: str) -> bool:
    return "does not exist" in state


def _stack(site: Site, cloudformation: Any, name: str) -> Made:
    return Made(
        what=f"stack {name}",
        command=f"aws cloudformation delete-stack --stack-name {name} {site.options}",
        remove=partial(_delete, site, cloudformation, name),
    )


def _delete(site: Site, cloudformation: Any, name: str) -> None:
    """Raises NotRemovedError if the stack stays."""
    cloudformation.delete_stack(StackName=name)
    look = partial(_stack_state, site, cloudformation, name)
    (state,) = site.last_state(look, until=lambda text: _is_gone(text) or _ended(text))
    if not _is_gone(state) and state != "DELETE_COMPLETE":
        raise NotRemovedError(f"its state is {state}")
