"""Everything that ECS can answer by botocore's model: members missing, enum values yet unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
from hypothesis import strategies as st

UNKNOWN = "ADDED_NEXT_YEAR"
DEEPEST = 5  # answer, list, service, list, deployment
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone
WORDS = ("", "x", "web-dev", "arn:aws:ecs:us-east-1:123456789012:task-definition/web-dev:42")


@cache
def model() -> Any:
    return botocore.session.get_session().get_service_model("ecs")


@cache
def answers(operation: str) -> st.SearchStrategy[dict[str, Any]]:
    """What an operation can answer: `DescribeServices`."""
    return _of(model().operation_model(operation).output_shape, depth=0)


@cache
def shaped(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """A structure by its name in the model: `Service`."""
    return _of(model().shape_for(name), depth=2)


def _of(shape: Any, *, depth: int) -> st.SearchStrategy[Any]:
    """Not as deep as the model goes: nobody reads a tag of a volume of a deployment."""
    match shape.type_name:
        case "structure" if depth < DEEPEST:
            members = {n: _of(m, depth=depth + 1) for n, m in shape.members.items()}
            return st.fixed_dictionaries({}, optional=members)
        case "structure":
            return st.just({})
        case "list":
            return st.lists(_of(shape.member, depth=depth + 1), max_size=2)
        case "map":
            return st.just({})
        case "string":
            values = (*shape.enum, UNKNOWN) if shape.enum else WORDS
            return st.sampled_from(values)
        case "timestamp":
            return INSTANTS
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            return st.integers(0, 5)
        case "double" | "float":
            return st.floats(0, 100)
        case other:
            raise AssertionError(other)
