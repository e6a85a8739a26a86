"""Causes as data: by which words a text is known, what to do, and texts that show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fsd.errors import ErrorCode
from fsd.rollout.reasons import cut_names


@dataclass(frozen=True, slots=True)
class QuotedText:
    """A text as AWS, ECS or Docker has printed it, and the public page or thread that shows it.

    Names, account numbers and digests are made up. `source` is an address.
    """

    text: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One cause. `words` is a regular expression, case-insensitive, over a text without names.

    The first row that matches wins. A rest is what is left where no other row matches.
    """

    code: ErrorCode
    words: str
    fix: str
    examples: tuple[QuotedText, ...]
    unlike: tuple[QuotedText, ...] = ()  # it looks alike, and is another cause
    is_rest: bool = False

    def matches(self, words: str) -> bool:
        return re.search(self.words, words, re.IGNORECASE) is not None


def find_known(rows: Sequence[Known], text: str) -> Known | None:
    words = cut_names(text)
    ranked = sorted(rows, key=lambda row: row.is_rest)
    return next((row for row in ranked if row.matches(words)), None)
