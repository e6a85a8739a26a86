"""When a service's own answer is enough, and when ECS's list of its deployments is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.plan.known_template import STACK_TAG, record_template
from fsd.plan.observed import Observed
from fsd.plan.previous_stack import PreviousStack, with_previous
from fsd.plan.verdict import VERDICT
from fsd.release.deploy import deploy
from fsd.release.observe import AtHand, observe, place_of
from fsd.release.ports import PermissionDenied, ServiceRead
from fsd.release.reporter import Silent
from fsd.snapshot import ServiceState
from tests.fakes.aws import FakeAws, FakeClock, FakeEcs, FakeTargets
from tests.unit.release.desired import make_desired, make_request

DESIRED = make_desired()


@dataclass
class CountingEcs(FakeEcs):
    lists: int = 0
    looks: int = 0

    def find_service(self, cluster: str, name: str) -> ServiceState | None:
        self.looks += 1
        return FakeEcs.find_service(self, cluster, name)

    def newest_deployments(self, cluster: str, service: str, *, limit: int) -> Any:
        self.lists += 1
        return FakeEcs.newest_deployments(self, cluster, service, limit=limit)


@pytest.fixture
def ecs() -> CountingEcs:
    ecs = CountingEcs()
    ecs.declare_running(41)
    return ecs


@pytest.fixture
def aws(ecs: CountingEcs) -> FakeAws:
    aws = FakeAws(ecs=ecs)
    aws.stacks.apply(DESIRED.stack_name, template=DESIRED.template, tags={})
    return aws


def look(aws: FakeAws) -> Observed:
    return observe(aws.aws(), place_of(DESIRED))


def read_before(aws: FakeAws, *, cluster: str = DESIRED.service.cluster) -> ServiceRead:
    service = FakeEcs.find_service(aws.ecs, DESIRED.service.cluster, DESIRED.name)
    return ServiceRead(cluster=cluster, name=DESIRED.name, service=service)


def test_observe__service_was_read_before__as_if_it_was_read_now(
    ecs: CountingEcs, aws: FakeAws
) -> None:
    known = observe(aws.aws(), place_of(DESIRED), at_hand=AtHand(service=read_before(aws)))

    assert ecs.looks == 0
    assert known == look(aws)


def test_observe__another_service_was_read_before__this_one_is_read(
    ecs: CountingEcs, aws: FakeAws
) -> None:
    other = AtHand(service=read_before(aws, cluster="other"))

    observed = observe(aws.aws(), place_of(DESIRED), at_hand=other)

    assert ecs.looks == 1
    assert observed.service is not None


def test_observe__another_deployment_began_since__service_is_read_anew(
    ecs: CountingEcs, aws: FakeAws
) -> None:
    old = read_before(aws)
    ecs.declare_running(42)

    observed = observe(aws.aws(), place_of(DESIRED), lists=True, at_hand=AtHand(service=old))

    assert observed.service is not None
    assert observed.service.task_definition_arn.endswith(":42")


def recorded(aws: FakeAws, *, template: Json = DESIRED.template) -> None:
    """The newest revision says what the stack's template is, as of now."""
    stack = aws.stacks.stacks[DESIRED.stack_name]
    record = record_template(stack.change, template)
    aws.ecs.tag_task_definition(aws.ecs.definitions[-1].arn, tags={STACK_TAG: record})


def with_template(aws: FakeAws, template: Json = DESIRED.template) -> Observed:
    return observe(aws.aws(), place_of(DESIRED), at_hand=AtHand(template=lambda: template))


def test_observe__stack_is_as_recorded_and_wanted__template_is_not_read(aws: FakeAws) -> None:
    recorded(aws)

    known = with_template(aws)

    assert aws.stacks.templates_read == 0
    assert known == look(aws)


def test_observe__stack_is_to_change__template_is_read(aws: FakeAws) -> None:
    recorded(aws)

    observed = with_template(aws, {**DESIRED.template, "Description": "another"})

    assert aws.stacks.templates_read == 1
    assert observed.stack is not None
    assert observed.stack.template == DESIRED.template


@pytest.mark.parametrize("record", ["", "nonsense", "fsd-web-dev#1", "fsd-web-dev#1."])
def test_observe__no_record_that_says_it__template_is_read(aws: FakeAws, record: str) -> None:
    aws.ecs.tag_task_definition(aws.ecs.definitions[-1].arn, tags={STACK_TAG: record})

    with_template(aws)

    assert aws.stacks.templates_read == 1


def test_observe__somebody_changed_the_stack_since__template_is_read(aws: FakeAws) -> None:
    recorded(aws)
    theirs: Json = {**DESIRED.template, "Description": "by somebody else"}
    aws.stacks.apply(DESIRED.stack_name, template=theirs, tags={})

    observed = with_template(aws)

    assert aws.stacks.templates_read == 1
    assert observed.stack is not None
    assert observed.stack.template == theirs


