"""Who FSD is on AWS: credentials, assumed roles, clients.

Assumed credentials live in this process's memory only and are renewed there before they expire;
they are never written to the environment, to a file or to an argument list. Nothing here reads an
environment variable: boto3 itself does (AWS_PROFILE, AWS_ENDPOINT_URL …).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import boto3.session
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import BotoCoreError, ReadTimeoutError

from fsd import __version__
from fsd.aws.errors import aws_code, aws_message, call, from_botocore, is_denied
from fsd.errors import CallFailedError, ErrorCode, FsdError
from fsd.release.ports import Clock, Identity

# Total attempts of one call, with botocore's back-off of up to 20 s between them.
READ_ATTEMPTS = 10
# For the first calls of a run, where a wrong endpoint must be said within seconds.
FEW_ATTEMPTS = 3
# For what is not safe to repeat after a lost answer; `fsd.aws.lost_answers` repeats it.
ONE_ATTEMPT = 1
# An answer that does not come: AWS answers most calls within a second, all of FSD's within ten.
READ_TIMEOUT = 30.0
HUNG_ATTEMPTS = 3

_KEY_FETCH_PAUSES = tuple(timedelta(seconds=s) for s in (1, 2, 4))
_CLAIMS = ("sub", "aud", "repository")


class Clients(Protocol):
    """Where the adapters get their boto3 clients: made when they are first used."""

    def client(self, service: str, *, attempts: int = READ_ATTEMPTS, region: str = "") -> Any: ...


class AccessKey(Protocol):
    """A fixed key, as the embedded AWS takes one."""

    @property
    def access_key_id(self) -> str: ...

    @property
    def secret_access_key(self) -> str: ...


class AwsSession:
    """One identity in one region. Clients are made once and may be used by several threads."""

    def __init__(
        self,
        boto: boto3.session.Session,
        *,
        endpoint_url: str | None,
        clock: Clock | None,
        assumed_arn: str = "",
    ) -> None:
        self._boto = boto
        self._assumed_arn = assumed_arn
        self._endpoint_url = endpoint_url
        self._clock = clock
        self._clients: dict[tuple[str, int, str], Any] = {}
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        return str(self._boto.region_name)

    def client(self, service: str, *, attempts: int = READ_ATTEMPTS, region: str = "") -> Any:
        """A client with `attempts` attempts a call in all, in this session's Region or another.

        Raises CallFailedError.
        """
        key = (service, attempts, region)
        with self._lock:  # making a client is not safe in two threads at once
            if key not in self._clients:
                self._clients[key] = _make_client(
                    self._boto,
                    service,
                    endpoint_url=self._endpoint_url,
                    config=_config(attempts, region),
                )
            return self._clients[key]

    @property
    def has_assumed(self) -> bool:
        """Whether STS has named the role that was assumed, so that `identity` makes no call."""
        return bool(self._assumed_arn)

    def identity(self) -> Identity:
        """Whom AWS takes us for; the first call of a run, where no role was assumed: then STS has
        said it. Raises CallFailedError.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumedRoleUser.html
        """
        arn = self._assumed_arn
        if not arn:
            sts = self.client("sts", attempts=FEW_ATTEMPTS)
            arn = str(call(sts, "get_caller_identity", f"in {self.region}")["Arn"])
        _, partition, _, _, account, _ = arn.split(":", 5)
        return Identity(account=account, region=self.region, partition=partition, arn=arn)

    def key(self) -> dict[str, str]:
        """The key of this identity, for a child process that speaks to AWS as it does; as the
        variables that AWS's programs read. A role's expires, and a child can't renew it.

        https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
        """
        credentials = self._boto.get_credentials()
        if credentials is None:
            return {}
        frozen = credentials.get_frozen_credentials()
        variables = {
            "AWS_ACCESS_KEY_ID": frozen.access_key,
            "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
            "AWS_SESSION_TOKEN": frozen.token,
        }
        return {name: value for name, value in variables.items() if value}

    def assume(self, role_arn: str, *, session_name: str) -> AwsSession:
        """A session as `role_arn`, by this one's credentials (role chaining: at most an hour).

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
        """
        name = _session_name(session_name)

        def fetch() -> dict[str, Any]:
            sts = self.client("sts", attempts=FEW_ATTEMPTS)
            try:
                return call(sts, "assume_role", role_arn, RoleArn=role_arn, RoleSessionName=name)
            except CallFailedError as error:
                if is_denied(error):
                    raise _chaining_denied(error, role_arn) from error
                raise

        return self._renewing(fetch, method="assume-role")

    def assume_with_token(
        self,
        role_arn: str,
        *,
        token: Callable[[], str],
        session_name: str,
        duration: timedelta | None = None,
    ) -> AwsSession:
        """A session as `role_arn`, by an OIDC token that `token` fetches anew for each renewal.

        `duration` None leaves it to AWS: an hour, whatever the role's maximum is.
        """
        asked: dict[str, Any] = {
            "RoleArn": role_arn,
            "RoleSessionName": _session_name(session_name),
        }
        if duration is not None:
            asked["DurationSeconds"] = int(duration.total_seconds())
        sts = _make_client(
            self._boto,
            "sts",
            endpoint_url=self._endpoint_url,
            config=_config(READ_ATTEMPTS).merge(Config(signature_version=UNSIGNED)),
        )

        def assume() -> dict[str, Any]:
            jwt = token()
            try:
                return call(
                    sts,
                    "assume_role_with_web_identity",
                    role_arn,
                    **asked,
                    WebIdentityToken=jwt,
                )
            except CallFailedError as error:
                refused = _token_refused(error, role_arn, jwt)
                if refused is None:
                    raise
                raise refused from error

        def fetch() -> dict[str, Any]:
            return _retry_key_fetch(assume, clock=self._clock)

        return self._renewing(fetch, method="assume-role-with-web-identity")

    def _renewing(self, fetch: Callable[[], dict[str, Any]], *, method: str) -> AwsSession:
        """botocore renews in the last 15 minutes, and must in the last 10, before a call."""
        first = fetch()
        credentials = RefreshableCredentials.create_from_metadata(
            metadata=_metadata(first), refresh_using=lambda: _metadata(fetch()), method=method
        )
        return AwsSession(
            _boto_session(region=self.region, credentials=credentials),
            endpoint_url=self._endpoint_url,
            clock=self._clock,
            assumed_arn=str(first.get("AssumedRoleUser", {}).get("Arn", "")),
        )


def open_session(
    *,
    session_name: str,
    region: str | None = None,
    role_arn: str | None = None,
    web_identity: Callable[[], str] | None = None,
    duration: timedelta | None = None,
    credentials: AccessKey | None = None,
    endpoint_url: str | None = None,
    clock: Clock | None = None,
) -> AwsSession:
    """A session, with the role assumed already where there is one.

    Without `credentials` and `web_identity` boto3's own chain is used, and `endpoint_url` None
    leaves AWS_ENDPOINT_URL to boto3. `clock` waits between the few tries that a token gets while
    AWS cannot fetch the issuer's keys. `duration` is that of a session by token. Raises
    CallFailedError.
    """
    static = (
        Credentials(credentials.access_key_id, credentials.secret_access_key)
        if credentials
        else None
    )
    try:
        boto = _boto_session(region=region, credentials=static)
    except BotoCoreError as error:
        raise from_botocore(error, "AWS configuration") from error
    if not boto.region_name:
        raise CallFailedError(
            "no AWS region is set",
            where="AWS configuration",
            fix="set AWS_REGION, or `region` in .fsd/environments.yml",
            code=ErrorCode.NO_REGION,
        )
    session = AwsSession(boto, endpoint_url=endpoint_url, clock=clock)
    if role_arn is None:
        return session
    if web_identity is not None:
        return session.assume_with_token(
            role_arn, token=web_identity, session_name=session_name, duration=duration
        )
    return session.assume(role_arn, session_name=session_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _InMemory:
    """A credential chain of one link: boto3 looks nowhere else."""

    credentials: Any = field(repr=False)

    def load_credentials(self) -> Any:
        return self.credentials


def _boto_session(*, region: str | None, credentials: Any) -> boto3.session.Session:
    core = botocore.session.Session()
    if credentials is not None:
        core.register_component("credential_provider", _InMemory(credentials=credentials))
    return boto3.session.Session(botocore_session=core, region_name=region)


def _make_client(
    boto: boto3.session.Session, service: str, *, endpoint_url: str | None, config: Config
) -> Any:
    try:
        client = boto.client(service, endpoint_url=endpoint_url, config=config)
    except BotoCoreError as error:
        raise from_botocore(error, service) from error
    client.meta.events.register("needs-retry", _give_way)
    client.meta.events.register("needs-retry", _give_up_hung)
    return client


def _give_way(caught_exception: Any = None, **_: Any) -> None:
    """Let a signal end a call. botocore takes whatever is raised while it reads an answer for a
    broken connection (HTTPClientError), and would ask again."""
    cause = getattr(caught_exception, "kwargs", {}).get("error")
    if isinstance(cause, FsdError):
        raise cause


def _give_up_hung(attempts: int, caught_exception: Any = None, **_: Any) -> None:
    """Let a call hang a few times and not as often as a call that fails at once is repeated: ten
    times half a minute of silence helps nobody."""
    if isinstance(caught_exception, ReadTimeoutError) and attempts >= HUNG_ATTEMPTS:
        raise caught_exception


def _config(attempts: int, region: str = "") -> Config:
    return Config(
        region_name=region or None,
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=5,
        read_timeout=READ_TIMEOUT,
        user_agent_extra=f"fsd/{__version__}",
    )


def _session_name(name: str) -> str:
    """Within STS's alphabet and length; it is what CloudTrail shows.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    return re.sub(r"[^\w+=,.@-]", "-", name, flags=re.ASCII)[:64].ljust(2, "-")


