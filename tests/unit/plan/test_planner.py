from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.change import Change
from fsd.compile.desired import HEALTH_CHECK_LABEL, Json, Scaling
from fsd.plan.diff import diff_task_definitions
from fsd.plan.normalise import normalise_task_definition
from fsd.plan.observed import Observed, ObservedRevision, ObservedStack
from fsd.plan.planner import plan_release
from fsd.plan.steps import (
    ApplyScaling,
    ApplyStack,
    CreateCluster,
    CreateService,
    RegisterRevision,
    RemoveScaling,
    UpdateService,
    UseRevision,
)
from fsd.report.notes import note_texts
from tests.fakes.aws import FakeAws
from tests.unit.release.desired import make_desired

SCALING = Scaling(
    minimum=2, maximum=5, cpu=70, memory=None, scale_in_cooldown=300, scale_out_cooldown=300
)
NOTHING = Observed(
    account="123456789012", region="us-east-1", cluster_exists=False, stack=None, service=None,
    running=None, latest=None, scaling=None, in_flight=None, last_deployment=None,
    last_successful=None,
)  # fmt: skip


def deployed() -> Observed:
    """What stands after `make_desired()` was deployed."""
    aws, desired = FakeAws(), make_desired()
    aws.ecs.declare_running(41)
    revision = ObservedRevision(
        arn=f"{aws.ecs.definitions[0].arn}", definition=desired.task_definition, tags={}
    )
    return replace(
        NOTHING,
        cluster_exists=True,
        stack=ObservedStack(
            status="CREATE_COMPLETE",
            template=desired.template,
            tags=desired.stack_tags,
            outputs={},
        ),
        service=aws.ecs.services["web-dev"],
        running=revision,
        latest=revision,
    )


def kinds(observed: Observed, **changes: object) -> list[type]:
    desired = make_desired(**changes)  # type: ignore[arg-type] # make_desired's own keywords
    return [type(step) for step in plan_release(desired, observed).steps]


def test_plan_release__nothing_there__everything_in_order() -> None:
    assert kinds(NOTHING, scaling=SCALING) == [
        CreateCluster,
        ApplyStack,
        RegisterRevision,
        CreateService,
        ApplyScaling,
    ]


def test_plan_release__deployed_already__empty() -> None:
    plan = plan_release(make_desired(), deployed())

    assert plan.is_empty
    assert not plan.rolls_out


def test_plan_release__cpu_changes__a_revision_and_a_rollout() -> None:
    plan = plan_release(make_desired(cpu="1024"), deployed())

    assert [type(step) for step in plan.steps] == [RegisterRevision, UpdateService]
    assert plan.rolls_out
    assert plan.changes() == (Change(what="cpu", before="512", after="1024"),)


def checked_at(path: str, port: str = "traffic-port") -> Json:
    """The stack of a service behind a load balancer."""
    check: Json = {"HealthCheckPath": path, "HealthCheckPort": port}
    group: Json = {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": check}
    return {"Resources": {"TargetGroup": group}}


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (checked_at("/health"), ""),
        (checked_at("/alive"), "GET /alive (currently GET /health)"),
        (checked_at("/health", "8081"), "GET /health on port 8081 (currently GET /health)"),
    ],
)
def test_plan_release__health_check_moves__says_that_running_tasks_are_asked_too(
    template: Json, says: str
) -> None:
    observed = deployed()
    assert observed.stack is not None
    before = replace(observed, stack=replace(observed.stack, template=checked_at("/health")))

    plan = plan_release(replace(make_desired(), template=template), before)

    assert [says in text for text in note_texts(plan.notes)] == [True] * bool(says)


def test_plan_release__only_the_count__no_rollout() -> None:
    plan = plan_release(make_desired(count=5), deployed())

    assert [type(step) for step in plan.steps] == [UpdateService]
    assert not plan.rolls_out


def test_plan_release__bake_time_gone_from_the_manifest__is_ended() -> None:
    observed = deployed()
    assert observed.service is not None
    service = replace(observed.service, deployment_configuration={"bakeTimeInMinutes": 5})

    (step,) = plan_release(make_desired(), replace(observed, service=service)).steps

    assert isinstance(step, UpdateService)
    assert (step.ends, step.rolls_out) == ({"bakeTimeInMinutes": 0}, False)


def test_plan_release__scaled_service__the_count_is_not_ours() -> None:
    observed = replace(deployed(), scaling=SCALING)

    assert kinds(observed, count=5, scaling=SCALING) == []


def test_plan_release__scaling_removed__its_own_step() -> None:
    assert kinds(replace(deployed(), scaling=SCALING)) == [RemoveScaling]


