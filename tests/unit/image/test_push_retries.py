from __future__ import annotations

from datetime import timedelta

import pytest

from fsd.errors import CallFailedError, ErrorCode
from fsd.image.docker import push_failed
from fsd.image.push_retries import PAUSES, PushRetries, is_passing

# What engines and registries have said, from public reports; hosts and digests replaced.
PASSING = [
    "received unexpected HTTP status: 503 Service Unavailable",
    "received unexpected HTTP status: 500 Internal Server Error",
    "unexpected status from PUT request to https://1.dkr.ecr/v2/x/manifests/y: 502 Bad Gateway",
    "toomanyrequests: Rate exceeded",
    "denoted: 429 Too Many Requests",
    "unknown: Rate exceeded",
    "EOF",
    'Put "https://1.dkr.ecr.us-east-1.amazonaws.com/v2/x/manifests/y": EOF',
    "unexpected EOF",
    "write tcp 10.0.0.1:4->10.0.0.2:443: write: broken pipe",
    "read tcp 10.0.0.1:4->10.0.0.2:443: read: connection reset by peer",
    "net/http: TLS handshake timeout",
    "dial tcp 10.0.0.2:443: i/o timeout",
    "dial tcp: lookup x on 127.0.0.53:53: server misbehaving",
    "dial tcp: lookup x: Temporary failure in name resolution",
    "dial tcp 10.0.0.2:443: connect: connection refused",
    "net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
    "context deadline exceeded",
    "http2: stream error: stream ID 3; INTERNAL_ERROR",
    "use of closed network connection",
    "the registry answered 503 to tag content-1: slow down",
]
LASTING = [
    "denied: User: arn:aws:sts::1:assumed-role/x is not authorized to perform: ecr:PutImage",
    "no basic auth credentials",
    "unauthorized: authentication required",
    "received unexpected HTTP status: 403 Forbidden",
    "tag invalid: The image tag 'x' already exists in the 'y' repository and cannot be overwritten "
    "because the tag is immutable.",
    "name unknown: The repository with name 'x' does not exist in the registry",
    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    "the registry answered 400 to upload sha256:5035035035035035: DIGEST_INVALID",
    "the registry answered 404 to tag x:500/y: MANIFEST_BLOB_UNKNOWN",
    "the engine named no digest",
    "denied: 503 of your 500 requests",
]


def failed(said: str) -> CallFailedError:
    return push_failed(said, reference="registry/x:1")


class Push:
    """Fails as it is told, and then succeeds."""

    def __init__(self, *errors: CallFailedError) -> None:
        self.errors = list(errors)
        self.attempts = 0

    def __call__(self) -> str:
        self.attempts += 1
        if self.errors:
            raise self.errors.pop(0)
        return "sha256:done"


@pytest.mark.parametrize("said", PASSING)
def test_push_retries__trouble_that_passes__tried_again(said: str) -> None:
    waits: list[timedelta] = []
    push = Push(failed(said), failed(said))

    done = PushRetries(wait=waits.append, jitter=lambda: 1.0)(push)

    assert (done, push.attempts, waits) == ("sha256:done", 3, list(PAUSES[:2]))


@pytest.mark.parametrize("said", LASTING)
def test_push_retries__trouble_that_stays__said_at_once(said: str) -> None:
    waits: list[timedelta] = []
    push = Push(failed(said))

    with pytest.raises(CallFailedError):
        PushRetries(wait=waits.append)(push)

    assert (push.attempts, waits, is_passing(said)) == (1, [], False)


def test_push_retries__another_kind_of_error__not_repeated() -> None:
    push = Push(CallFailedError("503", where="x", fix="", code=ErrorCode.BUILD_FAILED))

    with pytest.raises(CallFailedError):
        PushRetries(wait=lambda _: None)(push)

    assert push.attempts == 1


def test_push_retries__trouble_without_end__bounded_and_told() -> None:
    waits: list[timedelta] = []
    lines: list[str] = []
    push = Push(*(failed("EOF") for _ in range(99)))

    with pytest.raises(CallFailedError, match="EOF"):
        PushRetries(wait=waits.append, jitter=lambda: 0.0, on_line=lines.append)(push)

    assert push.attempts == len(PAUSES) + 1
    assert sum(waits, timedelta()) == sum(PAUSES, timedelta()) / 2
    assert lines[0] == "docker push: EOF; trying again in 0.5 s"
