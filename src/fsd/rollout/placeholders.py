"""Whether a secret that the embedded AWS made up is why tasks fail. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from fsd.rollout.advice import GiveSecretValue
from fsd.rollout.cause import Cause, Diagnosis
from fsd.rollout.left_out import told, with_first
from fsd.rollout.summaries import SecretsMadeUp

_MOST_LINES = 8  # of the log, the last: those of the exception
_MADE_UP = re.compile(r"\bplaceholder\b", re.IGNORECASE)


def explain_by_placeholders(diagnosis: Diagnosis, secrets: Mapping[str, str]) -> Diagnosis:
    """`secrets`: variable → `valueFrom`, of those that have no value of their own. The worst cause
    says so first where the service complains of one by name, or of the value itself."""
    said = "\n".join(_words(diagnosis))
    named = [name for name in secrets if re.search(rf"\b{re.escape(name)}\b", said, re.IGNORECASE)]
    if not secrets or (not named and not _MADE_UP.search(said)):
        return diagnosis
    names = tuple(named or secrets)

    def explained(cause: Cause) -> Cause:
        advice = GiveSecretValue(advice=cause.advice, name=names[0], value_from=secrets[names[0]])
        return replace(
            cause, summary=SecretsMadeUp(summary=cause.summary, names=names), advice=advice
        )

    return with_first(diagnosis, explained)


def _words(diagnosis: Diagnosis) -> Iterator[str]:
    yield from told(diagnosis.cause.summary)
    yield from diagnosis.log_lines[-_MOST_LINES:]
