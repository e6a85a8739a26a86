from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from fsd.aws.first_look import look_first
from fsd.aws.session import FEW_ATTEMPTS, AwsSession, open_session
from fsd.errors import CallFailedError
from fsd.release.ports import Identity, ServiceRead

ARN = "arn:aws-us-gov:ecs:us-east-1:111111111111:service/dev/web-dev"
ASKED = {"cluster": "dev", "services": ["web-dev"], "include": ["TAGS"]}
BY_STS = Identity(
    account="222222222222",
    region="us-east-1",
    partition="aws",
    arn="arn:aws:iam::222222222222:user/ada",
)


def service(**more: Any) -> dict[str, Any]:
    return {"serviceArn": ARN, "serviceName": "web-dev", "status": "ACTIVE", **more}


def stubs() -> tuple[AwsSession, Stubber, Stubber]:
    """A session whose ECS and STS answer only what they are told to."""
    session = open_session(session_name="test", region="us-east-1")
    ecs, sts = (Stubber(session.client(name, attempts=FEW_ATTEMPTS)) for name in ("ecs", "sts"))
    ecs.activate()
    sts.activate()
    return session, ecs, sts


def look(session: AwsSession) -> tuple[Identity, ServiceRead | None]:
    return look_first(session, cluster="dev", service="web-dev")


def test_look_first__service_is_there__its_arn_says_the_account_and_it_is_read_once() -> None:
    session, ecs, _ = stubs()
    ecs.add_response("describe_services", {"services": [service()]}, ASKED)

    who, read = look(session)

    assert (who.account, who.partition, who.region) == ("111111111111", "aws-us-gov", "us-east-1")
    assert read is not None
    assert read.service is not None
    assert (read.cluster, read.name, read.service.arn) == ("dev", "web-dev", ARN)


@pytest.mark.parametrize(
    "answer",
    [
        {"failures": [{"arn": ARN, "reason": "MISSING"}]},
        {"services": [service(status="INACTIVE")]},
    ],
    ids=["missing", "inactive"],
)
def test_look_first__service_is_not_there__account_is_known(answer: dict[str, Any]) -> None:
    session, ecs, _ = stubs()
    ecs.add_response("describe_services", answer, ASKED)

    who, read = look(session)

    assert who.account == "111111111111"
    assert read == ServiceRead(cluster="dev", name="web-dev", service=None)


def test_look_first__ecs_cannot_say__account_is_known_and_the_service_is_read_again() -> None:
    session, ecs, _ = stubs()
    failure = {"arn": ARN, "reason": "INTERNAL"}
    ecs.add_response("describe_services", {"failures": [failure]}, ASKED)

    who, read = look(session)

    assert (who.account, read) == ("111111111111", None)


def test_look_first__no_such_cluster__sts_says_who_and_there_is_no_service() -> None:
    session, ecs, sts = stubs()
    ecs.add_client_error("describe_services", "ClusterNotFoundException", "no")
    sts.add_response("get_caller_identity", {"Arn": BY_STS.arn})

    assert look(session) == (BY_STS, ServiceRead(cluster="dev", name="web-dev", service=None))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_look_first__ecs_refuses__sts_says_who(code: str) -> None:
    session, ecs, sts = stubs()
    for _ in range(FEW_ATTEMPTS):
        ecs.add_client_error("describe_services", code, "no", http_status_code=400)
    sts.add_response("get_caller_identity", {"Arn": BY_STS.arn})

    assert look(session) == (BY_STS, None)


@pytest.mark.parametrize("arn", ["", "web-dev", "arn:aws:ecs:us-east-1::service/web-dev"])
def test_look_first__arn_without_an_account__sts_says_who(arn: str) -> None:
    session, ecs, sts = stubs()
    ecs.add_response("describe_services", {"failures": [{"arn": arn, "reason": "MISSING"}]})
    sts.add_response("get_caller_identity", {"Arn": BY_STS.arn})

    assert look(session) == (BY_STS, None)


def test_look_first__no_service_is_named__sts_says_who() -> None:
    session, _, sts = stubs()
    sts.add_response("get_caller_identity", {"Arn": BY_STS.arn})

    assert look_first(session, cluster="dev", service="") == (BY_STS, None)


@pytest.mark.parametrize(
    ("cluster", "service"),
    [("dev", ARN), ("arn:aws:ecs:us-east-1:111111111111:cluster/dev", "web-dev")],
    ids=["service", "cluster"],
)
def test_look_first__asked_by_arn__sts_says_who(cluster: str, service: str) -> None:
    """The account in what was asked for says nothing of who asks."""
    session, _, sts = stubs()
    sts.add_response("get_caller_identity", {"Arn": BY_STS.arn})

    assert look_first(session, cluster=cluster, service=service) == (BY_STS, None)


def test_look_first__arn_of_a_missing_service_without_its_cluster__account_is_known() -> None:
    """As ECS writes it: https://github.com/aws-actions/amazon-ecs-deploy-task-definition/issues/312"""
    session, ecs, _ = stubs()
    arn = "arn:aws:ecs:us-east-2:111111111111:service/web-dev"
    ecs.add_response("describe_services", {"failures": [{"arn": arn, "reason": "MISSING"}]})

    assert look(session)[0].account == "111111111111"


def test_look_first__nobody_answers__said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    session = open_session(session_name="test", region="us-east-1")

    with pytest.raises(CallFailedError) as caught:
        look(session)

    assert caught.value.code == "no-credentials"
    assert caught.value.where == "DescribeServices dev/web-dev"
