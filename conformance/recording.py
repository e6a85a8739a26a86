"""Answers without what names an account, so that they can be shown and compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

# A form is of a whole word, for which `_` counts as a space does: x_123456789012 has an account ID.
_BEGIN, _END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_KINDS = (
    "assumed-role|federated-user|role|user|group|instance-profile|policy|mfa|saml-provider"
    "|oidc-provider|server-certificate"
)
_NAME = r"[\w+=,.@/-]*[\w+=@/-]"  # of a principal, with its path; a period may end the sentence
_PLACE = _BEGIN + r"[a-z]{2}(?:-[a-z]+)+-\d{1,2}"

# In this order: what is longer, or has another form in it, comes first.
_FORMS = (
    (re.compile(r"\bhttps?://[^\s\"')]+"), "URL"),
    (re.compile(r"(?<=failure message: )\S+"), "TOKEN"),
    (re.compile(rf"((?:iam|sts):[^:\s]*:[^:\s]*:(?:{_KINDS}))/{_NAME}"), r"\1/PRINCIPAL"),
    (re.compile(rf"\b(assumed-role|federated-user)/{_NAME}"), r"\1/PRINCIPAL"),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "EMAIL"),
    (re.compile(_BEGIN + r"A(?:3T|BIA|CCA|GPA|IDA|IPA|KIA|NPA|NVA|PKA|ROA|SCA|SIA)[A-Z0-9]{12,}"
                rf"(?::{_NAME})?"), "ID"),
    (re.compile(_BEGIN + r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}" + _END), "UUID"),
    (re.compile(_BEGIN + r"[0-9a-f]{32,}" + _END), "ID"),
    (re.compile(_BEGIN + r"(subnet|vpc|sg|eni|i|ssoins|ps)-[0-9a-f]+" + _END), r"\1-ID"),
    (re.compile(_BEGIN + r"(?:o-[a-z0-9]{4,}|r-[a-z0-9]{4,}|ou-[a-z0-9]+-[a-z0-9]+)" + _END),
     "ORGANIZATION"),
    (re.compile(_BEGIN + r"p-\w{6,}"), "POLICY"),
    (re.compile(_BEGIN + r"conformance-[0-9a-f]{8}" + _END), "NAME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.+:Z]*"), "TIME"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "ADDRESS"),
    (re.compile(r"(?<!\d)\d{4}-\d{4}-\d{4}(?!\d)"), "ACCOUNT"),
    (re.compile(r"\d{12,}"), "ACCOUNT"),
    (re.compile(_PLACE + r"(?:-[a-z]+-\d+)?[a-z]" + _END), "ZONE"),
    (re.compile(_BEGIN + r"[a-z]{2,4}\d-(?:[a-z]{3}\d-)?az\d" + _END), "ZONE"),
    (re.compile(_PLACE + _END), "REGION"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Of one question: an error's code and message, or states in the order in which they came."""

    scenario: str
    question: str
    said: tuple[str, ...]


class NameRemainsError(ValueError):
    """An answer still names something of an account, so that the recording was not written."""


def without_names(text: str, *names: str) -> str:
    """`names` are those of the account that no form finds: its cluster, by name or ARN."""
    found = {name.rpartition("/")[2] for name in names} - {""}
    for name in sorted(found, key=len, reverse=True):
        text = re.sub(rf"{_BEGIN}{re.escape(name)}{_END}", "CLUSTER", text)
    for form, word in _FORMS:
        text = form.sub(word, text)
    return " ".join(text.split())


def write(answers: Iterable[Answer], *, source: str, recorded: str) -> str:
    """`source` says what answered: aws, or an embedded AWS. `recorded` is the day.

    Raises NameRemainsError.
    """
    listed = [
        {"scenario": one.scenario, "question": one.question, "said": list(one.said)}
        for one in answers
    ]
    for one in listed:
        _check_names(one)
    tree = {"source": source, "recorded": recorded, "answers": listed}
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def _check_names(answer: dict[str, Any]) -> None:
    where = f"the answer to `{answer['scenario']}: {answer['question']}`"
    if re.search(r"\d{12}", json.dumps(answer, ensure_ascii=False)):
        raise NameRemainsError(f"{where} still has a number of 12 digits, as account IDs have")
    if any(without_names(text) != " ".join(text.split()) for text in answer["said"]):
        raise NameRemainsError(f"{where} still has a name or an ID")


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
