"""The identity token against an issuer that signs, fails and redirects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fsd.errors import CallFailedError
from fsd.github.oidc import IdTokens, _read_value, find_id_tokens
from tests.fakes.clock import FakeClock
from tests.fakes.oidc import REQUEST_TOKEN, Issuer, serve_issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serve_issuer() as state:
        yield state


def make_tokens(issuer: Issuer) -> tuple[IdTokens, list[str]]:
    masked: list[str] = []
    tokens = IdTokens(
        url=issuer.request_url,
        request_token=REQUEST_TOKEN,
        mask=masked.append,
        clock=FakeClock(),
    )
    return tokens, masked


def test_id_tokens__called__a_signed_token_for_sts_that_is_masked(issuer: Issuer) -> None:
    tokens, masked = make_tokens(issuer)

    token = tokens()

    assert issuer.verify(token)["aud"] == "sts.amazonaws.com"
    assert masked == [token]


def test_id_tokens__called_again__asks_again(issuer: Issuer) -> None:
    tokens, _ = make_tokens(issuer)

    tokens()
    tokens()

    assert len(issuer.tokens) == 2


def test_id_tokens__failing_for_a_while__is_tried_again(issuer: Issuer) -> None:
    issuer.fail(503, 429, 500)
    tokens, _ = make_tokens(issuer)

    assert tokens() == issuer.tokens[0]


def test_id_tokens__failing_on__gives_up_with_the_last_answer(issuer: Issuer) -> None:
    issuer.fail(503, 503, 503, 502)
    tokens, _ = make_tokens(issuer)

    with pytest.raises(CallFailedError, match="HTTP 502"):
        tokens()


def test_id_tokens__refused__is_not_tried_again(issuer: Issuer) -> None:
    issuer.fail(403, 500)
    tokens, _ = make_tokens(issuer)

    with pytest.raises(CallFailedError, match="HTTP 403"):
        tokens()

    assert issuer.failures == [500]


def test_id_tokens__redirected__does_not_take_the_bearer_there(issuer: Issuer) -> None:
    with serve_issuer() as other:
        issuer.redirect_to = other.request_url
        tokens, _ = make_tokens(issuer)

        with pytest.raises(CallFailedError, match="HTTP 302"):
            tokens()

        assert other.tokens == []


def test_id_tokens__error__has_neither_the_token_nor_its_request_token(issuer: Issuer) -> None:
    tokens, _ = make_tokens(issuer)

    with pytest.raises(CallFailedError) as caught:
        replace(tokens, request_token="wrong-request-token")()

    assert "wrong-request-token" not in str(caught.value)
    assert REQUEST_TOKEN not in repr(tokens)


def test_id_tokens__nobody_answers__waits_between_tries() -> None:
    with serve_issuer() as gone:
        tokens, _ = make_tokens(gone)
    clock = FakeClock()

    with pytest.raises(CallFailedError):
        replace(tokens, clock=clock)()

    assert [wait.total_seconds() for wait in clock.waits] == [1, 2, 4]


def test_find_id_tokens__job_without_the_permission__none() -> None:
    masked: list[str] = []

    assert find_id_tokens({}, mask=masked.append, clock=FakeClock()) is None
    assert masked == []


def test_find_id_tokens__job_with_it__masks_the_request_token(issuer: Issuer) -> None:
    environ = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": issuer.request_url,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
    }
    masked: list[str] = []

    found = find_id_tokens(environ, mask=masked.append, clock=FakeClock())

    assert found is not None
    assert masked == [REQUEST_TOKEN]


@pytest.mark.parametrize(
    "url",
    ["not a url", "http://[::1", "file:///etc/passwd", "ftp://x/y", "http://a b/", "HTTP:", "\0"],
)
def test_id_tokens__address_that_is_none__a_clear_error_and_nothing_opened(url: str) -> None:
    tokens = IdTokens(url=url, request_token=REQUEST_TOKEN, mask=lambda _: None, clock=FakeClock())

    with pytest.raises(CallFailedError) as caught:
        tokens()

    assert caught.value.code == "identity-token-failed"


def test_read_value__json_that_is_very_deep__a_clear_error() -> None:
    with pytest.raises(CallFailedError, match="not JSON"):
        _read_value(b"[" * 60_000)
