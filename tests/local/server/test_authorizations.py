"""What IAM was asked, as `POST /_fsd/authorizations` lists it."""

from __future__ import annotations

from fsd_local.authorizations import Authorization, AuthorizationLog

ASKED = Authorization(
    principal="arn:aws:sts::111111111111:assumed-role/deployer/one",
    action="ecs:UpdateService",
    resource="arn:aws:ecs:us-east-1:111111111111:service/dev/offers-dev",
    is_allowed=True,
    by=("Services",),
    within=(),
)


def test_take__same_question_twice__is_listed_once_and_then_forgotten() -> None:
    log = AuthorizationLog()
    log.add(ASKED)
    log.add(ASKED)

    assert log.take() == [ASKED]
    assert log.take() == []
