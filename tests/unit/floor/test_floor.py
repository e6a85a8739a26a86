"""Every key of the second floor: schema, findings, what AWS is told, what the plan says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

import pytest
import yaml

from fsd.compile.compile import compile_service
from fsd.compile.desired import Desired, Json
from fsd.compile.scaling import with_label
from fsd.compile.schedule import schedule_parameters
from fsd.compile.service import create_parameters, update_parameters
from fsd.compile.shared import shared_template
from fsd.lint.run import lint
from fsd.manifest.load import Loaded, load_manifest
from fsd.manifest.models import Manifest
from fsd.manifest.schema import manifest_schema, places
from fsd.plan.jobs import plan_job
from fsd.plan.observed import Observed, ObservedRevision, ObservedSchedule, ObservedStack
from fsd.plan.planner import plan_release
from fsd.plan.steps import Plan
from fsd.report.changes import step_text
from fsd.snapshot import ServiceState
from tests.builders import make_image, make_release, make_target
from tests.unit.compile.shapes import assert_valid_input, lint_template
from tests.unit.floor.rows import ROWS, Row

OUTPUTS = {
    "TaskSecurityGroupId": "sg-1",
    "RequestCountLabel": "app/offer-api-dev/0a1b/targetgroup/offer/2c3d",
    "ScheduleRoleArn": "arn:aws:iam::123456789012:role/fsd/offer-api-dev-schedule",
    "TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/1",
}
REVISION = "arn:aws:ecs:us-east-1:123456789012:task-definition/offer-api-dev:1"
# Of the first floor; every other key needs a row.
FIRST_FLOOR = {
    *("type", "port", "healthCheck", "resources", "autoScaling", "environment", "secrets"),
    *("networking", "observability", "command", "entryPoint", "image", "platform", "deployment"),
}

# Keys that decide what FSD does, and of which AWS hears nothing.
NOT_FOR_AWS = {
    *("service.build", "service.beforeDeploy", "service.afterDeploy"),
    *("service.deployment.steadyFor", "service.existingSchedule"),
}

# The keys of the first floor inside its sections; each has its tests elsewhere.
FIRST_FLOOR_KEYS = {
    "autoScaling": {
        *("targetCPUUtilization", "targetMemoryUtilization", "scaleInCooldown", "scaleOutCooldown"),
    },
    "healthCheck": {
        *("timeout", "healthyThreshold", "unhealthyThreshold", "gracePeriod"),
    },
    "networking": {"vpc"},
    "observability": {"metrics", "traces"},
    "resources": {"cpu", "memory"},
}
# Of `deployment` the first floor and the strategies have tests of their own.
DEPLOYMENT_ROWS = {"earlySuccess", "steadyFor"}
# Short for `observability.logs`, whose keys have rows, but for what is off by default.
ALIAS, LONG = ("service", "logs"), ("service", "observability", "logs")
NO_ROW = {(*LONG, "enabled")}

# Values that no other key stands against, or only with what another row of the key tries.
WITHOUT_CLASH = {
    *("service.stopTimeout", "service.user", "service.workingDirectory", "service.init"),
    *("service.readonlyRootFilesystem", "service.capabilities", "service.dockerLabels"),
    *("service.resources.ephemeralStorage", "service.environmentFiles"),
    *("service.secrets.valueFrom", "service.afterDeploy", "service.healthCheck.startPeriod"),
    *("service.existingService", "service.networking.securityGroups.only"),
    "service.enableFaultInjection",
    *("service.networking.subnets", "service.timeout", "service.retries"),
    *("service.networking.loadBalancer.domain (shared)", "service.roles.execution"),
    *("service.networking.loadBalancer.type (http check)", "service.volumes.efs.root"),
    *("service.networking.loadBalancer.accessLogs (shared)", "service.healthCheck.port"),
}
# What a plan says nothing of, or says with another row of the key.
WITHOUT_PLAN = {
    *("service.build", "service.existingService", "service.observability.logs.driver"),
    *(
        "service.existingSchedule",
        "service.networking.loadBalancer.domain (shared)",
        "service.deployment.steadyFor",
    ),
    "service.networking.loadBalancer.type (http check)",
}


def document(service: str, kind: str = "Service") -> str:
    web = {"port": 8000, "healthCheck": {"path": "/health"}} if kind == "Service" else {}
    base = {"type": "ecs", **web, "observability": {"logs": {"retention": 30}}}
    tree = {
        "apiVersion": "fsd/v1",
        "kind": kind,
        "metadata": {"name": "offer-api", "pack": "offers", "owners": ["@org/offers"]},
        "service": merged(base, yaml.safe_load(service or "{}")),
    }
    return yaml.safe_dump(tree, sort_keys=False)


def merged(base: dict[str, object], more: dict[str, object]) -> dict[str, object]:
    both = {**base, **more}
    return {key: value for key, value in both.items() if value is not None}


def load(service: str, kind: str = "Service") -> Loaded:
    return load_manifest(document(service, kind), path="service.yml", variables={"ENV": "dev"})


def compiled(service: str, kind: str = "Service") -> Desired:
    loaded = load(service, kind)
    assert loaded.manifest is not None, loaded.findings
    return compile_service(
        loaded.manifest, target=make_target(), image=make_image(), release=make_release()
    )


def asked(desired: Desired) -> Json:
    """All that AWS is told."""
    if desired.schedule is not None:
        return {
            "task definition": desired.task_definition,
            "template": desired.template,
            "schedule": schedule_parameters(desired, outputs=OUTPUTS, task_definition_arn=REVISION),
        }
    return {
        "task definition": desired.task_definition,
        "template": desired.template,
        "tags": dict(desired.stack_tags),
        "service": create_parameters(
            desired, outputs=OUTPUTS, task_definition_arn=REVISION, client_token="t"
        ),
        "scaling": asdict(desired.scaling) if desired.scaling else None,
    }


def as_deployed(desired: Desired) -> Observed:
    """AWS after this release succeeded."""
    revision = ObservedRevision(arn=REVISION, definition=desired.task_definition, tags={})
    service = desired.service
    if desired.schedule is not None:
        return as_scheduled(desired, revision)
    return Observed(
        account="123456789012",
        region="us-east-1",
        cluster_exists=True,
        stack=ObservedStack(
            status="CREATE_COMPLETE",
            template=desired.template,
            tags=desired.stack_tags,
            outputs=OUTPUTS,
        ),
        service=ServiceState(
            name=desired.name,
            arn="arn",
            cluster=service.cluster,
            status="ACTIVE",
            task_definition_arn=REVISION,
            desired=service.desired_count,
            running=service.desired_count,
            pending=0,
            deployments=(),
            subnets=service.subnets,
            security_groups=(
                *(("sg-1",) if service.has_own_group else ()),
                *service.security_groups,
            ),
            target_group_arns=(OUTPUTS["TargetGroupArn"],) if service.has_load_balancer else (),
            container_port=service.port if service.has_load_balancer else None,
            assign_public_ip=service.assign_public_ip,
            exec=service.exec,
            connect=dict(service.connect or {}),
            capacity=service.capacity,
            grace_period=service.grace_period,
            deployment_configuration=dict(service.deployment_configuration),
        ),
        running=revision,
        latest=revision,
        scaling=with_label(desired.scaling, OUTPUTS) if desired.scaling else None,
        shared=shared_as_deployed(desired),
        namespace="arn:namespace",
        capacity_providers=frozenset({"FARGATE", "FARGATE_SPOT"}),
        in_flight=None,
        last_deployment=None,
        last_successful=None,
    )


def as_scheduled(desired: Desired, revision: ObservedRevision) -> Observed:
    parameters = schedule_parameters(desired, outputs=OUTPUTS, task_definition_arn=REVISION)
    return Observed(
        account="123456789012",
        region="us-east-1",
        cluster_exists=True,
        stack=ObservedStack(
            status="CREATE_COMPLETE",
            template=desired.template,
            tags=desired.stack_tags,
            outputs=OUTPUTS,
        ),
        service=None,
        running=revision,
        latest=revision,
        scaling=None,
        in_flight=None,
        last_deployment=None,
        last_successful=None,
        schedule=ObservedSchedule(
            name=str(parameters["Name"]), parameters=parameters, task_definition_arn=REVISION
        ),
    )


def planned(desired: Desired, observed: Observed) -> Plan:
    is_job = desired.schedule is not None
    return plan_job(desired, observed) if is_job else plan_release(desired, observed)


def shared_as_deployed(desired: Desired) -> ObservedStack | None:
    if desired.shared is None:
        return None
    template = shared_template(desired.shared)
    assert lint_template(template) == []
    return ObservedStack(
        status="CREATE_COMPLETE", template=template, tags=desired.shared.tags, outputs={}
    )


def row_id(row: Row) -> str:
    return row.key


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_key__good__fits_the_schema_and_finds_nothing_wrong(row: Row) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    text = document(row.good, row.kind)

    jsonschema.Draft202012Validator(manifest_schema()).validate(yaml.safe_load(text))
    loaded = load(row.good, row.kind)
    errors = [item for item in lint(loaded, "dev") if str(item.severity) == "error"]

    assert (loaded.findings, errors) == ((), [])


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_key__wrong_value__one_finding_at_the_key(row: Row) -> None:
    loaded = load(row.wrong, row.kind)

    assert [finding.id for finding in loaded.findings or lint(loaded, "dev")] == [row.finds]


@pytest.mark.parametrize("row", [row for row in ROWS if row.clash], ids=row_id)
def test_key__wrong_combination__is_found_offline(row: Row) -> None:
    loaded = load(row.clash, row.kind)

    assert loaded.findings == ()
    assert row.clash_finds in [finding.id for finding in lint(loaded, "dev")]


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_key__compiled__aws_takes_it_and_is_told_so(row: Row) -> None:
    desired = compiled(row.good, row.kind)
    told = asked(desired)
    text = json.dumps(told, sort_keys=True)

    assert_valid_input("ecs", "RegisterTaskDefinition", desired.task_definition)
    if desired.schedule is not None:
        schedule = told["schedule"]
        assert isinstance(schedule, dict)
        assert_valid_input("scheduler", "CreateSchedule", schedule)
        assert_valid_input("scheduler", "UpdateSchedule", schedule)
    else:
        created = told["service"]
        assert isinstance(created, dict)
        assert_valid_input("ecs", "CreateService", created)
        updated = update_parameters(desired, outputs=OUTPUTS, task_definition_arn=REVISION, ends={})
        assert_valid_input("ecs", "UpdateService", updated)
    assert lint_template(desired.template) == []
    assert row.compiled or row.key in NOT_FOR_AWS
    for piece in row.compiled:
        assert piece in text
        assert piece not in json.dumps(asked(compiled(row.base, row.kind)), sort_keys=True)


@pytest.mark.parametrize("row", [row for row in ROWS if row.plan], ids=row_id)
def test_key__added__the_plan_says_it_and_then_nothing_more(row: Row) -> None:
    before, after = compiled(row.base, row.kind), compiled(row.good, row.kind)

    plan = planned(after, as_deployed(before))

    assert row.plan in "\n".join(map(step_text, plan.steps))
    assert planned(after, as_deployed(after)).is_empty


def test_rows__keys_of_the_language__every_one_beyond_the_first_floor_has_a_row() -> None:
    top = {str(place[1]) for place in places(Manifest) if place[0] == "service" and len(place) > 1}
    covered = {row.key.split(".")[1] for row in ROWS}

    assert top - FIRST_FLOOR <= covered


def said(value: object, at: tuple[str, ...] = ("service",)) -> Iterator[tuple[str, ...]]:
    """The place of each key, as `fsd.manifest.schema.places` has it."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield (*at, str(key))
            yield from said(below, (*at, str(key)))
    elif isinstance(value, list):
        for item in value:
            yield from said(item, (*at, "0"))


def test_rows__every_key_inside_a_section__is_in_a_good_value() -> None:
    told = {place for row in ROWS for place in said(yaml.safe_load(row.good))}
    of_alias = {(*ALIAS, *place[len(LONG) :]) for place in told | NO_ROW if place[:3] == LONG}
    places_below = {tuple(map(str, place)) for place in places(Manifest)}
    wanted = {
        place
        for place in places_below
        if place[0] == "service"
        and len(place) > 2
        and place[2] not in FIRST_FLOOR_KEYS.get(place[1], set())
        and (place[1] != "deployment" or place[2] in DEPLOYMENT_ROWS)
    }

    assert sorted(wanted - told - of_alias - NO_ROW) == []


def test_rows__cells__each_is_filled_or_named_as_empty() -> None:
    keys = {row.key for row in ROWS}

    assert {row.key for row in ROWS if not row.clash} == WITHOUT_CLASH
    assert {row.key for row in ROWS if not row.plan} == WITHOUT_PLAN
    assert {row.key for row in ROWS if not row.compiled} == NOT_FOR_AWS
    assert len(keys) == len(ROWS)
