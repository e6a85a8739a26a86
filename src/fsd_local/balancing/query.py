"""The parameters of AWS's Query protocol, nested and typed as botocore's model has them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import botocore.loaders
import botocore.model

from fsd_local.balancing.faults import not_valid

Json: TypeAlias = dict[str, Any]
_UNICODE_CLASS = r"\p"  # of Java's expressions, which Python's have not: the pattern of a tag
_INDEX = re.compile(r"member\.(\d+)(?:\.|$)")


@functools.cache
def load_model() -> Any:
    """botocore's ServiceModel of Elastic Load Balancing v2."""
    loaded = botocore.loaders.Loader().load_service_model("elbv2", "service-2")
    return botocore.model.ServiceModel(loaded, service_name="elbv2")


def load_request(action: str, flat: Mapping[str, str]) -> Json:
    """Raises BalancingFault for a value outside the model's enumerations and limits."""
    found = parse_request(action, flat)
    shape = load_model().operation_model(action).input_shape
    for path, value, inner in _scalars(shape, found, ""):
        _check(path, value, inner)
    return found


def parse_request(action: str, flat: Mapping[str, str]) -> Json:
    """Without looking at the values."""
    shape = load_model().operation_model(action).input_shape
    return dict(_load(shape, flat)) if shape is not None else {}


def _load(shape: Any, flat: Mapping[str, str]) -> Any:
    if shape.type_name == "structure":
        members = ((name, inner, _below(flat, name)) for name, inner in shape.members.items())
        return {name: _load(inner, below) for name, inner, below in members if below}
    if shape.type_name == "list":
        numbers = {int(m.group(1)) for key in flat if (m := _INDEX.match(key))}
        return [_load(shape.member, _below(flat, f"member.{n}")) for n in sorted(numbers)]
    return _scalar(shape, flat.get("", ""))


def _below(flat: Mapping[str, str], name: str) -> dict[str, str]:
    return {
        key[len(name) :].lstrip("."): value
        for key, value in flat.items()
        if key == name or key.startswith(f"{name}.")
    }


def _scalar(shape: Any, text: str) -> Any:
    if shape.type_name in {"integer", "long"}:
        return int(text) if re.fullmatch(r"-?\d+", text) else text
    if shape.type_name == "boolean":
        return text.lower() == "true"
    return text


def _scalars(shape: Any, value: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if shape is None:
        return
    if shape.type_name == "structure":
        for name, found in value.items():
            inner = f"{path}.{_camel(name)}" if path else _camel(name)
            yield from _scalars(shape.members[name], found, inner)
    elif shape.type_name == "list":
        for number, found in enumerate(value, 1):
            yield from _scalars(shape.member, found, f"{path}.{number}.member")
    else:
        yield path, value, shape


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _check(path: str, value: Any, shape: Any) -> None:
    problem = _problem(value, shape)
    if problem:
        raise not_valid(
            f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy "
            f"constraint: Member must {problem}"
        )


def _problem(value: Any, shape: Any) -> str:
    limits: Mapping[str, Any] = shape.metadata
    if shape.type_name in {"integer", "long"}:
        if not isinstance(value, int):
            return "be an integer"
        if value < limits.get("min", value):
            return f"have value greater than or equal to {limits['min']}"
        if value > limits.get("max", value):
            return f"have value less than or equal to {limits['max']}"
    enumeration: Sequence[str] = limits.get("enum", ())
    if enumeration and value not in enumeration:
        return f"satisfy enum value set: [{', '.join(enumeration)}]"
    if shape.type_name == "string" and len(value) > limits.get("max", len(value)):
        return f"have length less than or equal to {limits['max']}"
    pattern = limits.get("pattern", "")
    if pattern and _UNICODE_CLASS not in pattern and not re.fullmatch(pattern, value):
        return f"satisfy regular expression pattern: {pattern}"
    return ""
