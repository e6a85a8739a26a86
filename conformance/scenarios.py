"""The questions. Each makes only what bears the run's name, and says first how to remove it.

Nothing here runs a task, so that nothing is charged: refusals, and the states of stacks and of a
service without tasks.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from conformance.recording import Answer, without_names

TAG = "fsd:conformance"
_HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}


@dataclass(slots=True, kw_only=True)
class Site:
    """Where is asked. `undo` has what removes what was made, the last first."""

    client: Callable[[str], Any]
    cluster: str
    name: str  # conformance-1a2b3c4d
    pause: float = 2.0  # seconds between two looks
    longest: float = 600.0  # seconds until a state counts as its last
    undo: list[tuple[str, Callable[[], object]]] = field(default_factory=list)

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

    def remove_all(self) -> Iterator[str]:
        """What could not be removed, each with why."""
        while self.undo:
            what, remove = self.undo.pop()
            try:
                remove()
            except ClientError as error:
                yield f"{what}: {error}"


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
    site.undo.append((f"revisions of {site.name}", partial(_deregister, ecs, site.name)))
    for question, ask in questions.items():
        yield Answer(scenario="messages", question=question, said=site.refusal(ask))


def _deregister(ecs: Any, family: str) -> None:
    """What an endpoint accepted that AWS refuses."""
    for arn in ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]:
        ecs.deregister_task_definition(taskDefinition=arn)


def stacks(site: Site) -> Iterator[Answer]:
    """A stack that is made, one that fails, a change without a change, and a deletion."""
    cloudformation = site.client("cloudformation")
    good, bad = f"{site.name}-good", f"{site.name}-bad"

    def state(name: str) -> str:
        try:
            found = cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            return site.say(str(error.response["Error"].get("Message")))
        return str(found[0]["StackStatus"])

    def ends(text: str) -> bool:
        return not text.endswith("_IN_PROGRESS")

    for name, resources in ((good, {"One": _HANDLE}), (bad, _twice(site.name))):
        site.undo.append((f"stack {name}", _deletion(cloudformation, name)))
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=json.dumps({"Resources": resources}),
            Tags=[{"Key": TAG, "Value": site.name}],
        )
        said = site.last_state(partial(state, name), until=ends)
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
    gone = site.last_state(lambda: state(good), until=lambda text: "does not exist" in text)
    yield Answer(scenario="stacks", question="stack that is deleted", said=gone)


def _twice(name: str) -> dict[str, Any]:
    """Two log groups of one name: the second cannot be made."""
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/fsd/{name}"}}
    return {"One": group, "Two": {**group, "DependsOn": "One"}}


def _deletion(cloudformation: Any, name: str) -> Callable[[], object]:
    return lambda: cloudformation.delete_stack(StackName=name)


SCENARIOS: tuple[Scenario, ...] = (messages, stacks)
