"""What one service sets of a load balancer that it has with others stays as the others deploy."""

from __future__ import annotations

from dataclasses import replace

from fsd.plan.planner import plan_release
from fsd.plan.steps import ApplyShared
from fsd.release.apply_step import Applied, apply_step
from fsd.release.observe import observe, place_of
from tests.fakes.aws import FakeAws
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
