"""Run code in an account and a region: MiniStack scopes every store by both."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any, cast

from ministack.core import responses


def scope(account: str, region: str) -> AbstractContextManager[None]:
    return cast("AbstractContextManager[None]", responses.request_scope(account, region))


def current() -> tuple[str, str]:
    """(account, region) of the request that is being answered."""
    return str(responses.get_account_id()), str(responses.get_region())


def account_and_region(arn: str) -> tuple[str, str]:
    """The fields of an ARN; ("", "") where it is none."""
    parts = arn.split(":", 5)
    return (parts[4], parts[3]) if len(parts) == 6 else ("", "")


def find(store: Any, arn: str) -> Any:
    """A record of an account-and-region scoped store whose key is an ARN, from any scope."""
    account, region = account_and_region(arn)
    return store.get_scoped(account, region, arn)


def read_parameters(body: bytes) -> Any:
    """What a request of the JSON protocol asks, or the answer that refuses its body."""
    try:
        parameters = json.loads(body or b"{}")
    except ValueError:
        return json_error("SerializationException", "the body is not JSON")
    if not isinstance(parameters, dict):
        return json_error("SerializationException", "the body is no JSON object")
    return parameters


def json_error(code: str, message: str) -> Any:
    return responses.error_response_json(code, message, 400)


def json_answer(body: Any, status: int = 200) -> Any:
    return responses.json_response(body, status)
