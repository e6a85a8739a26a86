"""The services of a compose file that end by themselves, which others wait for.

On ECS a service's tasks are started again whenever they end: what ends is a step before a
deployment where it is of the same image as one that waits for it, else a job.
https://docs.docker.com/reference/compose-file/services/#depends_on
"""

from __future__ import annotations

from collections.abc import Sequence

from fsd.importing.compose_file import ComposeService
from fsd.importing.values import mapping, text_of

_ENDED = "service_completed_successfully"


def ends_by_itself(services: Sequence[ComposeService]) -> frozenset[str]:
    """The names of those that others wait to end, and that nobody starts again."""
    waited = {name for service in services for name in _waits_for(service)}
    return frozenset(
        each.name
        for each in services
        if each.name in waited
        and text_of(each.raw.get("restart")) not in ("always", "unless-stopped")
    )


def steps_before(
    services: Sequence[ComposeService], ending: frozenset[str]
) -> dict[str, ComposeService]:
    """By the name of the service: each step once, before the one that others reach."""
    found: dict[str, ComposeService] = {}
    for step in services:
        if step.name not in ending or not step.command:
            continue
        able = [
            each
            for each in services
            if step.name in _waits_for(each)
            and each.name not in ending | found.keys()
            and _is_same_image(each, step)
        ]
        able.sort(key=lambda each: not each.ports)
        if able:
            found[able[0].name] = step
    return found


def _waits_for(service: ComposeService) -> list[str]:
    return [
        name
        for name, value in mapping(service.raw.get("depends_on")).items()
        if text_of(mapping(value).get("condition")) == _ENDED
    ]


def _is_same_image(one: ComposeService, other: ComposeService) -> bool:
    """A step's command takes the place of the image's CMD, and keeps its ENTRYPOINT."""
    if one.entry_point != other.entry_point:
        return False
    if one.build is not None and other.build is not None:
        return one.build == other.build
    return bool(one.image) and one.image == other.image
