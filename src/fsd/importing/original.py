"""What a source says of its service, in AWS's own words: one side of `fsd import --check`.

The readers here do not share code with those that import: what both read wrong in the same way
would be found by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping

from fsd.importing.reader import Reader, is_empty, without_empty
from fsd.importing.values import Value, listed, mapping, text_of

NOT_THERE = "no field of a task definition, a service or its load balancer says it"
OTHERWISE = "FSD says it with other resources or containers, which are not compared"


def pairs(values: Mapping[str, str], key: str) -> list[Value]:
    return [{"name": name, key: value} for name, value in values.items()]


def task(container: dict[str, Value], more: dict[str, Value], *others: Value) -> dict[str, Value]:
    """Without what the source does not say."""
    containers: list[Value] = [without_empty(container)]
    containers += [without_empty(mapping(each)) for each in others]
    return {**without_empty(more), "containerDefinitions": containers}


def said(values: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in values.items() if not is_empty(value)}


def ulimit(name: str, soft: Value, hard: Value) -> Value:
    return {"name": name, "softLimit": soft, "hardLimit": hard}


def text_pairs(reader: Reader, key: str, value_key: str) -> dict[str, str]:
    """A list of `{name: …, value: …}`."""
    return {
        text_of(mapping(each).get("name")): text_of(mapping(each).get(value_key))
        for each in listed(reader.take(key))
    }
