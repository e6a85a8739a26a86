"""Which of several services changed: as a table, as JSON, as a matrix of GitHub's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from fsd.report.tables import table
from fsd.streams import printable

_UNCHANGED = "unchanged"


class Why(StrEnum):
    """What a deployment would change: the first of these that is true."""

    NEW = "new"  # the service does not exist yet
    IMAGE = "image"  # and perhaps settings, too
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChange:
    """`why` is None for a service that a deployment leaves as it is."""

    service: str
    file: str  # with slashes; from the current folder, if it is below
    environment: str
    why: Why | None = None


def changed_text(services: Sequence[ServiceChange]) -> str:
    """A line each, those that changed first."""
    count = sum(1 for each in services if each.why)
    head = f"{count} of {len(services)} services changed in {services[0].environment}"
    rows = [
        (printable(each.service), str(each.why or _UNCHANGED), printable(each.file))
        for each in sorted(services, key=lambda each: not each.why)
    ]
    return f"{head}\n{table(rows, indent='  ')}"


def changed_json(services: Sequence[ServiceChange]) -> dict[str, object]:
    """`fsd/changed/v1`."""
    return {
        "schema": "fsd/changed/v1",
        "environment": services[0].environment,
        "services": [
            {
                "service": each.service,
                "file": each.file,
                "changed": bool(each.why),
                "why": str(each.why or ""),
            }
            for each in services
        ],
    }


def changed_matrix(services: Sequence[ServiceChange]) -> str:
    """One line of ASCII, whatever is in a name: it goes into GITHUB_OUTPUT as `name=value`.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrixinclude
    """
    entries = [
        {"service": each.service, "file": each.file, "environment": each.environment}
        for each in services
        if each.why
    ]
    return json.dumps({"include": entries}, separators=(",", ":"))
