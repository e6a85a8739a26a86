"""What becomes of each member of each request: it acts, is refused, or is inert. Data, by service.

`acts` has the effect that AWS documents; `refused` is answered with an error; `inert` is accepted
(and shown, where AWS shows it) and has no effect. A test compares the tables with botocore's
models, and docs/local.md prints the last two.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.model

CLASSES = ("acts", "refused", "inert")

Classes = dict[str, dict[str, list[str]]]


@functools.cache
def load(service: str) -> Classes:
    """Class → shape → members, of a service by botocore's name for it."""
    loaded = _load(service)
    return {class_: loaded[class_] for class_ in CLASSES}


@functools.cache
def load_resource_types() -> dict[str, dict[str, Any]]:
    """CloudFormation type → class → paths of its properties; "replaces", those of which a change
    makes the resource again; "values", path → the closed list of what it takes."""
    return tomllib.loads((Path(__file__).parent / "cloudformation.toml").read_text())


def load_operations(service: str) -> frozenset[str]:
    """The operations that are served. Others are answered as an action that does not exist."""
    return frozenset(_load(service)["operations"])


@functools.cache
def _load(service: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / f"{service}.toml").read_text())


@functools.cache
def load_input(service: str, operation: str) -> Any:
    """botocore's shape of the operation's request; None where it takes nothing."""
    return _load_model(service).operation_model(operation).input_shape


@functools.cache
def _load_model(service: str) -> Any:
    loaded = botocore.loaders.Loader().load_service_model(service, "service-2")
    return botocore.model.ServiceModel(loaded, service_name=service)


def find_refused(service: str, operation: str, request: Mapping[str, Any]) -> str:
    """The first member of the request that is of the class `refused`; "" where there is none."""
    refused = load(service)["refused"]
    for shape, member in _given(load_input(service, operation), request):
        if member in refused.get(shape, ()):
            return member
    return ""


def _given(shape: Any, value: Any) -> Iterator[tuple[str, str]]:
    """(shape, member) of everything in a request."""
    if shape is None or value is None:
        return
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, found in value.items():
            if name in shape.members and found not in (None, [], {}):
                yield shape.name, name
                yield from _given(shape.members[name], found)
    elif shape.type_name == "list" and isinstance(value, Sequence):
        for found in value:
            yield from _given(shape.member, found)
