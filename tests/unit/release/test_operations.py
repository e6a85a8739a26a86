from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fsd.compile.desired import Json, JsonValue, Scaling
from fsd.errors import RefusedError, UsageError
from fsd.release.delete import delete_service
from fsd.release.operation import Operation, ServiceRef
from fsd.release.ports import Cluster
from fsd.release.redeploy import restart
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, Progress
from fsd.release.rollback_to_version import roll_back
from fsd.release.scale import scale
from fsd.report.deleted import deleted_json
from fsd.report.messages import message_text
from fsd.report.notes import note_texts
from tests.fakes.aws import FakeAws, FakeClock

REF = ServiceRef(
    service="web", environment="dev", cluster="dev", name="web-dev", stack_name="fsd-web-dev",
)  # fmt: skip


def operation(aws: FakeAws) -> Operation:
    return Operation(aws=aws.aws(), ref=REF, clock=FakeClock(), reporter=Silent())


def with_history(*revisions: int) -> FakeAws:
    aws = FakeAws()
    for revision in revisions:
        aws.ecs.declare_running(revision)
    return aws


def test_roll_back__no_version__the_last_good_before_this() -> None:
    aws = with_history(40, 41, 42)

    result = roll_back(operation(aws), None)

    assert result.outcome is Outcome.SUCCEEDED
    assert result.running is not None
    assert result.running.revision == "web-dev:41"


class Shown(Silent):
    """Keeps which revisions were called the old ones."""

    def __init__(self) -> None:
        self.old: set[str] = set()

    def progress(self, progress: Progress) -> None:
        self.old.add(progress.old_revision)


def test_roll_back__shift_in_flight__taken_back_and_the_old_revision_named() -> None:
    aws, shown = with_history(40, 41), Shown()
    aws.ecs.take_over(42)
    aws.ecs.deployments[0] = replace(aws.ecs.deployments[0], lifecycle_stage="BAKE_TIME")
    aws.ecs.on_stop("ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")

    result = roll_back(replace(operation(aws), reporter=shown), None)

    assert result.outcome is Outcome.SUCCEEDED
    assert [name for name, _ in aws.ecs.calls if name.endswith("deployment")] == [
        "stop_service_deployment"
    ]
    assert shown.old == {"web-dev:41"}


def test_roll_back__to_a_label__that_revision() -> None:
    aws = with_history(40, 41, 42)

    result = roll_back(operation(aws), "v40")

    assert result.running is not None
    assert result.running.revision == "web-dev:40"


def test_roll_back__to_what_runs__unchanged() -> None:
    aws = with_history(41)

    assert roll_back(operation(aws), "v41").outcome is Outcome.UNCHANGED


def test_roll_back__log_group_of_that_release_is_gone__refused_before_anything() -> None:
    aws = with_history(41, 42)
    aws.logs.gone = {"/team/app"}
    options: Json = {"awslogs-group": "/team/app", "awslogs-stream-prefix": "ecs"}
    logs: Json = {"logDriver": "awslogs", "options": options}
    containers: list[JsonValue] = [{"name": "web", "logConfiguration": logs}]
    aws.ecs.definitions = [
        replace(one, definition={**one.definition, "containerDefinitions": containers})
        for one in aws.ecs.definitions
    ]

    with pytest.raises(UsageError, match="writes to the log group /team/app, which no longer"):
        roll_back(operation(aws), None)

    assert all(name != "update_service" for name, _ in aws.ecs.calls)


def listening(aws: FakeAws, *ports: int) -> FakeAws:
    """Each release on its port, and the load balancer sends to the port of the last one."""
    for at, port in enumerate(reversed(ports)):
        definition: Json = {
            "containerDefinitions": [{"name": "web", "portMappings": [{"containerPort": port}]}]
        }
        aws.ecs.definitions[at] = replace(aws.ecs.definitions[at], definition=definition)
    attached: tuple[Mapping[str, object], ...] = (
        {"targetGroupArn": "arn:tg", "containerName": "web", "containerPort": ports[-1]},
    )
    now = replace(
        aws.ecs.services["web-dev"],
        load_balancers=attached,
        container_name="web",
        container_port=ports[-1],
    )
    aws.ecs.services["web-dev"] = now
    return aws


def test_roll_back__release_listens_on_another_port__refused_before_anything() -> None:
    aws = listening(with_history(40, 41), 8000, 9000)

    with pytest.raises(RefusedError) as caught:
        roll_back(operation(aws), None)

    assert caught.value.what == (
        "web-dev:40 (v40) listens on port 8000, but the load balancer of web-dev sends requests to "
        "port 9000: ECS would not take it"
    )
    assert caught.value.fix == (
        "deploy that release's commit (4040404) again, which changes the load balancer too:  "
        "fsd deploy --env dev"
    )
    assert caught.value.exit_code == 4
    assert not [name for name, _ in aws.ecs.calls if name == "update_service"]


