"""The comment on a pull request before the merge: what merging would do, and what was found.

Every line of a plan fits a phone: attributes stand below each other as a `diff`, which GitHub
colours; a table would have to be scrolled sideways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fsd.change import Change, Sign
from fsd.errors import Location, RefusedError
from fsd.manifest.finding import Finding, Severity
from fsd.plan.effects import CostMove
from fsd.plan.steps import ApplyStack, CreateService, Step, UpdateService
from fsd.report.changes import remark_text, short_value, step_effect, step_subject
from fsd.report.effects import effect_label, effect_text
from fsd.report.findings import summarize
from fsd.report.github_text import (
    code,
    code_block,
    details,
    escape,
    footer,
    join,
    marker,
    names,
    note_list,
    sentence,
)
from fsd.report.notes import note_texts
from fsd.report.plans import PlanReport, plan_summary
from fsd.report.properties import REPLACES, shown_properties
from fsd.report.security import security_sentences
from fsd.report.words import capitalised, clip

SEVERITY_ICONS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "💡"}
WIDTH = 46  # columns of a diff: what 400 pixels show
NAME = 15  # columns of an attribute's name
FINDINGS_SHOWN = 10  # more are folded
# GitHub colours a line of a diff by its first character; `!` is what changes in place.
_MARKS = {Sign.ADD: "+", Sign.REMOVE: "-", Sign.CHANGE: "!"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a commit would do to a service, and what was found in its manifest."""

    service: str
    plans: tuple[PlanReport, ...] = ()
    unavailable: Mapping[str, str] = field(default_factory=dict)  # environment → why no plan
    findings: tuple[Finding, ...] = ()
    is_merge: bool = False  # the plans are for where a pull request goes


def render_plan_comment(
    proposal: Proposal,
    *,
    subject: str = "plan",
    run_url: str,
    updated_at: datetime,
    blob_url: str = "",
) -> str:
    """`blob_url` is where files of this commit are shown, https://github.com/ORG/REPO/blob/SHA;
    without it findings have no links.
    """
    plans, missing = proposal.plans, proposal.unavailable
    environments = [*(planned.environment for planned in plans), *missing]
    title = f"plan for {names(environments)}" if environments else "checked"
    parts = [
        marker(proposal.service, subject),
        f"### 📋 {escape(proposal.service)}: {title}",
        _merging(plans, missing) if proposal.is_merge else "",
        *(_plan_block(planned) for planned in plans),
        *(f"**{escape(env)}** — no plan: {code(why)}" for env, why in missing.items()),
        findings_list(proposal.findings, blob_url),
        footer(run_url, updated_at),
    ]
    return join(parts)


def _merging(plans: Sequence[PlanReport], missing: Mapping[str, str]) -> str:
    """What the merge does, before how it does it."""
    refused = [planned.environment for planned in plans if planned.refusals]
    taken = [planned for planned in plans if not planned.refusals]
    moved = [planned.environment for planned in taken if not planned.plan.is_empty]
    same = [planned.environment for planned in taken if planned.plan.is_empty]
    said = []
    if moved or missing:
        said.append(f"Merging deploys this to {names([*moved, *missing])}.")
    if refused:
        said.append(f"As things stand, FSD refuses to deploy this to {names(refused)}.")
    if same:
        said.append(f"Merging changes nothing in {names(same)}.")
    return f"**{' '.join(said)}**" if said else ""


def _plan_block(planned: PlanReport) -> str:
    plan = planned.plan
    rollout = f" · rollout {escape(planned.duration_text())}" if planned.duration_text() else ""
    head = f"**{escape(planned.environment)}** — {escape(plan_summary(plan))}{rollout}"
    security = [f"- 🔑 {sentence(capitalised(text))}" for text in security_sentences(plan)]
    effects = [
        f"- {'💰' if isinstance(effect, CostMove) else '⚠️'} "
        f"{sentence(f'{capitalised(effect_label(effect))}: {escape(effect_text(effect))}')}"
        for effect in plan.effects
    ]
    drift = [f"- {sentence(f'Drift: {escape(line)}')}" for line in planned.drift_lines()]
    # A service that only gets the revision above is changed by nothing else.
    steps = [step for step in plan.steps if not _is_only_the_rollout(step)]
    lines = [line for step in steps for line in _step_lines(step)] or [
        line for step in plan.steps for line in _step_lines(step)
    ]
    attach = "A deployment in flight is already making these changes; `fsd deploy` waits for it."
    return join(
        [
            head,
            "\n".join(_refusal(one) for one in planned.refusals),
            attach if plan.attach_to else "",
            "\n".join([*security, *effects, *drift]),
            code_block(lines, language="diff") if lines else "",
            note_list(note_texts(planned.notes)),
        ]
    )


