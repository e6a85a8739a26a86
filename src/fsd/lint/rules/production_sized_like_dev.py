"""Production has more to do than dev; one size for both is too much there or too little here.

Said only where nothing speaks of the size for an environment: no override in any environment, none
on the command line, no auto scaling. One task in production is another finding.
https://docs.aws.amazon.com/wellarchitected/latest/framework/rel_adapt_to_changes_autoscale_adapt.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.production import is_production
from fsd.lint.rule import Problem, Subject
from fsd.manifest.models import Resources
from fsd.manifest.variants import environment_names

RESOURCES = ("service", "resources")
_KEYS = ("cpu", "memory", "desiredCount", "minCapacity", "maxCapacity")


def check(subject: Subject) -> Iterator[Problem]:
    resources = subject.service.resources
    if not is_production(subject.environment) or subject.service.auto_scaling is not None:
        return
    if resources.desired < 2 or _has_override(subject) or not _has_others(subject):
        return
    env = subject.environment
    yield Problem(
        at=RESOURCES,
        message=f"{env} has the same size as every other environment: {_said(resources)}",
        fix=f"set `overrides: {{resources.desiredCount: {2 * resources.desired}}}` for {env} in "
        ".fsd/environments.yml, or a smaller size for the others",
        uses=tuple((*RESOURCES, key) for key in _KEYS),
        on_key=True,
    )


def _has_others(subject: Subject) -> bool:
    """Without an environments file, any name is an environment; else those that are written."""
    names = {each.name for each in subject.environments}
    if not names:
        return True
    return bool((names | set(environment_names(subject.tree))) - {subject.environment})


def _said(resources: Resources) -> str:
    return f"cpu {resources.cpu}, memory {resources.memory}, {resources.desired} tasks"


def _has_override(subject: Subject) -> bool:
    if any(subject.is_overridden(*RESOURCES, key) for key in _KEYS):
        return True
    if any(
        subject.is_written("environments", name, "resources")
        for name in environment_names(subject.tree)
    ):
        return True
    paths = [path for environment in subject.environments for path in environment.overrides]
    if not paths:
        return False
    from fsd.manifest.overrides import key_path

    return any((key_path(path) or ())[:2] == RESOURCES for path in paths)
