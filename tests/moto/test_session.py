from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from fsd.aws.connect import connect
from fsd.aws.errors import call
from fsd.aws.session import AwsSession, open_session, read_claims
from fsd.errors import CallFailedError, Interrupted
from fsd.release.ports import Identity
from tests.fakes import sts as fake_sts
from tests.fakes.clock import FakeClock
from tests.fakes.sts import FakeSts
from tests.waiting import eventually

ROLE = "arn:aws:iam::123456789012:role/fsd-deploy-dev"
ASSUME = "AssumeRoleWithWebIdentity"
CLAIMS = {
    "iss": "https://token.actions.githubusercontent.com",
    "sub": "repo:org@1234/offers@5678:ref:refs/heads/staging",
    "aud": "sts.amazonaws.com",
    "repository": "org/offers",
}
KEY_FETCH = (
    "Couldn't retrieve verification key from your identity provider, please reference "
    "AssumeRoleWithWebIdentity documentation for requirements"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    access_key_id: str
    secret_access_key: str


@pytest.fixture
def sts() -> Iterator[FakeSts]:
    with fake_sts.serve() as server:
        yield server


def jwt(claims: object = CLAIMS) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"


class Tokens:
    """An OIDC provider: a token a call, each with its number."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    def __call__(self) -> str:
        self.fetched.append(jwt({**CLAIMS, "jti": len(self.fetched)}))
        return self.fetched[-1]


# --- identity --------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_moto")
def test_identity__moto__account_region_and_partition() -> None:
    session = open_session(session_name="test", region="us-east-1")

    assert session.identity() == Identity(
        account="123456789012",
        region="us-east-1",
        partition="aws",
        arn="arn:aws:sts::123456789012:user/moto",
    )


def test_identity__another_partition__read_from_the_arn(sts: FakeSts) -> None:
    sts.will_say(fake_sts.identity("1", "arn:aws-us-gov:iam::1:user/x"))
    session = open_session(session_name="test", region="us-gov-west-1", endpoint_url=sts.url)

    assert session.identity().partition == "aws-us-gov"


def test_identity__endpoint_from_the_environment__honoured(
    sts: FakeSts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
    sts.will_say(fake_sts.identity("1", "arn:aws:iam::1:user/x"))

    open_session(session_name="test").identity()

    [asked] = sts.asked
    assert asked.parameters["Action"] == "GetCallerIdentity"
    assert "fsd/" in asked.headers["user-agent"]


def test_identity__fixed_key__signs_with_it(sts: FakeSts) -> None:
    sts.will_say(fake_sts.identity("1", "arn:aws:iam::1:user/x"))
    key = Key(access_key_id="000000000000", secret_access_key="local")

    open_session(session_name="test", endpoint_url=sts.url, credentials=key).identity()

    assert sts.asked[0].access_key == "000000000000"


def test_identity__no_credentials__says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(CallFailedError) as caught:
        open_session(session_name="test", endpoint_url="http://127.0.0.1:1").identity()

    assert caught.value.code == "no-credentials"
    assert "aws sso login" in caught.value.fix


def test_identity__expired_token__credentials_expired(sts: FakeSts) -> None:
    sts.will_say(fake_sts.refusal("ExpiredToken", "The security token included is expired"))

    with pytest.raises(CallFailedError) as caught:
        open_session(session_name="test", endpoint_url=sts.url).identity()

    assert caught.value.code == "credentials-expired"


def test_call__hangs_each_time__given_up_after_three_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fsd.aws.session.READ_TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        session = open_session(session_name="test", region="us-east-1", endpoint_url=url)

        with pytest.raises(CallFailedError, match="Read timeout") as caught:
            call(session.client("sts"), "get_caller_identity", "")

        silent.settimeout(0.1)
        asked = []
        with contextlib.suppress(TimeoutError):
            while True:
                asked.append(silent.accept()[0])
    for connection in asked:
        connection.close()
    assert len(asked) == 3
    assert (caught.value.code, caught.value.may_be_done) == ("connection-lost", True)


def test_client__nobody_listens__endpoint_unreachable_with_the_url() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    session = open_session(session_name="test", endpoint_url=url)

    with pytest.raises(CallFailedError) as caught:
        call(session.client("sts", attempts=1), "get_caller_identity", "")

    assert caught.value.code == "endpoint-unreachable"
    assert url in caught.value.what


def test_client__twice__the_same() -> None:
    session = open_session(session_name="test")

    assert session.client("sts") is session.client("sts")
    assert session.client("sts", attempts=1) is not session.client("sts")


def test_client__retries_and_timeouts__as_chosen() -> None:
    config = open_session(session_name="test").client("sts").meta.config

    assert config.retries == {"mode": "standard", "total_max_attempts": 10}
    assert (config.connect_timeout, config.read_timeout) == (5, 30)


def test_open_session__unknown_profile__profile_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")

    with pytest.raises(CallFailedError) as caught:
        open_session(session_name="test")

    assert caught.value.code == "profile-not-found"


def test_open_session__no_region__says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    with pytest.raises(CallFailedError) as caught:
        open_session(session_name="test")

    assert caught.value.code == "no-region"


@pytest.mark.usefixtures("in_moto")
def test_connect__session__identity_and_adapters() -> None:
    aws = connect(open_session(session_name="test"), clock=FakeClock())

    assert aws.identity.account == "123456789012"
    assert aws.ecs.find_cluster("dev") is None
    assert aws.registry.find_repository("web") is None


# --- a role by OIDC token ----------------------------------------------------------------------


def assume(sts: FakeSts, tokens: Tokens, clock: FakeClock | None = None) -> AwsSession:
    return open_session(
        session_name="org/offers run 7",
        region="eu-central-1",
        role_arn=ROLE,
        web_identity=tokens,
        endpoint_url=sts.url,
        clock=clock,
    )


def test_open_session__duration__is_asked_for_and_else_left_to_aws(sts: FakeSts) -> None:
    sts.will_say(fake_sts.session(ASSUME, "ASIAONE"))

    assume(sts, Tokens())
    open_session(
        session_name="x1",
        region="eu-central-1",
        role_arn=ROLE,
        web_identity=Tokens(),
        duration=timedelta(hours=2),
        endpoint_url=sts.url,
    )

    assert [one.parameters.get("DurationSeconds") for one in sts.asked] == [None, "7200"]


def test_open_session__web_identity__unsigned_and_kept_in_memory(sts: FakeSts) -> None:
    tokens = Tokens()
    before = dict(os.environ)
    sts.will_say(
        fake_sts.session(ASSUME, "ASIAONE"), fake_sts.identity("1", "arn:aws:sts::1:role/x")
    )

    session = assume(sts, tokens)
    session.identity()

    assumed, asked = sts.asked
    assert not assumed.is_signed
    assert assumed.parameters["RoleArn"] == ROLE
    assert assumed.parameters["RoleSessionName"] == "org-offers-run-7"
    assert assumed.parameters["WebIdentityToken"] == tokens.fetched[0]
    assert asked.access_key == "ASIAONE"
    assert asked.headers["x-amz-security-token"] == "session-of-ASIAONE"
    assert session.region == "eu-central-1"
    assert dict(os.environ) == before


def test_identity__role_was_assumed__said_without_a_call(sts: FakeSts) -> None:
    arn = "arn:aws-us-gov:sts::123456789012:assumed-role/fsd-deploy/org-offers-run-7"
    sts.will_say(fake_sts.session(ASSUME, "ASIAONE", arn=arn))

    identity = assume(sts, Tokens()).identity()

    assert (identity.account, identity.partition, identity.arn) == (
        "123456789012", "aws-us-gov", arn,
    )  # fmt: skip
    assert len(sts.asked) == 1


def test_open_session__web_identity_near_its_end__renewed_with_a_new_token(sts: FakeSts) -> None:
    tokens = Tokens()
    sts.will_say(
        fake_sts.session(ASSUME, "ASIAONE", lasting=timedelta(minutes=5)),
        fake_sts.session(ASSUME, "ASIATWO"),
        fake_sts.identity("1", "arn:aws:sts::1:role/x"),
    )

    assume(sts, tokens).identity()

    assert len(tokens.fetched) == len(set(tokens.fetched)) == 2
    assert sts.asked[1].parameters["WebIdentityToken"] == tokens.fetched[1]
    assert sts.asked[2].access_key == "ASIATWO"


def test_open_session__role_does_not_trust_the_workflow__claims_and_line_to_add(
    sts: FakeSts,
) -> None:
    tokens = Tokens()
    sts.will_say(
        fake_sts.refusal("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    )

    with pytest.raises(CallFailedError) as caught:
        assume(sts, tokens)

    assert str(caught.value) == (
        f"error[assume-role-denied]: {ROLE} does not trust this workflow "
        "(AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity)\n"
        "  --> token: sub `repo:org@1234/offers@5678:ref:refs/heads/staging` · "
        "aud `sts.amazonaws.com` · repository `org/offers`\n"
        '  fix: add to "StringLike" in the role\'s trust policy: '
        '"token.actions.githubusercontent.com:sub": '
        '"repo:org@1234/offers@5678:ref:refs/heads/staging"  '
        '(with "token.actions.githubusercontent.com:aud": "sts.amazonaws.com")'
    )
    assert len(sts.asked) == 1, "a refusal is not asked again"
    assert tokens.fetched[0] not in str(caught.value)
    assert tokens.fetched[0].rpartition(".")[2] not in str(caught.value)


def test_open_session__token_is_not_a_jwt__says_so_without_it(sts: FakeSts) -> None:
    sts.will_say(fake_sts.refusal("AccessDenied", "Not authorized"))

    with pytest.raises(CallFailedError) as caught:
        open_session(
            session_name="x", role_arn=ROLE, web_identity=lambda: "gibberish", endpoint_url=sts.url
        )

    assert caught.value.where == "the token could not be read"
    assert "gibberish" not in str(caught.value)


def test_open_session__no_oidc_provider__identity_token_refused(sts: FakeSts) -> None:
    sts.will_say(
        fake_sts.refusal(
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for https://token.x",
            status=400,
        )
    )

    with pytest.raises(CallFailedError) as caught:
        assume(sts, Tokens())

    assert caught.value.code == "identity-token-refused"
    assert "No OpenIDConnect provider found" in caught.value.what
    assert len(sts.asked) == 1


def test_open_session__issuers_keys_not_fetched__tried_again_with_a_new_token(
    sts: FakeSts,
) -> None:
    clock, tokens = FakeClock(), Tokens()
    failure = fake_sts.refusal("InvalidIdentityToken", KEY_FETCH, status=400)
    sts.will_say(failure, failure, fake_sts.session(ASSUME, "ASIAONE"))

    assume(sts, tokens, clock)

    assert clock.waits == [timedelta(seconds=1), timedelta(seconds=2)]
    assert len(set(tokens.fetched)) == 3


def test_open_session__issuers_keys_never_fetched__given_up(sts: FakeSts) -> None:
    clock = FakeClock()
    sts.will_say(fake_sts.refusal("InvalidIdentityToken", KEY_FETCH, status=400))

    with pytest.raises(CallFailedError) as caught:
        assume(sts, Tokens(), clock)

    assert caught.value.code == "identity-provider-unreachable"
    assert len(sts.asked) == 4


def test_open_session__token_expired__credentials_expired(sts: FakeSts) -> None:
    sts.will_say(fake_sts.refusal("ExpiredTokenException", "Token expired", status=400))

    with pytest.raises(CallFailedError) as caught:
        assume(sts, Tokens())

    assert caught.value.code == "credentials-expired"


# --- a role by other credentials -----------------------------------------------------------------


def test_open_session__role_without_token__assumed_by_the_base_credentials(sts: FakeSts) -> None:
    sts.will_say(
        fake_sts.session("AssumeRole", "ASIACHAIN"), fake_sts.identity("1", "arn:aws:sts::1:x")
    )

    open_session(session_name="me@host", role_arn=ROLE, endpoint_url=sts.url).identity()

    assumed, asked = sts.asked
    assert (assumed.parameters["Action"], assumed.access_key) == ("AssumeRole", "testing")
    assert assumed.parameters["RoleSessionName"] == "me@host"
    assert asked.access_key == "ASIACHAIN"


def test_assume__from_an_assumed_role__chained(sts: FakeSts) -> None:
    sts.will_say(
        fake_sts.session(ASSUME, "ASIAONE"),
        fake_sts.session("AssumeRole", "ASIATWO"),
        fake_sts.identity("1", "arn:aws:sts::1:x"),
    )

    session = assume(sts, Tokens()).assume(f"{ROLE}-2", session_name="x")
    session.identity()

    assert sts.asked[1].access_key == "ASIAONE"
    assert sts.asked[1].parameters["RoleSessionName"] == "x-"
    assert sts.asked[2].access_key == "ASIATWO"


def test_assume__denied__assume_role_denied_with_awss_sentence(sts: FakeSts) -> None:
    message = f"User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole on {ROLE}"
    sts.will_say(fake_sts.refusal("AccessDenied", message))

    with pytest.raises(CallFailedError) as caught:
        open_session(session_name="me", role_arn=ROLE, endpoint_url=sts.url)

    assert (caught.value.code, caught.value.where) == ("assume-role-denied", ROLE)
    assert message in caught.value.what


def test_assume__other_refusal__as_it_is(sts: FakeSts) -> None:
    sts.will_say(fake_sts.refusal("RegionDisabledException", "STS is not activated"))

    with pytest.raises(CallFailedError) as caught:
        open_session(session_name="me", role_arn=ROLE, endpoint_url=sts.url)

    assert caught.value.code == "region-disabled"
    assert caught.value.what == "RegionDisabledException: STS is not activated"


@pytest.mark.parametrize("text", ["", "a.b", "a.!!.c", f"a.{base64.b64encode(b'[1]').decode()}.c"])
def test_read_claims__not_a_token__nothing(text: str) -> None:
    assert read_claims(text) == {}


# --- signals -------------------------------------------------------------------------------------


def test_call__signal_while_waiting_for_an_answer__ends_it_at_once(sts: FakeSts) -> None:
    """botocore takes the signal's exception for a broken connection, and would ask again."""
    sts.hang = threading.Event()
    session = open_session(session_name="test", endpoint_url=sts.url)

    def interrupt(*_: object) -> None:
        raise Interrupted("stopped by SIGALRM", where="this test", fix="none")

    def send_once_asked() -> None:
        eventually(lambda: sts.asked)
        os.kill(os.getpid(), signal.SIGALRM)

    old = signal.signal(signal.SIGALRM, interrupt)
    sender = threading.Thread(target=send_once_asked, daemon=True)
    sender.start()
    try:
        with pytest.raises(Interrupted):
            session.identity()
    finally:
        sender.join(timeout=30)
        signal.signal(signal.SIGALRM, old)

    assert len(sts.asked) == 1
