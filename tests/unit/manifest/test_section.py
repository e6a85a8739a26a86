# Annotations are read when a section is made: they cannot be put off here.
import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Annotated, Any, Literal

import pytest
from pydantic_core import ValidationError

from fsd.manifest.section import Limits, fill, key, keys, section


@section
class Inner:
    size: Annotated[int, Limits(ge=1)] = key(default=1, description="How many.")


@section
class Outer:
    some_name: str = key(description="Its name.")
    kind: Literal["a", "b"] = key(default="a", description="One of two.")
    inner_part: Inner | None = key(default=None, description="A part.")
    labels: dict[str, str] = key(default={}, description="Texts.")
    several: tuple[Inner, ...] = key(default=(), description="Parts.")
    aws_URL: str | None = key(default=None, written="awsURL", description="A URL.")


def errors(plain: object) -> list[tuple[str, tuple[str | int, ...]]]:
    with pytest.raises(ValidationError) as caught:
        fill(Outer, plain)
    return [(error["type"], tuple(error["loc"])) for error in json.loads(caught.value.json())]


def test_fill__camel_case__the_section_with_its_defaults() -> None:
    found = fill(Outer, {"someName": "x", "innerPart": {"size": 2}, "several": ({},)})

    assert found == Outer(some_name="x", inner_part=Inner(size=2), several=(Inner(),))


def test_fill__default_map__not_shared() -> None:
    first, second = fill(Outer, {"someName": "x"}), fill(Outer, {"someName": "x"})

    assert first.labels == {}
    assert first.labels is not second.labels


def test_fill__snake_case__only_where_it_is_asked_for() -> None:
    assert fill(Outer, {"some_name": "x"}, by_name=True) == Outer(some_name="x")
    assert errors({"some_name": "x"}) == [
        ("missing", ("someName",)),
        ("unexpected_keyword_argument", ("some_name",)),
    ]


def test_fill__several_faults__all_of_them_each_at_its_path() -> None:
    plain = {"someName": 1, "kind": "c", "several": ({"size": 0}, {"size": True})}

    assert errors(plain) == [
        ("string_type", ("someName",)),
        ("literal_error", ("kind",)),
        (
            "greater_than_equal",
            (
                "several",
                0,
                "size",
            ),
        ),
        (
            "int_type",
            (
                "several",
                1,
                "size",
            ),
        ),
    ]


def test_keys__section__as_they_are_written() -> None:
    written = [item.written for item in keys(Outer)]

    assert written == ["someName", "kind", "innerPart", "labels", "several", "awsURL"]


def test_section__values__compared_hashed_and_shown() -> None:
    one, same, other = Inner(size=2), Inner(size=2), Inner()

    assert (one == same, one == other) == (True, False)
    assert len({one, same, other}) == 2
    assert repr(one) == "Inner(size=2)"


@pytest.mark.parametrize("change", [lambda x: setattr(x, "size", 3), lambda x: delattr(x, "size")])
def test_section__a_key_changed__refused(change: Callable[[Inner], None]) -> None:
    inner = Inner(size=2)

    with pytest.raises(FrozenInstanceError, match="cannot change size of a Inner"):
        change(inner)
    assert replace(inner, size=3) == Inner(size=3)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "Outer needs the key some_name"),
        ({"some_name": "x", "more": 1, "any": 2}, "Outer has no key any, more"),
    ],
)
def test_section__wrong_keys__refused_with_their_names(values: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        Outer(**values)


def test_section__copied_and_pickled__equal() -> None:
    outer = Outer(some_name="x", several=(Inner(size=2),))

    assert copy.deepcopy(outer) == pickle.loads(pickle.dumps(outer)) == outer
