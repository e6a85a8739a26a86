"""What a deployment did is what the plan had said, field by field: for services made by chance, in
states made by chance, to which others have done what they please."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fsd.compile.desired import Desired, Image, Json, Release, Scaling
from fsd.plan.canonical import canonical_text
from fsd.plan.normalise import normalise_task_definition
from fsd.plan.planner import plan_release
from fsd.plan.reality import LISTENER, LOAD_BALANCER, LOG_GROUP, ROLE, TARGET_GROUP
from fsd.release.deploy import deploy
from fsd.release.deploy_request import DeployRequest
from fsd.release.observe import observe, place_of
from fsd.release.reporter import Silent
from fsd.release.result import Outcome
from fsd.report.plans import PlanReport, plan_json
from fsd.snapshot import EcsDeployment, TargetHealth
from tests.fakes.aws import FakeAws, FakeClock, FakeTargets
from tests.unit.plan.manifests import make_desired_by_chance

PAIRS = int(os.environ.get("FSD_TEST_PAIRS", "300"))
DONE = {Outcome.SUCCEEDED, Outcome.UNCHANGED, Outcome.NOT_STARTED}
SERVICE, STACK = "web-dev", "fsd-web-dev"
IMAGE = Image(repository="repo", digest="sha256:" + "9b1f" * 16)


class AllHealthy(FakeTargets):
    """Whatever is registered answers its health check."""

    def health(self, target_group_arn: str) -> Sequence[TargetHealth]:
        del target_group_arn
        return [TargetHealth(address="10.0.0.1", port=8000, state="healthy")]


@dataclass
class World:
    """One service in one account, as a deployment and others make it."""

    aws: FakeAws = field(default_factory=lambda: FakeAws(targets=AllHealthy()))

    def __post_init__(self) -> None:
        self.aws.scaling.clamp = self._clamp

    def deploy(self, desired: Desired, *statuses: str) -> Outcome:
        if statuses:
            self.aws.ecs.script(*statuses)
        request = DeployRequest(
            desired=desired,
            image=IMAGE,
            release=Release(version="v1", commit=""),
            allow_replacement=True,
        )
        return deploy(request, self.aws.aws(), clock=FakeClock(), reporter=Silent()).outcome

    def plan(self, desired: Desired) -> dict[str, Any]:
        plan = plan_release(desired, observe(self.aws.aws(), place_of(desired)))
        return plan_json(PlanReport(service="web", environment="dev", plan=plan))

    def change(self, **what: object) -> None:
        """Somebody changes the service by hand."""
        if SERVICE in self.aws.ecs.services:
            service = self.aws.ecs.services[SERVICE]
            self.aws.ecs.services[SERVICE] = replace(service, **what)  # type: ignore[arg-type] # fields of ServiceState

    def _there(self, resources: dict[str, str]) -> dict[str, str]:
        gone = self.aws.reality.gone
        return {name: text for name, text in resources.items() if name not in gone}

    def _clamp(self, scaling: Scaling) -> None:
        now = self.aws.ecs.services[SERVICE].desired
        self.change(desired=min(max(now, scaling.minimum), scaling.maximum))

    def picture(self) -> dict[str, Any]:
        """All that a deployment may change, by the words of a plan."""
        ecs, scaling = self.aws.ecs, self.aws.scaling
        service, stack = ecs.services.get(SERVICE), self.aws.stacks.stacks.get(STACK)
        arn = service.task_definition_arn if service else ""
        running = next((d.definition for d in ecs.definitions if d.arn == arn), {})
        limits = scaling.scaling
        return {
            "cluster": "dev" in ecs.clusters,
            "stack": self._there(_resources(stack.template)) if stack else {},
            "tags": dict(stack.tags) if stack else {},
            "revision": _fields(running),
            "rollouts": len(ecs.deployments),
            "desired count": service.desired if service else None,
            "subnets": {*service.subnets} if service else None,
            "security groups": {*service.security_groups} if service else None,
            "public address": service.assign_public_ip if service else None,
            "load balancer": {*service.target_group_arns} if service else None,
            "container port": service.container_port if service else None,
            "grace period": (service.grace_period or 0) if service else None,
            "deployment configuration": service.deployment_configuration if service else None,
            "minimum": limits.minimum if limits else None,
            "maximum": limits.maximum if limits else None,
            "cpu target": limits.cpu if limits else None,
            "memory target": limits.memory if limits else None,
            "others' policies": (scaling.others, scaling.scheduled),
        }


def _resources(template: Json) -> dict[str, str]:
    resources = template["Resources"]
    assert isinstance(resources, dict)
    return {name: canonical_text(resource) for name, resource in resources.items()}


def _fields(definition: Json) -> dict[str, str]:
    """Of a task definition and its containers, `<container> <field>`."""
    normal = normalise_task_definition(definition) if definition else {}
    containers = normal.pop("containerDefinitions", [])
    assert isinstance(containers, list)
    found = {name: canonical_text(value) for name, value in normal.items()}
    for container in containers:
        assert isinstance(container, dict)
        found |= {f"{container['name']} {k}": canonical_text(v) for k, v in container.items()}
    return found


# --- what others do ----------------------------------------------------------------------------


def _terraform_scales(world: World, chance: random.Random) -> None:
    low = chance.randint(0, 4)
    world.aws.scaling.scaling = Scaling(
        minimum=low, maximum=low + chance.randint(1, 6), cpu=None, memory=None,
        scale_in_cooldown=300, scale_out_cooldown=300,
    )  # fmt: skip
    world.aws.scaling.is_ours = False
    world.aws.scaling.others = chance.choice(((), ("cpu50",)))


def _adds_a_policy(world: World, chance: random.Random) -> None:
    if world.aws.scaling.scaling is not None:
        world.aws.scaling.others = ("queue-depth",)
        world.aws.scaling.scheduled = chance.choice(((), ("night",)))


def _moves_limits(world: World, chance: random.Random) -> None:
    scaling = world.aws.scaling
    if scaling.scaling is not None:
        scaling.scaling = replace(scaling.scaling, maximum=chance.randint(8, 12))


def _scales_by_hand(world: World, chance: random.Random) -> None:
    world.change(desired=chance.randint(0, 9))


def _moves_the_network(world: World, chance: random.Random) -> None:
    if chance.random() < 0.5:
        world.change(security_groups=("sg-theirs",))
    else:
        world.change(subnets=("subnet-theirs",))


def _changes_settings(world: World, chance: random.Random) -> None:
    alarms = {"alarmNames": ["theirs"], "enable": True, "rollback": True}
    configuration: dict[str, object] = {"alarms": alarms, "maximumPercent": 150}
    world.change(
        grace_period=chance.choice((0, 7)),
        deployment_configuration=configuration,
    )


def _detaches(world: World, chance: random.Random) -> None:
    del chance
    world.change(target_group_arns=(), container_port=None)


def _attaches_elsewhere(world: World, chance: random.Random) -> None:
    world.change(target_group_arns=("arn:theirs",), container_port=chance.choice((8000, 1)))


def _tags_the_stack(world: World, chance: random.Random) -> None:
    del chance
    stacks = world.aws.stacks.stacks
    if STACK in stacks:
        stacks[STACK] = replace(stacks[STACK], tags={"theirs": "1"})


def _edits_the_template(world: World, chance: random.Random) -> None:
    stacks = world.aws.stacks.stacks
    if STACK in stacks:
        resources = _mutable(stacks[STACK].template)["Resources"]
        resources.pop(chance.choice(sorted(resources)))
        resources["Theirs"] = {"Type": "AWS::SNS::Topic"}
        template = {**stacks[STACK].template, "Resources": resources}
        stacks[STACK] = replace(stacks[STACK], template=template)


def _removes_a_resource(world: World, chance: random.Random) -> None:
    """What CloudFormation does not notice."""
    stacks = world.aws.stacks.stacks
    if STACK in stacks:
        kinds = {ROLE, LOG_GROUP, LISTENER, LOAD_BALANCER, TARGET_GROUP}
        resources = _mutable(stacks[STACK].template)["Resources"]
        names = sorted(name for name, one in resources.items() if one["Type"] in kinds)
        gone = {chance.choice(names)}
        if any("LoadBalancer" in name or "TargetGroup" in name for name in gone):
            gone |= {name for name in names if name.endswith("Listener")}
        world.aws.reality.gone |= gone


def _deletes_the_stack(world: World, chance: random.Random) -> None:
    del chance
    world.aws.stacks.stacks.pop(STACK, None)


def _deletes_the_service(world: World, chance: random.Random) -> None:
    del chance
    world.aws.ecs.services.pop(SERVICE, None)


def _releases_another(world: World, chance: random.Random) -> None:
    if SERVICE in world.aws.ecs.services:
        world.deploy(make_desired_by_chance(chance))


def _mutable(template: Json) -> dict[str, Any]:
    resources = template["Resources"]
    assert isinstance(resources, dict)
    return {**template, "Resources": {**resources}}


OTHERS: tuple[Callable[[World, random.Random], None], ...] = (
    _terraform_scales,
    _adds_a_policy,
    _moves_limits,
    _scales_by_hand,
    _moves_the_network,
    _changes_settings,
    _detaches,
    _attaches_elsewhere,
    _tags_the_stack,
    _edits_the_template,
    _removes_a_resource,
    _deletes_the_stack,
    _deletes_the_service,
    _releases_another,
)


def make_world(chance: random.Random) -> World:
    world = World()
    match chance.random():
        case share if share < 0.1:
            pass  # nothing is there
        case share if share < 0.2:
            world.deploy(make_desired_by_chance(chance), "IN_PROGRESS", "STOPPED")
            failed = EcsDeployment(
                id="1", status="PRIMARY", task_definition_arn="t", rollout_state="FAILED"
            )
            world.change(deployments=(failed,))
        case _:
            world.deploy(make_desired_by_chance(chance))
    if world.aws.ecs.services:
        for other in chance.sample(OTHERS, chance.randint(0, 4)):
            other(world, chance)
    return world


# --- what the plan says ------------------------------------------------------------------------


def changes_of(plan: Mapping[str, Any], *kinds: str) -> dict[str, str]:
    return {
        f"{change['sign'] or ''}{change['what']}": change["text"]
        for step in plan["steps"]
        if step["kind"] in kinds
        for change in step["changes"]
    }


SETTINGS = (
    "desired count", "subnets", "security groups", "public address", "load balancer",
    "container port", "grace period", "deployment configuration",
)  # fmt: skip
LIMITS = ("minimum", "maximum", "cpu target", "memory target")
REVISION_FIELDS = {
    "taskRoleArn": "task role",
    "executionRoleArn": "execution role",
    "runtimePlatform": "platform",
    "dependsOn": "depends on",
    "environmentFiles": "environment files",
    "linuxParameters": "process",
    "mountPoints": "volumes",
    "portMappings": "ports",
    "readonlyRootFilesystem": "read-only root",
    "stopTimeout": "stop timeout",
    "workingDirectory": "working directory",
}


def differing(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    return {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}


def check(plan: Mapping[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Each field has changed exactly where the plan says so, and to what it says."""
    kinds = [step["kind"] for step in plan["steps"]]
    assert (before["cluster"], after["cluster"]) == ("create-cluster" not in kinds, True)
    check_stack(plan, before, after)
    check_revision(plan, before, after)
    check_service(plan, before, after)
    check_scaling(plan, before, after)
    assert after["rollouts"] - before["rollouts"] == plan["rollsOut"]
    assert plan["empty"] == (before == after)


