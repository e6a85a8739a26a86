"""How a resource of a stack becomes calls of a control plane of ours, and a refusal a stack's.

The properties have the API's names with other capitals, and may be text where the API has a number:
CloudFormation converts what a parameter gave.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import botocore.loaders
import botocore.model

from fsd_local.patches.scope import current

Json = dict[str, Any]

_TRUTH = {"true": True, "false": False}


class Api(Protocol):
    """A control plane: (HTTP status, body) of one call."""

    def handle(
        self, action: str, parameters: dict[str, Any], *, account: str, region: str
    ) -> tuple[int, dict[str, Any]]: ...


Refuse = Callable[[str, str, Json], str]  # (service, action, parameters) → why not, or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """A control plane as the handlers of its resources call it: in the account and Region of the
    stack, with the permissions of whoever the stack's operation acts for."""

    api: Api
    service: str  # as IAM names it
    title: str  # as the handlers do
    refuse: Refuse

    def call(self, action: str, parameters: Json) -> Json:
        """Raises ValueError in the words of the handlers."""
        denied = self.refuse(self.service, action, parameters)
        if denied:
            fail(self._said(denied, 403, "AccessDeniedException"), "AccessDenied")
        account, region = current()
        status, body = self.api.handle(action, parameters, account=account, region=region)
        if status >= 400:
            code = str(body.get("__type", "")).rpartition("#")[2]
            message = f"Invalid request provided: {action} error: {body.get('message', '')}"
            fail(self._said(message, status, code), "InvalidRequest")
        return body

    def _said(self, message: str, status: int, code: str) -> str:
        return (
            f"{message} (Service: {self.title}, Status Code: {status}, Error Code: {code}, "
            f"Request ID: {uuid.uuid4()})"
        )


def fail(message: str, code: str) -> NoReturn:
    """Raises ValueError, which MiniStack makes the reason of the resource's failure."""
    raise ValueError(
        f'Resource handler returned message: "{message}" (RequestToken: {uuid.uuid4()}, '
        f"HandlerErrorCode: {code})"
    )


@functools.cache
def input_shape(service: str, operation: str) -> Any:
    """botocore's shape of an operation's request."""
    loaded = botocore.loaders.Loader().load_service_model(service, "service-2")
    model = botocore.model.ServiceModel(loaded, service_name=service)
    return model.operation_model(operation).input_shape


def to_request(logical_id: str, properties: Mapping[str, Any], shape: Any) -> Json:
    """Raises ValueError where the type has no such property."""
    try:
        request: Json = _convert(properties, shape, "#")
    except _ExtraneousKeyError as error:
        raise ValueError(
            f"Properties validation failed for resource {logical_id} with message:\n[{error}]"
        ) from error
    return request


class _ExtraneousKeyError(Exception):
    pass


def _convert(value: Any, shape: Any, path: str) -> Any:
    if getattr(shape, "is_document_type", False):
        return value
    match shape.type_name, value:
        case "structure", Mapping():
            members = {name.lower(): name for name in shape.members}
            return dict(_member(item, shape, members, path) for item in value.items())
        case "list", list():
            return [
                _convert(one, shape.member, f"{path}/{number}") for number, one in enumerate(value)
            ]
        case "map", Mapping():
            return {key: _convert(one, shape.value, path) for key, one in value.items()}
        case _:
            return _scalar(value, shape.type_name)


def _member(
    item: tuple[str, Any], shape: Any, members: Mapping[str, str], path: str
) -> tuple[str, Any]:
    key, value = item
    name = members.get(key.lower())
    if name is None:
        raise _ExtraneousKeyError(f"{path}: extraneous key [{key}] is not permitted")
    return name, _convert(value, shape.members[name], f"{path}/{key}")


def _scalar(value: Any, kind: str) -> Any:
    """As the API has it; what cannot be converted is left for the API to refuse."""
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    if kind == "string" and isinstance(value, int | float):
        return str(value)
    if kind == "boolean" and isinstance(value, str):
        return _TRUTH.get(value.lower(), value)
    if kind in ("integer", "long") and isinstance(value, str) and value.strip("-").isdigit():
        return int(value)
    if kind in ("double", "float") and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
