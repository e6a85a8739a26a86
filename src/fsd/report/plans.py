"""A plan as text, Markdown and JSON: one line a step, the same facts in each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fsd.change import Change, Sign
from fsd.durations import duration_text
from fsd.errors import RefusedError
from fsd.manifest.rollout_time import Estimate
from fsd.plan.steps import ApplyStack, Plan
from fsd.release.notes import Note
from fsd.release.ports import Drifted, StackDrift
from fsd.report.changes import change_json, step_kind, step_subject, step_text
from fsd.report.effects import effect_json, effect_label, effect_text
from fsd.report.notes import note_texts
from fsd.report.properties import property_json, property_lines
from fsd.report.security import security_json, security_sentences
from fsd.report.words import clip, note_lines, wrap

LONGEST_VALUE = 60  # characters of a property
SUBJECT = 15  # columns


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """A plan, with the words that a report needs around it."""

    service: str
    environment: str
    plan: Plan
    notes: tuple[Note, ...] = ()
    expected: Estimate | None = None  # of a rollout of this service
    drift: StackDrift | None = None  # where it was asked for
    refusals: tuple[RefusedError, ...] = ()  # with which a deployment would end before it begins

    def drift_lines(self) -> list[str]:
        """A resource each, and what could not be compared; [] where drift was not asked for."""
        if self.drift is None:
            return []
        lines = [f"{difference_text(one)}; {self._fate(one)}" for one in self.drift.drifted]
        lines += uncompared_lines(self.drift)
        return lines or ["every resource that CloudFormation compares matches the template"]

    def repairs(self, drifted: Drifted) -> bool:
        """Whether a deployment makes it again, or gives it back what a rollout needs."""
        return any(change.remark for change in self._stack_changes(drifted))

    def _fate(self, drifted: Drifted) -> str:
        if self.repairs(drifted):
            return "a deployment repairs it"
        is_changed = bool(self._stack_changes(drifted))
        return "a deployment changes it too" if is_changed else "a deployment does not change it"

    def _stack_changes(self, drifted: Drifted) -> list[Change]:
        """What the plan does to the resource."""
        return [
            change
            for step in self.plan.steps
            if isinstance(step, ApplyStack)
            for change in step.changes
            if change.sign and change.what == drifted.resource
        ]

    def rollout_text(self) -> str:
        """`about 1m05s: 30 s to start a task, …`; "" where nothing is rolled out."""
        if self.expected is None or not self.duration_text():
            return ""
        parts = ", ".join(f"{seconds} s {part}" for part, seconds in self.expected.parts)
        return f"{self.duration_text()}: {parts}"

    def duration_text(self) -> str:
        """`about 1m05s`; "" where nothing is rolled out."""
        if self.expected is None or not (self.plan.rolls_out and self.expected.parts):
            return ""
        return f"about {duration_text(timedelta(seconds=self.expected.seconds))}"


def plan_text(planned: PlanReport) -> str:
    """`offer-api → prod   2 to change, 1 to add`, then a line a step."""
    plan = planned.plan
    head = f"{planned.service} → {planned.environment}    {plan_summary(plan)}"
    lines = [head]
    for step in plan.steps:
        first = f"  {step.sign} {step_subject(step):<{SUBJECT}}"
        lines += wrap(step_text(step), first=first, rest=" " * 19)
        lines += property_lines(step, indent=" " * 19)
    for sentence in security_sentences(plan):
        lines += wrap(sentence.replace("`", ""), first="    security       ", rest=" " * 19)
    for effect in plan.effects:
        first = f"    {effect_label(effect):<{SUBJECT}}"
        lines += wrap(effect_text(effect), first=first, rest=" " * 19)
    if planned.rollout_text():
        lines += wrap(planned.rollout_text(), first="    rollout        ", rest=" " * 19)
    for line in planned.drift_lines():
        lines += wrap(line, first="    drift          ", rest=" " * 19)
    if plan.attach_to:
        lines.append(
            "  a deployment in flight is already making these changes; `fsd deploy` attaches to it"
        )
    for note in note_texts(planned.notes):
        lines += note_lines(note)
    if planned.refusals:
        lines.append("  a deployment of this image would be refused")
    return "\n".join(lines)


def difference_text(drifted: Drifted) -> str:
    """`TaskSecurityGroup /SecurityGroupIngress/0/CidrIp 10.0.0.0/16 → 0.0.0.0/0`."""
    if drifted.is_gone:
        return f"{drifted.resource} is gone"
    changes = (
        f"{one.path} {clip(one.expected, LONGEST_VALUE)} → {clip(one.actual, LONGEST_VALUE)}"
        for one in drifted.differences
    )
    return f"{drifted.resource} {', '.join(changes)}"


def uncompared_lines(drift: StackDrift) -> list[str]:
    """What CloudFormation could not compare, and why in its words; [] where it compared all."""
    why = f": {drift.reason}" if drift.reason else ""
    names = f"{', '.join(drift.unchecked)} could not be compared"
    if drift.is_complete:
        return [f"{names}{why}"] if drift.unchecked else []
    reason = drift.reason or "it gave no reason"
    failed = f"CloudFormation could not compare every resource: {reason}"
    return [names, failed] if drift.unchecked else [failed]


def _drift_json(planned: PlanReport) -> dict[str, object] | None:
    if planned.drift is None:
        return None
    return {
        "resources": [
            {
                "resource": one.resource,
                "type": one.type,
                "gone": one.is_gone,
                "repaired": planned.repairs(one),
                "differences": [
                    {"path": d.path, "expected": d.expected, "actual": d.actual}
                    for d in one.differences
                ],
            }
            for one in planned.drift.drifted
        ],
        "unchecked": list(planned.drift.unchecked),
        "complete": planned.drift.is_complete,
        "reason": planned.drift.reason or None,
    }


def plan_summary(plan: Plan) -> str:
    if plan.is_empty:
        return "nothing to change"
    counts = {sign: sum(1 for step in plan.steps if step.sign is sign) for sign in Sign}
    words = {Sign.CHANGE: "to change", Sign.ADD: "to add", Sign.REMOVE: "to remove"}
    parts = [f"{counts[sign]} {word}" for sign, word in words.items() if counts[sign]]
    return ", ".join(parts) or "a deployment is in flight"


def _count(plan: Plan) -> dict[str, int | None] | None:
    return {"before": plan.count.before, "after": plan.count.after} if plan.count else None


def _expected_seconds(planned: PlanReport) -> int | None:
    return planned.expected.seconds if planned.expected and planned.plan.rolls_out else None


def plan_json(planned: PlanReport) -> dict[str, object]:
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
        "drift": _drift_json(planned),
        "steps": [
            {
                "kind": step_kind(step),
                "sign": str(step.sign),
                "text": " ".join(f"{step_subject(step)} {step_text(step)}".split()),
                "changes": [change_json(change) for change in getattr(step, "changes", ())],
                "security": [security_json(change) for change in getattr(step, "security", ())],
                "properties": [property_json(one) for one in getattr(step, "properties", ())],
            }
            for step in plan.steps
        ],
        "effects": [effect_json(effect) for effect in plan.effects],
        "notes": list(note_texts(planned.notes)),
        "refusals": [
            {"code": one.code, "what": one.what, "where": str(one.where), "fix": one.fix}
            for one in planned.refusals
        ],
    }
