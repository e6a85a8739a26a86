"""What to do next, in words: a command, or what an error advises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from fsd.release.follow_ups import (
    AdvisedFix,
    DeployAgain,
    FollowUp,
    ServiceCommand,
)


def follow_up_text(follow_up: FollowUp) -> str:
    match follow_up:
        case ServiceCommand(name=name, service=service, environment=environment):
            options = "".join(f" --{each} {value}".rstrip() for each, value in follow_up.options)
            return f"fsd {name} --service {service} --env {environment}{options}"
        case DeployAgain(needs_aws=True):
            return "run the same fsd deploy again once AWS answers: it repairs the rest"
        case DeployAgain():
            return "run the same fsd deploy again: it attaches to the deployment in flight"
        case AdvisedFix(text=text):
            return text
        case _:
            assert_never(follow_up)


def follow_up_texts(follow_ups: Iterable[FollowUp]) -> tuple[str, ...]:
    return tuple(follow_up_text(each) for each in follow_ups)
