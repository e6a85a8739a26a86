"""Runs the rules on workflows, finds the places, honours the suppressions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from fsd.lint.registry import Rule, list_rules
from fsd.lint.run import is_suppressed, unknown_suppressions
from fsd.lint.workflows import rules as _rules
from fsd.lint.workflows.document import Workflow, read_workflow
from fsd.lint.workflows.places import place
from fsd.lint.workflows.problem import WorkflowProblem
from fsd.manifest.environments import Environment
from fsd.manifest.finding import Finding, order
from fsd.manifest.yaml_tree import find_ignores, parse, split_lines

WORKFLOW_RULES: tuple[Rule[Workflow, WorkflowProblem], ...] = list_rules(_rules)
_MOST = 500  # findings of one rule in one file


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedWorkflow:
    """A file with what was found in it, and its lines for showing it."""

    path: str
    lines: tuple[str, ...]
    findings: tuple[Finding, ...]
    is_workflow: bool


def lint_workflows(
    texts: Mapping[str, str],
    *,
    known: Mapping[str, str] | None = None,
    environments: Mapping[str, Environment] | None = None,
    about_ecs: Collection[str] = (),
    rules: Sequence[Rule[Workflow, WorkflowProblem]] = WORKFLOW_RULES,
) -> tuple[CheckedWorkflow, ...]:
    """Path → text of workflows, in their order; never raises.

    `known` are other workflows of the repository, which are not judged but may be called or may
    run before. `environments` is what `.fsd/environments.yml` has. `about_ecs` are the paths of
    those that apply something of ECS, although they do not say so.
    """
    workflows: dict[str, Workflow] = {}
    unreadable: dict[str, tuple[Finding, ...]] = {}
    for path, text in {**(known or {}), **texts}.items():
        parsed = parse(text, path=path, any_key=True)
        if not parsed.documents:
            unreadable[path] = parsed.findings
            continue
        workflow = read_workflow(parsed.documents[0])
        if workflow is not None:
            workflows[path] = replace(
                workflow,
                environments=environments or {},
                is_about_ecs=workflow.is_about_ecs or path in about_ecs,
            )
    checked = []
    for path, text in texts.items():
        findings = unreadable.get(path, ())
        if path in workflows:
            others = tuple(other for name, other in workflows.items() if name != path)
            findings = lint_workflow(replace(workflows[path], others=others), rules=rules)
        checked.append(
            CheckedWorkflow(
                path=path,
                lines=split_lines(text),
                findings=findings,
                is_workflow=path in workflows or bool(findings),
            )
        )
    return tuple(checked)


def lint_workflow(
    workflow: Workflow, *, rules: Sequence[Rule[Workflow, WorkflowProblem]] = WORKFLOW_RULES
) -> tuple[Finding, ...]:
    # Inside of `run: |` a comment is the script's, but it is where somebody puts it.
    document = replace(workflow.document, ignores=find_ignores(workflow.document.lines))
    findings = [
        _finding(workflow, rule, problem)
        for rule in rules
        for problem in islice(rule.check(workflow), _MOST)
    ]
    kept = [finding for finding in findings if not is_suppressed(finding, document)]
    kept += unknown_suppressions(document, frozenset(rule.id for rule in WORKFLOW_RULES))
    return tuple(sorted(dict.fromkeys(kept), key=order))


def _finding(
    workflow: Workflow, rule: Rule[Workflow, WorkflowProblem], problem: WorkflowProblem
) -> Finding:
    whole = len(problem.value.text)
    width = whole if problem.width is None else problem.width
    where, width = place(workflow.document, problem.value, problem.offset, width)
    return Finding(
        id=rule.id,
        severity=rule.severity,
        where=where,
        message=problem.message,
        fix=problem.fix,
        key_path=problem.at,
        width=width,
    )
