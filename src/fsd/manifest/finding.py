"""One thing that is wrong, or could be better, with what somebody wrote.

Here and not in `fsd.lint`, because loading finds things too, and is below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from fsd.errors import Location
from fsd.manifest.edit import Edit
from fsd.manifest.key_path import KeyPath

# Of one kind, more than anybody reads: the last that is listed says that there are more.
MOST = 100


class Severity(StrEnum):
    """An error certainly breaks: the command stops with exit code 3."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class FindingId(StrEnum):
    """Of what reading a file finds, before any rule. A rule's id is the name of its file."""

    DUPLICATE_ENVIRONMENT = "duplicate-environment"
    DUPLICATE_KEY = "duplicate-key"
    MISSING_KEY = "missing-key"
    NOT_A_SERVICE_YAML = "not-a-service-yaml"
    NOT_AN_ENVIRONMENT = "not-an-environment"
    OUT_OF_RANGE = "out-of-range"
    OVERRIDE_MALFORMED = "override-malformed"
    OVERRIDE_UNKNOWN_PATH = "override-unknown-path"
    UNKNOWN_ENVIRONMENT = "unknown-environment"
    UNKNOWN_KEY = "unknown-key"
    UNKNOWN_SUPPRESSION = "unknown-suppression"
    UNKNOWN_VARIABLE = "unknown-variable"
    WRONG_PATTERN = "wrong-pattern"
    WRONG_TYPE = "wrong-type"
    WRONG_VALUE = "wrong-value"
    YAML_ALIAS = "yaml-alias"
    YAML_EMPTY = "yaml-empty"
    YAML_KEY_NOT_TEXT = "yaml-key-not-text"
    YAML_SEVERAL_DOCUMENTS = "yaml-several-documents"
    YAML_SYNTAX = "yaml-syntax"
    YAML_TAB = "yaml-tab"
    YAML_TAG = "yaml-tag"
    YAML_TOO_DEEP = "yaml-too-deep"
    YAML_TOO_LARGE = "yaml-too-large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`where` is a place in a file, or the override that brought the value.

    `edit` is what `--fix` would do about it. `needs_reason`: a comment that ignores it counts only
    with a reason behind the id.
    """

    id: str
    severity: Severity
    where: Location | str
    message: str
    fix: str
    key_path: KeyPath = ()
    width: int = 1  # characters to underline
    edit: Edit | None = None
    needs_reason: bool = False


def order(finding: Finding) -> tuple[bool, str, int, int, str, str]:
    """Sort key: by place, overrides last."""
    match finding.where:
        case Location(path=path, line=line, column=column):
            return False, path, line, column, finding.id, finding.message
        case text:
            return True, text, 0, 0, finding.id, finding.message


def with_the_rest(findings: Sequence[Finding], more: int) -> tuple[Finding, ...]:
    """The findings, of which the last says how many are not listed."""
    if not more:
        return tuple(findings)
    *first, last = findings
    return (*first, replace(last, message=f"{last.message}; {more} more are not listed"))