def check_stack(plan: Mapping[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    said = changes_of(plan, "apply-stack").keys()
    changed = differing(before["stack"], after["stack"])
    assert {name[1:] for name in said if name[0] in "+-~"} == changed
    for name in changed:
        sign = "~" if name in before["stack"] and name in after["stack"] else "+"
        assert f"{sign if name in after['stack'] else '-'}{name}" in said
    if before["stack"]:
        assert ("tags" in said) == (before["tags"] != after["tags"])


CHECK_KEYS = tuple(
    f"healthCheck.{key}"
    for key in (
        *("path", "port", "matcher", "interval"),
        *("timeout", "healthyThreshold", "unhealthyThreshold"),
    )
)


def check_revision(plan: Mapping[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    said = changes_of(plan, "register-revision", "use-revision")
    changed = differing(before["revision"], after["revision"])
    if "first revision" in said:
        return
    assert bool(said) == bool(changed)
    for name in changed:
        container, _, key = name.rpartition(" ")
        is_new = f"{container} name" in differing(before["revision"], after["revision"])
        label = {"dockerLabels": ("labels", "health check", *CHECK_KEYS)}.get(key, (key,))
        words = ("container",) if container and is_new else label
        assert {REVISION_FIELDS.get(word, word) for word in words} & said.keys(), name


def check_service(plan: Mapping[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    counts = {"before": before["desired count"], "after": after["desired count"]}
    assert plan["desiredCount"] == counts
    if before["desired count"] is None:
        assert "create-service" in [step["kind"] for step in plan["steps"]]
        return
    said = changes_of(plan, "update-service", "set-count", "apply-scaling")
    if said.get("load balancer") in ("added", "removed"):
        before = {**before, "container port": after["container port"]}  # comes or goes with it
    for name in SETTINGS:
        assert (name in said) == (before[name] != after[name]), name
    if "desired count" in said:
        assert said["desired count"].endswith(f"→ {after['desired count']}")


def check_scaling(plan: Mapping[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    said = changes_of(plan, "apply-scaling")
    removes = "remove-scaling" in [step["kind"] for step in plan["steps"]]
    assert after["others' policies"] == before["others' policies"]
    for name in LIMITS:
        if removes:
            assert after[name] in (None, before[name]), name
        else:
            assert (name in said) == ((before[name] or 0) != (after[name] or 0)), name
        if name in said:
            assert said[name].endswith(f"→ {'none' if after[name] is None else after[name]}"), name
    if removes:
        assert (after["cpu target"], after["memory target"]) == (None, None)


def test_plan__services_and_states_by_chance__what_deploy_does_is_what_it_said() -> None:
    seen: dict[str, int] = {}
    for number in range(PAIRS):
        chance = random.Random(number)
        world, desired = make_world(chance), make_desired_by_chance(chance)
        plan, before = world.plan(desired), world.picture()
        outcome = world.deploy(desired)
        after = world.picture()
        try:
            assert outcome in DONE
            check(plan, before, after)
            # What no task has proved is rolled out again.
            assert outcome is Outcome.NOT_STARTED or world.plan(desired)["empty"]
        except AssertionError as error:
            error.add_note(f"pair {number}: {plan['steps']}")
            raise
        for step in plan["steps"]:
            seen[step["kind"]] = seen.get(step["kind"], 0) + 1

    assert min(seen.get(kind, 0) for kind in KINDS) >= PAIRS // 50, seen


KINDS = (
    "create-cluster", "apply-stack", "register-revision", "create-service", "update-service",
    "apply-scaling", "remove-scaling", "set-count",
)  # fmt: skip
