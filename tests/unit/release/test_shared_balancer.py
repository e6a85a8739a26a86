"""What one service sets of a load balancer that it has with others stays as the others deploy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.plan.planner import plan_release
from fsd.plan.steps import ApplyShared
from fsd.release.apply_step import Applied, apply_step
from fsd.release.delete import ServicePart, delete_service
from fsd.release.jobs import job_ref
from fsd.release.observe import observe, place_of
from fsd.release.ports import KnownTemplate, Stack
from fsd.release.reporter import Silent
from fsd.snapshot import StackLook
from tests.fakes.aws import FakeAws, FakeStacks
from tests.unit.release.desired import make_desired, make_shared

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1a2b3c4d"
NAME = "fsd-shared-main-dev"


def test_apply_step__shared_balancer_made_since_the_plan__keeps_what_the_other_set() -> None:
    aws = FakeAws()
    first = replace(
        make_desired(), shared=make_shared(certificate=CERTIFICATE, ingress=("203.0.113.0/24",))
    )
    second = replace(make_desired(), shared=make_shared())
    nothing = observe(aws.aws(), place_of(second))  # also where the stack is being created
    plans = [plan_release(desired, nothing) for desired in (first, second)]

    for desired, plan in zip((first, second), plans, strict=True):
        (step,) = (one for one in plan.steps if isinstance(one, ApplyShared))
        apply_step(
            step, Applied(outputs={}, task_definition_arn=""), desired=desired, aws=aws.aws()
        )

    one, two = aws.stacks.applied
    assert one == two
    assert aws.stacks.stacks[NAME].template["Metadata"] == {
        "fsd:settings": {"certificate": CERTIFICATE, "ingress": ["203.0.113.0/24"]}
    }


def with_shared_balancer() -> FakeAws:
    """`web` is deployed behind `main`."""
    aws = FakeAws()
    aws.ecs.declare_running(1)
    imports: Json = {"Listener": {"Fn::ImportValue": f"{NAME}-HttpListener"}}
    aws.stacks.apply("fsd-web-dev", template={"Resources": imports}, tags={})
    aws.stacks.apply(NAME, template={"Resources": {}}, tags={})
    return aws


def test_delete_service__cut_short_after_its_stack__the_next_removes_the_shared_one() -> None:
    aws = with_shared_balancer()
    ref = job_ref("web", environment="dev", cluster="dev")
    aws.stacks.on_find = [None, CallFailedError("cut", where="DescribeStacks", fix="-")]
    with pytest.raises(CallFailedError, match="cut"):
        delete_service(aws.aws(), ref, reporter=Silent())
    assert list(aws.stacks.stacks) == [NAME]

    again = delete_service(aws.aws(), ref, reporter=Silent())
    once_more = delete_service(aws.aws(), ref, reporter=Silent())

    assert aws.stacks.stacks == {}
    assert ServicePart.SHARED_STACK in [one.what for one in again.removed]
    assert ServicePart.STACK not in [one.what for one in again.removed]
    assert ServicePart.SHARED_STACK not in [one.what for one in once_more.removed]


@dataclass
class HalfDeleted(FakeStacks):
    """The deletion of the service's own stack has begun: `find` does not show it any more."""

    def find(self, name: str, *, known: KnownTemplate | None = None) -> Stack | None:
        return None if name == "fsd-web-dev" else FakeStacks.find(self, name, known=known)

    def look(self, name: str) -> StackLook | None:
        return StackLook(name=name, status="DELETE_FAILED") if name in self.stacks else None


def test_delete_service__deletion_of_its_stack_begun__done_to_the_end() -> None:
    aws = with_shared_balancer()
    aws.ecs.tag_task_definition(aws.ecs.definitions[0].arn, tags={"fsd:shared-stacks": NAME})
    aws.stacks = HalfDeleted(stacks=aws.stacks.stacks)

    done = delete_service(
        aws.aws(), job_ref("web", environment="dev", cluster="dev"), reporter=Silent()
    )

    assert aws.stacks.stacks == {}
    assert {ServicePart.STACK, ServicePart.SHARED_STACK} <= {one.what for one in done.removed}
