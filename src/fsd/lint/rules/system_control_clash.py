"""Two values for one setting of the kernel, of which a task has only one.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.key_path import KeyPath


def check(subject: Subject) -> Iterator[Problem]:
    service = subject.service
    own: KeyPath = ("service", "systemControls")
    every = [(own, service.system_controls)]
    every += [
        (("service", "sidecars", index, "systemControls"), sidecar.system_controls)
        for index, sidecar in enumerate(service.sidecars)
    ]
    first: dict[str, tuple[KeyPath, str]] = {}  # of the whole task
    for place, controls in every:
        seen: set[str] = set()
        for index, control in enumerate(controls):
            at = (*place, index)
            name, (there, value) = control.namespace, first.get(control.namespace, (at, ""))
            if name in seen:
                yield Problem(
                    at=(*at, "namespace"),
                    message=f"`{name}` has a value already",
                    fix="leave one of them",
                )
            elif there != at and name.startswith("net.") and value != control.value:
                yield Problem(
                    at=(*at, "value"),
                    message=f"`{name}` is {control.value} here and {value} in another container, "
                    "and the containers of a task share one network",
                    fix="set it in one container only",
                    uses=((*there, "value"),),
                )
            seen.add(name)
            first.setdefault(name, (at, control.value))
