"""The walk of a deployment in docs/architecture.md, walked."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType

import pytest

from fsd.release.deploy import deploy
from fsd.release.reporter import Silent
from fsd.release.result import Outcome
from tests.fakes.aws import FakeAws, FakeClock
from tests.unit.release.desired import make_request

ROOT = Path(__file__).parent.parent.parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
WALK = PAGE.partition("## The walk of a deployment")[2].partition("\n## ")[0]
# The functions of what the driver does; a class is a value, and what comes before needs an account.
STEPS = re.findall(r"`src/fsd/(?:release|plan|rollout)/([\w/]+\.py)::([a-z_]+)`", WALK)
GOING_BACK = {("rollback.py", "go_back"), ("rescue.py", "bring_back")}


def walk(aws: FakeAws) -> tuple[Outcome, list[tuple[str, str]]]:
    """How it ended, and the steps in the order in which each was first taken."""
    taken: list[tuple[str, str]] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        name, file = frame.f_code.co_name, frame.f_code.co_filename
        for step in STEPS:
            if event == "call" and name == step[1] and file.endswith(f"/{step[0]}"):
                taken.append(step)

    sys.setprofile(note)
    try:
        result = deploy(make_request(), aws.aws(), clock=FakeClock(), reporter=Silent())
    finally:
        sys.setprofile(None)
    return result.outcome, list(dict.fromkeys(taken))


@pytest.mark.parametrize("fails", [False, True], ids=["succeeds", "fails"])
def test_walk__of_the_page__is_the_order_of_the_calls(fails: bool) -> None:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    aws.ecs.script("ROLLBACK_SUCCESSFUL" if fails else "SUCCESSFUL")

    outcome, taken = walk(aws)

    assert outcome is (Outcome.ROLLED_BACK if fails else Outcome.SUCCEEDED)
    assert taken == [step for step in STEPS if fails or step not in GOING_BACK]
