"""Whose role reads the environment that a promotion comes from, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fsd.app.account import WebIdentity
from fsd.app.deployment import DeployOptions
from fsd.app.promotion import _identity
from fsd.manifest.environments import default_environment

OWN = WebIdentity(
    role_arn="arn:aws:iam::222:role/fsd-deploy-prod-org.offers",
    token=lambda: "token",
    session_name="fsd",
    duration=timedelta(hours=4),
    repository="org/offers",
)
OPTIONS = DeployOptions(file=Path("service.yml"), environment="prod", identity=OWN)
THEIRS = "arn:aws:iam::111:role/fsd-deploy-dev-org.offers"
HOURS = timedelta(hours=4)


@pytest.mark.parametrize(
    ("account", "role", "asked"),
    [
        (None, THEIRS, (THEIRS, None)),
        ("111", None, (THEIRS, None)),  # as bootstrap names it
        (None, None, (OWN.role_arn, HOURS)),
        (None, OWN.role_arn, (OWN.role_arn, HOURS)),
    ],
    ids=["its own", "counterpart", "none", "the same"],
)
def test_identity__role_of_the_source__is_not_asked_for_this_environments_duration(
    account: str | None, role: str | None, asked: tuple[str, timedelta | None]
) -> None:
    source = replace(default_environment("dev"), account=account, role_arn=role)

    identity = _identity(OPTIONS, source)

    assert identity == replace(OWN, role_arn=asked[0], duration=asked[1])