def _metadata(answer: dict[str, Any]) -> dict[str, str]:
    """What botocore's RefreshableCredentials wants of STS's answer."""
    credentials = answer["Credentials"]
    return {
        "access_key": credentials["AccessKeyId"],
        "secret_key": credentials["SecretAccessKey"],
        "token": credentials["SessionToken"],
        "expiry_time": credentials["Expiration"].isoformat(),
    }


def _retry_key_fetch(
    assume: Callable[[], dict[str, Any]], *, clock: Clock | None
) -> dict[str, Any]:
    """STS sometimes cannot fetch the issuer's keys, and says so as if the token were at fault.

    botocore retries IDPCommunicationError and 5xx by itself; a refusal is never retried.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
    """
    for pause in _KEY_FETCH_PAUSES:
        try:
            return assume()
        except CallFailedError as error:
            if not is_key_fetch_failure(_root(error)):
                raise
            if clock is not None:
                clock.wait(pause)
    return assume()


def is_key_fetch_failure(error: CallFailedError) -> bool:
    return aws_code(error) == "InvalidIdentityToken" and (
        "retrieve verification key" in aws_message(error)
    )


def _root(error: CallFailedError) -> CallFailedError:
    """The translated error below one of ours."""
    return error.__cause__ if isinstance(error.__cause__, CallFailedError) else error


