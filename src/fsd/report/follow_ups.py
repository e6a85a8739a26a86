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

_AGAIN = {
    DeployAgain.IN_FLIGHT: "run the same fsd deploy again: it attaches to the deployment in flight",
    DeployAgain.ROLLING_BACK: "run the same fsd deploy again once ECS has rolled back",
    DeployAgain.NO_ANSWER: "run the same fsd deploy again once AWS answers: it repairs the rest",
    DeployAgain.REST: "run the same fsd deploy again: it does what is left to do",
}


def follow_up_text(follow_up: FollowUp) -> str:
    match follow_up:
        case ServiceCommand(name=name, service=service, environment=environment):
            options = "".join(f" --{each} {value}".rstrip() for each, value in follow_up.options)
            return f"fsd {name} --service {service} --env {environment}{options}"
        case DeployAgain():
            return _AGAIN[follow_up]
        case AdvisedFix(text=text):
            return text
        case _:
            assert_never(follow_up)


def follow_up_texts(follow_ups: Iterable[FollowUp]) -> tuple[str, ...]:
    return tuple(follow_up_text(each) for each in follow_ups)
