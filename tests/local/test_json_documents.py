"""What the real command prints with `--format json` is what docs/json.md says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.json_documents import TABLES, faults
from tests.local.cli import Fsd

SERVICE = ("--service", "hello", "--env", "local", "--format", "json")
DEPLOY = ("deploy", "--env", "local", "--file", "service.yml", "--format", "json")


def looked_at(fsd: Fsd, *arguments: str) -> dict[str, Any]:
    """The document, which is as its own schema's table says."""
    document: dict[str, Any] = fsd.run(*arguments).json()
    assert [*faults(document, document["schema"])] == []
    return document


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_json__every_command_on_a_service__as_the_page_says(fsd: Fsd) -> None:
    early = looked_at(fsd, "status", *SERVICE)
    plan = looked_at(fsd, "plan", *DEPLOY[1:])
    first = looked_at(fsd, *DEPLOY, "--version", "v1")
    same = looked_at(fsd, *DEPLOY, "--version", "v1")
    failed = looked_at(
        fsd, *DEPLOY, "--version", "v2", "--override", "environment.HELLO_BROKEN_HEALTH=1"
    )
    status = looked_at(fsd, "status", *SERVICE)
    overview = looked_at(fsd, "status", "--env", "local", "--format", "json")
    diagnosis = looked_at(fsd, "diagnose", *SERVICE)
    rows = fsd.run("history", *SERVICE).json()

    assert (early["code"], plan["empty"], first["outcome"]) == (
        "service-not-found",
        False,
        "succeeded",
    )
    assert (same["outcome"], failed["outcome"]) == ("unchanged", "rolled-back")
    assert failed["diagnosis"]["causes"][0]["code"] == "health-check-failed"
    assert (status["healthy"], len(overview["services"])) == (True, 1)
    assert diagnosis["lastRollout"]["causes"]
    assert len(rows) == 2
    whole = {**TABLES["release"], **TABLES["fsd/history/v1"]}
    assert [sorted(row) for row in rows] == [sorted(whole)] * 2