def _token_refused(error: CallFailedError, role_arn: str, jwt: str) -> CallFailedError | None:
    """Say what the token claims, never the token. None where the token is not what is wrong."""
    claims = read_claims(jwt)
    said = " · ".join(f"{name} `{claims[name]}`" for name in _CLAIMS if name in claims)
    where = f"token: {said}" if said else "the token could not be read"
    match error.code:
        case ErrorCode.ACCESS_DENIED:
            return CallFailedError(
                f"{role_arn} does not trust this workflow ({error.what})",
                where=where,
                fix=_trust_line(claims),
                code=ErrorCode.ASSUME_ROLE_DENIED,
            )
        case ErrorCode.IDENTITY_TOKEN_REFUSED:
            return CallFailedError(
                f"AWS refuses the identity token for {role_arn} ({error.what})",
                where=where,
                fix=error.fix,
                code=ErrorCode.IDENTITY_TOKEN_REFUSED,
            )
        case _:
            return None


def _trust_line(claims: dict[str, str]) -> str:
    """The condition to add to the role's trust policy."""
    issuer = claims.get("iss", "").removeprefix("https://")
    issuer = issuer or "token.actions.githubusercontent.com"
    if "sub" not in claims:
        return f"add a condition on `{issuer}:sub` to the role's trust policy"
    return (
        'add to "StringLike" in the role\'s trust policy: '
        f'"{issuer}:sub": "{claims["sub"]}"  (with "{issuer}:aud": "{claims.get("aud", "")}")'
    )


def _chaining_denied(error: CallFailedError, role_arn: str) -> CallFailedError:
    return CallFailedError(
        f"{role_arn} may not be assumed ({error.what})",
        where=role_arn,
        fix="name the caller as a principal in the role's trust policy, and allow it "
        "`sts:AssumeRole` on the role",
        code=ErrorCode.ASSUME_ROLE_DENIED,
    )


def read_claims(jwt: str) -> dict[str, str]:
    """The claims of a JWT, unverified: only for showing what was refused. {} if unreadable."""
    try:
        part = jwt.split(".")[1]
        payload = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return {}
    return {k: str(v) for k, v in payload.items()} if isinstance(payload, dict) else {}
