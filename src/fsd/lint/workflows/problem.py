"""What a rule for workflows gives back."""

from __future__ import annotations

from dataclasses import dataclass

from fsd.lint.workflows.shell import Word
from fsd.manifest.key_path import KeyPath
from fsd.manifest.yaml_tree import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowProblem:
    """A fault at a value; with `offset` and `width` at a part of its text."""

    at: KeyPath
    value: Scalar
    message: str
    fix: str
    offset: int = 0
    width: int | None = None  # the whole value without it


def at_word(word: Word, value: Scalar, *, at: KeyPath, message: str, fix: str) -> WorkflowProblem:
    return WorkflowProblem(
        at=at, value=value, message=message, fix=fix, offset=word.offset, width=word.width
    )
