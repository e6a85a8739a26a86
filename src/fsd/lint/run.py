"""Runs the rules, finds the places, honours the suppressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING

from fsd.errors import Location
from fsd.lint import rules as _rules
from fsd.lint.registry import Rule, list_rules
from fsd.lint.rule import Problem, Subject
from fsd.manifest.finding import MOST, Finding, FindingId, Severity, order
from fsd.manifest.key_path import KeyPath
from fsd.manifest.load import Loaded
from fsd.manifest.yaml_tree import Document, Node, locate

if TYPE_CHECKING:
    from fsd.manifest.environments import Environment


ALL_RULES: tuple[Rule[Subject, Problem], ...] = list_rules(_rules)


def lint(
    loaded: Loaded,
    environment: str | None,
    *,
    environments: Iterable[Environment] = (),
    today: date | None = None,
    rules: Sequence[Rule[Subject, Problem]] = ALL_RULES,
) -> tuple[Finding, ...]:
    """What the rules find, sorted by place; without what loading found already.

    `environments` are those of the environments file: some rules compare them. `today` tells how
    old FSD's knowledge of AWS is.

    A manifest with errors is looked at as far as it is sound: a finding that depends on a wrong
    value is left out.
    """
    if loaded.valid_part is None or loaded.document is None:
        return ()
    valid_part = loaded.valid_part
    subject = Subject(
        manifest=valid_part.manifest,
        tree=valid_part.tree,
        environment=environment,
        environments=tuple(environments),
        unused=loaded.unused,
        today=today,
    )
    wrong = _wrong_places(loaded)
    findings = [
        finding for rule in rules for finding in _of_rule(rule, subject=subject, wrong=wrong)
    ]
    for variant in loaded.variants:
        other = replace(
            subject,
            manifest=variant.valid_part.manifest,
            tree=variant.valid_part.tree,
            environment=variant.environment,
        )
        unsound = wrong | variant.valid_part.without
        findings += [
            finding for rule in rules for finding in _of_rule(rule, subject=other, wrong=unsound)
        ]
    findings = [_without_far_edit(finding, loaded.document.root) for finding in findings]
    documents = [each for each in (loaded.document, loaded.environment_document) if each]
    kept = [
        finding
        for finding in findings
        if not any(is_suppressed(finding, document) for document in documents)
    ]
    known = frozenset(rule.id for rule in rules)
    kept += islice(unknown_suppressions(loaded.document, known), MOST)
    return tuple(sorted(dict.fromkeys(kept), key=order))


def _without_far_edit(finding: Finding, root: Node) -> Finding:
    """A value of one environment is not repaired at the service's own key."""
    places = {locate(root, finding.key_path, key=key)[0] for key in (True, False)}
    if finding.edit is None or finding.where in places:
        return finding
    return replace(finding, edit=None)


def _of_rule(
    rule: Rule[Subject, Problem], *, subject: Subject, wrong: frozenset[KeyPath]
) -> tuple[Finding, ...]:
    """What a rule finds; a rule that finds very much is not asked to the end."""
    problems = tuple(islice(rule.check(subject), MOST + 1))
    if not problems:
        return ()
    found = [
        _finding(problem, rule, subject) for problem in problems if not _depends(problem, wrong)
    ]
    if len(found) <= MOST:
        return tuple(found)
    last = found[MOST - 1]
    return (*found[: MOST - 1], replace(last, message=f"{last.message}; others are not listed"))


def _finding(problem: Problem, rule: Rule[Subject, Problem], subject: Subject) -> Finding:
    where, width = locate(subject.tree, problem.at, key=problem.on_key)
    if problem.written is not None:
        where, width = problem.written.where, problem.written.width
    return Finding(
        id=rule.id,
        severity=problem.severity or rule.severity,
        where=where,
        message=problem.message,
        fix=problem.fix,
        key_path=problem.at,
        width=width,
        edit=problem.edit if _is_in_file(where, subject) else None,
        needs_reason=problem.needs_reason,
    )


def _is_in_file(where: Location | str, subject: Subject) -> bool:
    """Whether it was written in the manifest, not put there by an override."""
    file = subject.tree.where
    return isinstance(where, Location) and isinstance(file, Location) and where.path == file.path


def _wrong_places(loaded: Loaded) -> frozenset[KeyPath]:
    taken_out = loaded.valid_part.without if loaded.valid_part else frozenset()
    errors = (item.key_path for item in loaded.findings if item.severity is Severity.ERROR)
    return taken_out | {path for path in errors if len(path) > 1}


def _depends(problem: Problem, wrong: frozenset[KeyPath]) -> bool:
    """Whether a wrong value is at, above or below something that the problem speaks of."""
    return any(
        place[: len(path)] == path[: len(place)]
        for place in wrong
        for path in (problem.at, *problem.uses)
    )


def is_suppressed(finding: Finding, document: Document) -> bool:
    """By a comment on the finding's line, or in the comment lines right above it."""
    if not isinstance(finding.where, Location) or finding.where.path != document.path:
        return False
    ignores = document.reasoned if finding.needs_reason else document.ignores
    line = finding.where.line
    if finding.id in ignores.get(line, ()):
        return True
    top = max(1, line - MOST)
    while line > top and document.lines[line - 2].lstrip().startswith("#"):
        line -= 1
        if finding.id in ignores.get(line, ()):
            return True
    return False


def unknown_suppressions(document: Document, known: frozenset[str]) -> Iterator[Finding]:
    for line, ids in document.ignores.items():
        for id_ in sorted(ids - known):
            yield Finding(
                id=FindingId.UNKNOWN_SUPPRESSION,
                severity=Severity.WARNING,
                where=Location(
                    path=document.path, line=line, column=document.lines[line - 1].find("#") + 1
                ),
                message=f"there is no finding `{id_}` that could be ignored",
                fix="remove the comment, or correct the id",
            )