def test_observe__run_died_after_it_changed_the_stack__template_is_read_with_what_it_left(
    aws: FakeAws,
) -> None:
    before = PreviousStack(template={"Resources": {}}, deployment_arn="d")
    left = with_previous(DESIRED.template, before)
    aws.stacks.apply(DESIRED.stack_name, template=left, tags={})
    recorded(aws, template=left)

    with_template(aws)

    assert aws.stacks.templates_read > 0


def test_deploy__registers_a_revision__which_says_what_template_the_stack_has() -> None:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    deploy(make_request(DESIRED), aws.aws(), clock=FakeClock(), reporter=Silent())
    aws.stacks.templates_read = 0

    observed = with_template(aws)

    assert aws.stacks.templates_read == 0
    assert observed == look(aws)


def test_observe__service_at_rest__as_its_list_would_say(ecs: CountingEcs, aws: FakeAws) -> None:
    quick = look(aws)

    assert ecs.lists == 0
    full = observe(aws.aws(), place_of(DESIRED), lists=True)
    last = full.last_successful
    assert last is not None
    assert quick.last_successful is not None
    told = replace(quick.last_successful, created_at=last.created_at, requested=last.requested)
    assert told == last
    assert (quick.in_flight, full.in_flight) == (None, None)
    assert quick.running == quick.latest == full.running
    assert full.known_deployments <= quick.known_deployments


def changed(ecs: CountingEcs, **changes: object) -> None:
    service = ecs.services["web-dev"]
    ecs.services["web-dev"] = replace(service, **changes)  # type: ignore[arg-type] # names are checked by replace


def moving(service: ServiceState) -> ServiceState:
    (only,) = service.deployments
    return replace(service, deployments=(replace(only, rollout_state="IN_PROGRESS"),))


CASES: dict[str, Callable[[CountingEcs], None]] = {
    "in progress": lambda ecs: changed(
        ecs, deployments=moving(ecs.services["web-dev"]).deployments
    ),
    "two deployments": lambda ecs: changed(
        ecs, deployments=ecs.services["web-dev"].deployments * 2
    ),
    "a bake time": lambda ecs: changed(ecs, alarms=("errors",)),
    "an early success": lambda ecs: changed(
        ecs, deployment_configuration={"earlySuccessCriteria": {"x": 1}}
    ),
    "a traffic shift": lambda ecs: changed(ecs, deployment_configuration={"strategy": "CANARY"}),
    "it does not say which is the last": lambda ecs: changed(ecs, current_deployment_arn=""),
    "nothing has proved it": lambda ecs: ecs.tag_task_definition(
        ecs.definitions[0].arn, tags={VERDICT: "watched"}
    ),
    "its revision is gone": lambda ecs: ecs.definitions.clear(),
}


@pytest.mark.parametrize("case", CASES)
def test_observe__it_does_not_say_all__deployments_are_listed(
    ecs: CountingEcs, aws: FakeAws, case: str
) -> None:
    CASES[case](ecs)

    look(aws)

    assert ecs.lists == 1


def test_observe__a_run_died_with_the_stack_changed__deployments_are_listed(
    ecs: CountingEcs, aws: FakeAws
) -> None:
    memory = PreviousStack(template={"Resources": {}}, deployment_arn=ecs.deployments[0].arn)
    template = with_previous(DESIRED.template, memory)
    aws.stacks.apply(DESIRED.stack_name, template=template, tags={})

    observed = look(aws)

    assert ecs.lists == 1
    assert observed.stack is not None
    assert observed.stack.previous == memory


class RuleReader(FakeTargets):
    error: CallFailedError

    def weights(self, rule_arn: str) -> Mapping[str, int]:
        assert rule_arn == "arn:rule"
        raise self.error


def look_at_rule(aws: FakeAws, error: CallFailedError) -> Observed:
    service = read_before(aws).service
    assert service is not None
    targets = RuleReader()
    targets.error = error
    read = ServiceRead(
        cluster=DESIRED.service.cluster,
        name=DESIRED.name,
        service=replace(service, production_rule="arn:rule"),
    )
    return observe(
        replace(aws.aws(), targets=targets), place_of(DESIRED), at_hand=AtHand(service=read)
    )


def test_observe__rule_is_not_answered__not_taken_for_the_first_target_group(aws: FakeAws) -> None:
    error = CallFailedError("Throttling: Rate exceeded", where="DescribeRules", fix="run it again")

    with pytest.raises(CallFailedError, match="Rate exceeded"):
        look_at_rule(aws, error)


def test_observe__rule_may_not_be_read__unknown(aws: FakeAws) -> None:
    denied = PermissionDenied("AccessDenied", where="DescribeRules", fix="allow it")

    assert look_at_rule(aws, denied).weights_unread is denied