def test_roll_back__same_port__goes_on() -> None:
    aws = listening(with_history(40, 41), 9000, 9000)

    assert roll_back(operation(aws), None).outcome is Outcome.SUCCEEDED


def test_roll_back__nothing_earlier__error() -> None:
    with pytest.raises(UsageError) as error:
        roll_back(operation(with_history(41)), None)

    assert error.value.code == "nothing-to-roll-back-to"
    assert error.value.fix == "deploy a version that works"


def test_roll_back__the_old_one_is_broken_too__said() -> None:
    aws = with_history(41, 42)
    aws.ecs.script("IN_PROGRESS")
    aws.ecs.on_stop("ROLLBACK_SUCCESSFUL")
    aws.ecs.crash(41, times=2)

    result = roll_back(operation(aws), None)

    assert result.outcome is Outcome.ROLLED_BACK
    assert result.diagnosis is not None
    assert result.diagnosis.cause.code == "crashed"


def test_restart__same_revision__forced() -> None:
    aws = with_history(41)

    result = restart(operation(aws))

    assert result.outcome is Outcome.SUCCEEDED
    (update,) = [made for name, made in aws.ecs.calls if name == "update_service"]
    assert update["forceNewDeployment"] is True


def test_restart__listed_late__not_taken_for_the_old_one_of_the_same_revision() -> None:
    aws = with_history(40, 41)
    aws.ecs.script("ROLLBACK_SUCCESSFUL")
    aws.ecs.lists_late = 3

    assert restart(operation(aws)).outcome is Outcome.ROLLED_BACK


def test_restart__another_began_within_the_call__says_whom_it_took_over_from() -> None:
    aws = with_history(41)
    aws.ecs.before_update = [lambda: aws.ecs.begin(50)]

    result = restart(operation(aws))

    assert result.outcome is Outcome.SUCCEEDED
    assert any(
        "took over from the deployment of web-dev:50" in note for note in note_texts(result.notes)
    )


def test_restart__in_flight__refused() -> None:
    aws = with_history(41)
    aws.ecs.take_over(42)

    with pytest.raises(RefusedError):
        restart(operation(aws))


def test_scale__count__no_deployment() -> None:
    aws = with_history(41)

    result = scale(operation(aws), 5)

    assert result.outcome is Outcome.SUCCEEDED
    assert message_text(result.message) == "2 → 5 tasks"
    assert len(aws.ecs.deployments) == 1


def test_scale__outside_capacity__refused_with_the_limits() -> None:
    aws = with_history(41)
    aws.scaling.scaling = Scaling(
        minimum=2, maximum=5, cpu=70, memory=None, scale_in_cooldown=1, scale_out_cooldown=1
    )

    with pytest.raises(RefusedError) as error:
        scale(operation(aws), 9)

    assert "2 to 5" in error.value.what


def test_delete__everything_made_by_deployments__gone() -> None:
    aws = with_history(41)
    aws.registry.create_repository("web", tags={"fsd:created-by": "deploy"})
    aws.stacks.apply("fsd-web-dev", template={}, tags={})
    aws.ecs.clusters["dev"] = Cluster(name="dev", arn="c", tags={"fsd:created-by": "deploy"})

    deleted = delete_service(aws.aws(), REF, reporter=Silent())

    assert deleted.kept == ()
    assert (aws.ecs.clusters, aws.ecs.services, aws.ecs.definitions) == ({}, {}, [])
    assert (aws.registry.repositories, aws.stacks.stacks) == ({}, {})


def test_delete__what_others_use__kept() -> None:
    aws = with_history(41)
    aws.registry.create_repository("web", tags={"fsd:created-by": "deploy"})
    aws.stacks.apply("fsd-web-prod", template={}, tags={})
    aws.ecs.clusters["dev"] = Cluster(
        name="dev", arn="c", tags={"fsd:created-by": "deploy"}, services=3
    )

    deleted = delete_service(aws.aws(), REF, reporter=Silent(), other_environments=("prod",))

    assert deleted_json(deleted)["kept"] == [
        "repository web: used in prod",
        "cluster dev: used by 3 other services",
    ]


def test_delete__cluster_with_tasks_of_no_service__kept_and_says_so() -> None:
    aws = with_history(41)
    aws.ecs.clusters["dev"] = Cluster(
        name="dev", arn="c", tags={"fsd:created-by": "deploy"}, tasks=1
    )

    deleted = delete_service(aws.aws(), REF, reporter=Silent())

    assert deleted_json(deleted)["kept"] == ["cluster dev: used by 1 task"]


def test_delete__nothing_there__fine() -> None:
    assert delete_service(FakeAws().aws(), REF, reporter=Silent()).removed == ()
