"""A volume that is not there, one that is there twice, or one whose folder is said twice.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-efs-config.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject


def check(subject: Subject) -> Iterator[Problem]:
    volumes = subject.service.volumes
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        at = ("service", "volumes", index)
        if volume.name in seen:
            message = f"another volume already has the name `{volume.name}`"
            yield Problem(at=(*at, "name"), message=message, fix="give it another name")
        seen.add(volume.name)
        if volume.efs is not None and volume.efs.access_point and volume.efs.root:
            yield Problem(
                at=(*at, "efs", "root"),
                message="the access point already determines the folder, and `root` is "
                f"{volume.efs.root}",
                fix="remove `root`, or `accessPoint`",
                uses=((*at, "efs", "accessPoint"),),
            )
    for number, sidecar in enumerate(subject.service.sidecars):
        for index, mount in enumerate(sidecar.volumes):
            if mount.name not in seen:
                yield Problem(
                    at=("service", "sidecars", number, "volumes", index, "name"),
                    message=f"there is no volume `{mount.name}`",
                    fix="add it to `service.volumes`, or correct the name",
                    uses=(("service", "volumes"),),
                )
