"""A dependency between containers that ECS refuses, or that can never be met.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fsd.lint.rule import Problem, Subject
from fsd.manifest.container import Sidecar
from fsd.manifest.key_path import KeyPath

_ENDS = {"COMPLETE", "SUCCESS"}


def check(subject: Subject) -> Iterator[Problem]:
    service = subject.service
    own = subject.manifest.metadata.name
    sidecars = {sidecar.name: sidecar for sidecar in service.sidecars}
    wanted: dict[str, tuple[KeyPath, Mapping[str, str]]] = {
        own: (("service", "dependsOn"), service.depends_on),
        **{
            sidecar.name: (("service", "sidecars", index, "dependsOn"), sidecar.depends_on)
            for index, sidecar in enumerate(service.sidecars)
        },
    }
    for at, conditions in wanted.values():
        for name, condition in conditions.items():
            if name != own and name not in sidecars:
                fix = f"one of {', '.join(sorted(wanted))}" if sidecars else "add it to `sidecars`"
                yield _problem((*at, name), f"no container is called `{name}`", fix)
                continue
            sidecar = sidecars.get(name)
            yield from _unmet((*at, name), name, condition, sidecar)
    for name, (at, _) in wanted.items():
        if _leads_back(name, wanted):
            yield _problem(
                at,
                f"`{name}` waits for itself, directly or through other containers",
                "remove one of the dependencies",
            )
            return


def _unmet(at: KeyPath, name: str, condition: str, sidecar: Sidecar | None) -> Iterator[Problem]:
    is_essential = sidecar is None or sidecar.essential
    if condition in _ENDS and is_essential:
        yield _problem(
            at,
            f"`{name}` is essential: when it ends, the task ends, so it never reaches {condition}",
            "set `essential: false` on it, or wait for START",
        )
    elif condition == "HEALTHY" and (sidecar is None or sidecar.health_check is None):
        yield _problem(
            at,
            f"`{name}` has no health check to wait for",
            "add `healthCheck` to it, or wait for START",
        )


def _leads_back(name: str, wanted: Mapping[str, tuple[KeyPath, Mapping[str, str]]]) -> bool:
    seen: set[str] = set()
    ahead = [*wanted[name][1]]
    while ahead:
        found = ahead.pop()
        if found == name:
            return True
        if found not in seen:
            seen.add(found)
            ahead += [*wanted[found][1]] if found in wanted else []
    return False


def _problem(at: KeyPath, message: str, fix: str) -> Problem:
    return Problem(at=at, message=message, fix=fix, uses=(("service", "sidecars"),))
