"""The gate of every request: botocore's model of ECS says which parameters there are.

Parameters that the model does not have are dropped, as AWS's JSON protocol does; missing ones and
wrong types are refused before an operation sees them.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate

from fsd_local.ecs.faults import ApiError, invalid
from fsd_local.ecs.model import Json


@functools.cache
def load_model() -> Any:
    """botocore's ServiceModel of ECS; read once a process, as it takes a tenth of a second."""
    loaded = botocore.loaders.Loader().load_service_model("ecs", "service-2")
    return botocore.model.ServiceModel(loaded, service_name="ecs")


class Contract:
    def __init__(self) -> None:
        self._model = load_model()
        self._validator = botocore.validate.ParamValidator()
        self._shapes: dict[str, Any] = {}

    def knows(self, action: str) -> bool:
        return action in self._model.operation_names

    def check(self, action: str, parameters: Json) -> Json:
        """A private copy of the parameters, as the operation's input shape has them."""
        if action not in self._shapes:
            self._shapes[action] = self._model.operation_model(action).input_shape
        shape = self._shapes[action]
        if shape is None:
            return {}
        cleaned: Json = _known(copy.deepcopy(parameters), shape)
        report = self._validator.validate(cleaned, shape)
        if report.has_errors():
            raise invalid(report.generate_report().replace("\n", "; "))
        _check_enums(cleaned, shape)
        return cleaned


def _known(value: Any, shape: Any) -> Any:
    """`value` without members that the shape lacks and without nulls; a document as it is."""
    if getattr(shape, "is_document_type", False):
        return value
    if shape.type_name == "structure" and isinstance(value, dict):
        return {
            name: _known(found, shape.members[name])
            for name, found in value.items()
            if name in shape.members and found is not None
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_known(found, shape.member) for found in value]
    return value


def _check_enums(value: Any, shape: Any) -> None:
    if getattr(shape, "is_document_type", False):
        return
    if shape.type_name == "structure":
        for name, found in value.items():
            _check_enums(found, shape.members[name])
    elif shape.type_name == "list":
        for found in value:
            _check_enums(found, shape.member)
    elif shape.type_name == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        raise _not_in_enum(value, shape.enum)


def _not_in_enum(value: str, allowed: list[str]) -> ApiError:
    return invalid(f"Invalid value {value!r}: must be one of {', '.join(sorted(allowed))}.")
