"""Applies the edits that findings carry, one at a time, each judged by checking the text again.

A fix that brings another finding, or after which its own is still there, is not made: what is
reported to be repaired is repaired, and a second run has nothing to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fsd.manifest.finding import Finding
from fsd.manifest.key_path import KeyPath
from fsd.manifest.load import Loaded
from fsd.manifest.rewrite import UnsafeEditError, rewrite

Check: TypeAlias = Callable[[str], Loaded]
_Key: TypeAlias = tuple[str, KeyPath]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFixed:
    finding: Finding
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """`loaded` is what the check says of `text`, which is the old one where nothing was done."""

    text: str
    loaded: Loaded
    done: tuple[Finding, ...] = ()
    not_done: tuple[NotFixed, ...] = ()


def fix(text: str, loaded: Loaded, *, check: Check) -> Fixed:
    """The text with every fix that is safe; `loaded` is what the check said of it."""
    done: list[Finding] = []
    not_done: dict[_Key, NotFixed] = {}
    while (finding := _next(loaded.findings, not_done)) is not None:
        assert finding.edit is not None
        try:
            new_text = rewrite(text, finding.edit)
            after = check(new_text)
            _judge(finding, loaded.findings, after.findings)
        except UnsafeEditError as error:
            not_done[_key(finding)] = NotFixed(finding=finding, why=str(error))
        else:
            text, loaded = new_text, after
            done.append(finding)
    return Fixed(text=text, loaded=loaded, done=tuple(done), not_done=tuple(not_done.values()))


def _next(findings: Sequence[Finding], not_done: dict[_Key, NotFixed]) -> Finding | None:
    candidates = (item for item in findings if item.edit and _key(item) not in not_done)
    return next(candidates, None)


def _judge(finding: Finding, before: Sequence[Finding], after: Sequence[Finding]) -> None:
    """Raises unless there is less to find than before: so this ends."""
    old, new = Counter(map(_key, before)), Counter(map(_key, after))
    more = sorted(id_ for id_, _ in new - old)
    if more:
        raise UnsafeEditError(f"the fix would bring {more[0]}")
    if new[_key(finding)] >= old[_key(finding)]:
        raise UnsafeEditError("the fix would not be enough")


def _key(finding: Finding) -> _Key:
    return finding.id, finding.key_path
