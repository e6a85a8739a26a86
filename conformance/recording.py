"""Answers without what names an account, so that they can be shown and compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_FORMS = (
    (re.compile(r"\b\d{12}\b"), "ACCOUNT"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "ID"),
    (re.compile(r"\b(subnet|vpc|sg|eni)-[0-9a-f]+\b"), r"\1-ID"),
    (re.compile(r"\bhttps?://[^\s\"')]+"), "URL"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.+:Z]*"), "TIME"),
    (re.compile(r"\bconformance-[0-9a-f]{8}\b"), "NAME"),
    (re.compile(r"\b[a-z]{2}(?:-[a-z]+)+-\d\b"), "REGION"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Of one question: an error's code and message, or states in the order in which they came."""

    scenario: str
    question: str
    said: tuple[str, ...]


def without_names(text: str, *names: str) -> str:
    """`names` are those of the account that no form finds: its cluster."""
    for name in names:
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "CLUSTER", text)
    for form, word in _FORMS:
        text = form.sub(word, text)
    return " ".join(text.split())


def write(answers: Iterable[Answer], *, source: str, recorded: str) -> str:
    """`source` says what answered: aws, or an embedded AWS. `recorded` is the day."""
    listed = [
        {"scenario": one.scenario, "question": one.question, "said": list(one.said)}
        for one in answers
    ]
    tree = {"source": source, "recorded": recorded, "answers": listed}
    return json.dumps(tree, indent=2) + "\n"


def read(text: str) -> tuple[Answer, ...]:
    tree: dict[str, Any] = json.loads(text)
    return tuple(
        Answer(scenario=one["scenario"], question=one["question"], said=tuple(one["said"]))
        for one in tree["answers"]
    )


def differences(recorded: Iterable[Answer], now: Iterable[Answer]) -> Iterator[str]:
    """A line each; what is in one of both alone is one, too."""
    before = {(one.scenario, one.question): one.said for one in recorded}
    after = {(one.scenario, one.question): one.said for one in now}
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key):
            yield f"{key[0]}: {key[1]}: {_text(before.get(key))} became {_text(after.get(key))}"


def _text(said: tuple[str, ...] | None) -> str:
    return "nothing" if said is None else " → ".join(said)
