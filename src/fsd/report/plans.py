"""A plan as text, Markdown and JSON: one line a step, the same facts in each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fsd.plan.steps import Plan, Sign
from fsd.report.wording import duration_text, wrap
from fsd.spec.rollout_time import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, with the words that a report needs around it."""

    service: str
    environment: str
    plan: Plan
    notes: tuple[str, ...] = ()
    expected: Estimate | None = None  # of a rollout of this service

    def rollout_text(self) -> str:
        """`about 1m05s: 30 s to start a task, …`; "" where nothing is rolled out."""
        if self.expected is None or not (self.plan.rolls_out and self.expected.parts):
            return ""
        parts = ", ".join(f"{seconds} s {part}" for part, seconds in self.expected.parts)
        return f"about {duration_text(timedelta(seconds=self.expected.seconds))}: {parts}"


def plan_text(planned: Planned) -> str:
    """`offer-api → prod   2 to change, 1 to add`, then a line a step."""
    plan = planned.plan
    head = f"{planned.service} → {planned.environment}    {plan_summary(plan)}"
    lines = [head]
    for step in plan.steps:
        lines += wrap(step.text(), first=f"  {step.sign} ", rest=" " * 19)
    if planned.rollout_text():
        lines += wrap(planned.rollout_text(), first="    rollout        ", rest=" " * 19)
    if plan.attach_to:
        lines.append("  a deployment in flight does this already; `fsd deploy` attaches to it")
    for note in planned.notes:
        lines += wrap(note, first="  note: ", rest="    ")
    return "\n".join(lines)


def plan_summary(plan: Plan) -> str:
    if plan.is_empty:
        return "nothing to change"
    counts = {sign: sum(1 for step in plan.steps if step.sign is sign) for sign in Sign}
    words = {Sign.CHANGE: "to change", Sign.ADD: "to add", Sign.REMOVE: "to remove"}
    parts = [f"{counts[sign]} {word}" for sign, word in words.items() if counts[sign]]
    return ", ".join(parts) or "a deployment is in flight"


def _count(plan: Plan) -> dict[str, int | None] | None:
    return {"before": plan.count.before, "after": plan.count.after} if plan.count else None


def _expected_seconds(planned: Planned) -> int | None:
    return planned.expected.seconds if planned.expected and planned.plan.rolls_out else None


def plan_json(planned: Planned) -> dict[str, object]:
    """`fsd/plan/v1`."""
    plan = planned.plan
    return {
        "schema": "fsd/plan/v1",
        "service": planned.service,
        "environment": planned.environment,
        "account": plan.account,
        "region": plan.region,
        "empty": plan.is_empty,
        "rollsOut": plan.rolls_out,
        "attachTo": plan.attach_to or None,
        "desiredCount": _count(plan),
        "expectedSeconds": _expected_seconds(planned),
        "steps": [
            {
                "kind": type(step).__name__,
                "sign": str(step.sign),
                "text": " ".join(step.text().split()),
                "changes": [
                    {"what": change.what, "text": change.text}
                    for change in getattr(step, "changes", ())
                ],
            }
            for step in plan.steps
        ],
        "notes": list(planned.notes),
    }
