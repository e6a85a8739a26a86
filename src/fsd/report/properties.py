"""The properties of a stack's resources that a plan changes, old and new below each other. Pure.

What a sentence about roles and networks says already is left out of the lines, and is in the JSON.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.plan.properties import PropertyChange
from fsd.plan.security_diff import GrantChange
from fsd.plan.steps import ApplyStack, Step
from fsd.report.words import clip
from fsd.streams import columns, printable

_SHORTEST = 20  # columns of a value, however narrow the terminal is
REPLACES = "replaces it"


def property_lines(step: Step, *, indent: str) -> list[str]:
    """A head for each property, then `- old` and `+ new`."""
    if not isinstance(step, ApplyStack):
        return []
    width = max(columns() - len(indent) - 4, _SHORTEST)
    lines: list[str] = []
    for change in shown_properties(step):
        lines.append(f"{indent}{printable(property_name(change))}")
        lines += (
            f"{indent}  {sign} {clip(printable(value), width)}"
            for sign, value in (("-", change.before), ("+", change.after))
            if value is not None
        )
    return lines


def property_name(change: PropertyChange) -> str:
    """`TargetGroup.HealthCheckPath`."""
    name = f"{change.resource}.{change.path}"
    return f"{name} ({REPLACES})" if change.replaces else name


def shown_properties(step: ApplyStack) -> Iterator[PropertyChange]:
    """Without those that a sentence tells."""
    granted = {one.role for one in step.security if isinstance(one, GrantChange)}
    ruled = {one.group for one in step.security if not isinstance(one, GrantChange)}
    for change in step.properties:
        is_grant = change.resource in granted and change.path.startswith("Policies")
        is_rule = change.resource in ruled and change.path.startswith("SecurityGroup")
        if not (is_grant or is_rule):
            yield change


def property_json(change: PropertyChange) -> dict[str, object]:
    return {
        "resource": change.resource,
        "path": change.path,
        "before": change.before,
        "after": change.after,
        "replaces": change.replaces,
    }