def test_plan_release__template_changes__stack_only() -> None:
    assert kinds(deployed(), template={"Resources": {"New": {"Type": "x"}}}) == [ApplyStack]


def test_plan_release__revision_registered_before__used() -> None:
    desired = make_desired(cpu="1024")
    observed = replace(
        deployed(),
        latest=ObservedRevision(arn="arn:web-dev:42", definition=desired.task_definition, tags={}),
    )

    assert kinds(observed, cpu="1024") == [UseRevision, UpdateService]


def test_plan_release__first_try_had_failed__same_revision_again() -> None:
    observed = deployed()
    assert observed.service is not None
    primary = replace(observed.service.deployments[0], rollout_state="FAILED")
    observed = replace(observed, service=replace(observed.service, deployments=(primary,)))

    (step,) = plan_release(make_desired(), observed).steps

    assert isinstance(step, UpdateService)
    assert (step.rolls_out, step.force) == (True, True)


EQUAL: list[tuple[Json, Json]] = [
    ({"family": "web"}, {"family": "web", "volumes": [], "placementConstraints": []}),
    (
        {"containerDefinitions": [{"name": "a"}]},
        {
            "containerDefinitions": [
                {"name": "a", "cpu": 0, "essential": True, "mountPoints": [], "volumesFrom": []}
            ]
        },
    ),
    (
        {"containerDefinitions": [{"name": "a", "portMappings": [{"containerPort": 80}]}]},
        {
            "containerDefinitions": [
                {
                    "name": "a",
                    "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
                }
            ]
        },
    ),
    (
        {
            "containerDefinitions": [
                {
                    "name": "a",
                    "environment": [{"name": "X", "value": "1"}, {"name": "A", "value": "2"}],
                }
            ]
        },
        {
            "enableFaultInjection": False,
            "containerDefinitions": [
                {
                    "name": "a",
                    "environment": [{"name": "A", "value": "2"}, {"name": "X", "value": "1"}],
                }
            ],
        },
    ),
]


@pytest.mark.parametrize(("sent", "answered"), EQUAL)
def test_normalise__what_aws_adds_or_sorts__equal(sent: Json, answered: Json) -> None:
    assert normalise_task_definition(sent) == normalise_task_definition(answered)
    assert diff_task_definitions(sent, answered) == ()


def test_diff__environment__names_but_never_values() -> None:
    before: Json = {
        "containerDefinitions": [
            {
                "name": "a",
                "environment": [
                    {"name": "KEEP", "value": "x"},
                    {"name": "OLD", "value": "hunter2"},
                ],
            }
        ]
    }
    after: Json = {
        "containerDefinitions": [
            {
                "name": "a",
                "environment": [
                    {"name": "KEEP", "value": "hunter3"},
                    {"name": "NEW", "value": "y"},
                ],
            }
        ]
    }

    (change,) = diff_task_definitions(before, after)

    assert change == Change(what="environment", added=("NEW",), removed=("OLD",), changed=("KEEP",))


def test_normalise__its_argument__untouched() -> None:
    sent: Json = {"containerDefinitions": [{"name": "a", "environment": []}], "volumes": []}

    normalise_task_definition(sent)

    assert sent == {"containerDefinitions": [{"name": "a", "environment": []}], "volumes": []}


def test_diff__load_balancer_check__only_the_keys_that_change() -> None:
    def checked(text: str) -> Json:
        return {"containerDefinitions": [{"name": "a", "dockerLabels": {HEALTH_CHECK_LABEL: text}}]}

    timing = "every 5 s, timeout 2 s, 2 good, 2 bad"
    strict = timing.replace("2 bad", "3 bad")

    assert diff_task_definitions(
        checked(f"GET /health {timing}"), checked(f"GET /helth {timing}")
    ) == (Change(what="healthCheck.path", before="/health", after="/helth"),)
    assert diff_task_definitions(
        checked(f"GET /a {timing}"),
        checked(f"GET /a on port 81, expecting 200, {strict}"),
    ) == (
        Change(what="healthCheck.port", before="service.port", after="81"),
        Change(what="healthCheck.matcher", before="200-299", after="200"),
        Change(what="healthCheck.unhealthyThreshold", before="2", after="3"),
    )


def test_diff__load_balancer_check__in_words_and_other_labels_by_name() -> None:
    before: Json = {
        "containerDefinitions": [{"name": "a", "dockerLabels": {"fsd.health-check": "GET /health"}}]
    }
    after: Json = {
        "containerDefinitions": [
            {"name": "a", "dockerLabels": {"fsd.health-check": "GET /ready", "other": "x"}}
        ]
    }

    changes = diff_task_definitions(before, after)

    assert changes == (
        Change(what="health check", before="GET /health", after="GET /ready"),
        Change(what="labels", added=("other",)),
    )
