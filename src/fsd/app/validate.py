"""Check manifests and workflows: offline, without credentials, every finding at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from fsd.app.environments import find_environment, find_environments_file
from fsd.app.manifest import check_manifest
from fsd.app.manifest_files import (
    Check,
    CheckedFile,
    FileReport,
    check_files,
    compared,
    error_report,
    find_files,
    list_candidates,
    report_files,
)
from fsd.errors import ManifestError
from fsd.manifest.load import Loaded
from fsd.report.findings import FileFindings

if TYPE_CHECKING:
    from fsd.app.fixes import FixedFile

_WORKFLOW_FOLDERS = (Path(".github", "workflows"), Path("workflows"))


class Fixes(StrEnum):
    """What happens with what can be repaired safely."""

    LEAVE = "leave"
    SHOW = "show"
    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateRequest:
    """`names` are files, patterns, folders, or - for standard input."""

    names: tuple[str, ...]
    workflows: tuple[Path, ...] = ()
    environment: str | None = None
    overrides: tuple[str, ...] = ()
    fixes: Fixes = Fixes.LEAVE
    raises: bool = False  # the error of what is named alone, instead of a finding


def run_validate(
    request: ValidateRequest, *, show: Callable[[FixedFile], None]
) -> tuple[FileFindings, ...]:
    """What was found in each file; `show` is given what was fixed. Raises ManifestError."""
    found = list(_workflows(request)) if request.workflows else []
    if request.names:
        found += _manifests(request, show)
    elif request.environment is not None:
        find_environment(None, request.environment)  # a workflow has none, but a wrong one is said
    return tuple(found)


def list_inputs(request: ValidateRequest) -> Sequence[Path]:
    """Everything whose change may change the result."""
    inner = [path / folder for path in request.workflows for folder in _WORKFLOW_FOLDERS]
    workflows = (str(path) for path in (*request.workflows, *inner))
    found = list_candidates([*request.names, *workflows])
    if request.environment is not None:
        folders = {path.parent: path for path in found}
        environments = {find_environments_file(path) for path in folders.values()}
        found += [path for path in environments if path is not None]
    return found


def _check(request: ValidateRequest) -> Check:
    def check(path: str, text: str) -> Loaded:
        return check_manifest(
            Path(path), environment=request.environment, overrides=request.overrides, text=text
        )

    return check


def _manifests(
    request: ValidateRequest, show: Callable[[FixedFile], None]
) -> Sequence[FileFindings]:
    check, found = _check(request), list(find_files(request.names))
    if request.fixes is Fixes.LEAVE and len(found) > 1:
        return report_files(found, check=check)
    reports: list[FileReport] = []
    error = None
    for checked in check_files(found, check=check):
        done = checked if request.fixes is Fixes.LEAVE else _fix(checked, request, check, show)
        error = done.error
        reports.append(done.report())
    if request.raises and not request.workflows and len(reports) == 1 and error is not None:
        raise error
    return compared(reports)


def _fix(
    checked: CheckedFile,
    request: ValidateRequest,
    check: Check,
    show: Callable[[FixedFile], None],
) -> CheckedFile:
    from fsd.app.fixes import fix_file

    if checked.loaded is None:
        return checked
    path = checked.path
    try:
        done = fix_file(
            path,
            checked.text,
            checked.loaded,
            check=lambda text: check(path, text),
            write=request.fixes is Fixes.WRITE,
        )
    except ManifestError as error:
        return replace(checked, loaded=None, error=error)
    if done is None:
        return checked
    show(done)
    return replace(checked, loaded=done.loaded)


def _workflows(request: ValidateRequest) -> Sequence[FileFindings]:
    from fsd.app.workflow_files import check_workflows

    try:
        checked = check_workflows(request.workflows)
    except ManifestError as error:
        if request.raises:
            raise
        return [error_report(error, path=str(request.workflows[0]))]
    return [
        FileFindings(path=file.path, findings=file.findings, sources={file.path: file.lines})
        for file in checked
    ]