def _refusal(error: RefusedError) -> str:
    what = f"- ❌ {sentence(capitalised(error.what))} ({code(error.code)})"
    return f"{what}\\\n  **Fix:** {sentence(error.fix)}"


def _is_only_the_rollout(step: Step) -> bool:
    return isinstance(step, UpdateService) and not step.changes


def _step_lines(step: Step) -> Iterator[str]:
    changes: tuple[Change, ...] = getattr(step, "changes", ())
    is_new_stack = isinstance(step, ApplyStack) and step.adds_everything
    if is_new_stack or not changes:
        yield from _whole_lines(step, _MARKS[step.sign])
        return
    for change in changes:
        yield from _change_lines(change, step)
    if isinstance(step, ApplyStack):
        yield from _property_lines(step)


def _property_lines(step: ApplyStack) -> Iterator[str]:
    """The last name of a property is what tells it from another."""
    for change in shown_properties(step):
        where = f"{change.resource}.{change.path}"
        yield clip(f"  {where}{f' ({REPLACES})' if change.replaces else ''}", WIDTH)
        for sign, value in (("-", change.before), ("+", change.after)):
            if value is not None:
                yield clip(f"{sign}   {value}", WIDTH)


def _whole_lines(step: Step, sign: str) -> Iterator[str]:
    """Of something new: its name, and how much of it there is."""
    match step:
        case ApplyStack(name=name, changes=changes):
            yield _line(sign, "stack", name)
            yield _line(sign, "resources", str(len(changes)))
        case CreateService(name=name, desired_count=count):
            yield _line(sign, "service", name)
            yield _line(sign, "tasks", str(count))
        case UpdateService(name=name):
            yield _line(sign, "service", name)
        case _:
            yield _line(sign, step_subject(step), step_effect(step))


def _change_lines(change: Change, step: Step) -> Iterator[str]:
    """`- cpu 512` and `+ cpu 1024`; a name that comes or goes has a line of its own."""
    if change.sign is not None:
        remark = remark_text(change.remark) if change.remark else ""
        is_later = isinstance(step, ApplyStack) and step.cleans_up
        # The longest that is not cut.
        when = ["after the rollout", "later"] if is_later else [""]
        if is_later and change.sign is Sign.REMOVE:
            when.insert(0, "removed after the rollout")
        remarks = [", ".join(filter(None, (remark, later))) for later in when]
        values = [f"{change.what} ({one})" if one else change.what for one in remarks]
        fits = (value for value in values if len(value) + NAME + 3 <= WIDTH)
        yield _line(_MARKS[change.sign], "stack", next(fits, values[-1]))
        return
    for sign, keys in (("-", change.removed), ("+", change.added), ("!", change.changed)):
        for key in keys:
            yield _line(sign, change.what, key)
    if change.before is not None:
        yield _line("-", change.what, short_value(change.before))
    if change.after is not None:
        yield _line("+", change.what, short_value(change.after))
    is_told = change.added or change.removed or change.changed or change.after is not None
    if not is_told and change.before is None:
        name, value = change.what, remark_text(change.remark)
        yield _line(_MARKS[step.sign], name if value else step_subject(step), value or name)


def _line(sign: str, name: str, value: str) -> str:
    return clip(f"{sign} {name:<{NAME}} {value}".rstrip(), WIDTH)


# --- findings ----------------------------------------------------------------------------------


def render_findings(findings: Sequence[Finding], *, subject: str) -> str:
    """What `fsd validate` found, for a job summary or a comment."""
    errors = any(finding.severity is Severity.ERROR for finding in findings)
    icon = SEVERITY_ICONS[Severity.ERROR] if errors else "✅"
    head = f"{icon} {escape(summarize(findings, subject=subject))}"
    return join([head, findings_list(findings, "")])


def findings_list(findings: Sequence[Finding], blob_url: str) -> str:
    """One entry each: where, what, and the fix on the next line."""
    entries = [_finding(finding, blob_url) for finding in findings]
    shown, more = entries[:FINDINGS_SHOWN], entries[FINDINGS_SHOWN:]
    return join(["\n".join(shown), details(f"{len(more)} more", "\n".join(more))])


def _finding(finding: Finding, blob_url: str) -> str:
    icon = SEVERITY_ICONS[finding.severity]
    place = _place(finding.where, blob_url)
    what = f"- {icon} {place} {sentence(capitalised(finding.message))} ({code(finding.id)})"
    return f"{what}\\\n  **Fix:** {sentence(finding.fix)}"


def _place(where: Location | str, blob_url: str) -> str:
    if isinstance(where, str):
        return code(where)
    text = code(f"{where.path}:{where.line}")
    if not blob_url or not re.fullmatch(r"[\w./-]+", where.path):
        return text
    return f"[{text}]({blob_url}/{where.path}#L{where.line})"
