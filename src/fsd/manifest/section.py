"""Sections of a file: frozen dataclasses that pydantic-core fills and checks.

A dataclass is the one description of a section: its keys, their types, limits, defaults and
meanings. The checks and the JSON Schema (`fsd.manifest.schema`) are made from it. pydantic's own
classes are not used: to import and build them takes longer than all else that `fsd validate` does,
see benchmarks/validate; its core, which does the checking, is the same.

Keys are snake_case here and camelCase in the file. Checks are strict: no key that is not known, and
no text where a number belongs.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from functools import cache, partial
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    overload,
)

from pydantic_core import SchemaValidator, core_schema

T = TypeVar("T")
Check: TypeAlias = core_schema.CoreSchema


# Maps whose values are text, however they look to YAML.
TEXT_MAPS = frozenset({"environment", "dockerLabels", "tags", "args", "dimensions", "options"})
_SCALARS: Mapping[object, str] = {
    str: "str",
    int: "int",
    bool: "bool",
    float: "float",
    object: "any",
}
NO_ALTERNATIVE = "no_alternative"  # a value that matches none of a union's types


class Limits(NamedTuple):
    """`Annotated[int, Limits(ge=1, le=65535)]`; lengths count characters or items."""

    ge: int | None = None
    gt: int | None = None
    le: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a section. `type` has its limits, as `Annotated`."""

    name: str
    written: str  # as in the file
    type: object
    description: str
    default: object  # MISSING where the key must be there
    examples: tuple[object, ...] = ()  # as written


@overload
def key(
    *, default: T, description: str, written: str = "", examples: tuple[object, ...] = ()
) -> T: ...
@overload
def key(
    *, description: str, written: str = "", examples: tuple[object, ...] = ()
) -> Any: ...  # as dataclasses.field
def key(
    *,
    default: object = MISSING,
    description: str,
    written: str = "",
    examples: tuple[object, ...] = (),
) -> object:
    """A key of a section; `written` is its spelling where that is not plain camelCase."""
    metadata = {"description": description, "written": written, "examples": examples}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(key,))
def section(cls: type[T]) -> type[T]:
    """Makes a class a section. Its module must not put off the evaluation of annotations."""
    cls.__doc__ = cls.__doc__ or cls.__name__  # else dataclass works the signature out, at a price
    # One function for all, where dataclass would compile each for each section: three quarters of
    # what it costs to import them.
    for name, method in _METHODS.items():
        setattr(cls, name, method)
    return dataclass(slots=True, kw_only=True, init=False, eq=False, repr=False)(cls)


def _init(self: object, **values: object) -> None:
    every: dict[str, Field[object]] = vars(type(self))["__dataclass_fields__"]
    if unknown := values.keys() - every.keys():
        raise TypeError(f"{type(self).__name__} has no key {', '.join(sorted(unknown))}")
    for name, item in every.items():
        value = values[name] if name in values else _default(item)
        if value is MISSING:
            raise TypeError(f"{type(self).__name__} needs the key {name}")
        object.__setattr__(self, name, value)


def _refuse_to_set(self: object, name: str, value: object = None) -> None:
    del value
    raise FrozenInstanceError(f"cannot change {name} of a {type(self).__name__}")


def _reduce(self: object) -> tuple[object, tuple[object, ...]]:
    """For copy and pickle, which would set the keys one by one."""
    return partial(type(self), **_values(self)), ()


def _values(item: object) -> dict[str, object]:
    return {key: getattr(item, key) for key in getattr(item, "__dataclass_fields__", {})}


def _is_equal(one: object, two: object) -> bool:
    return _values(one) == _values(two) if type(one) is type(two) else NotImplemented


def _hash(item: object) -> int:
    return hash(tuple(_values(item).values()))


def _repr(item: object) -> str:
    values = ", ".join(f"{name}={value!r}" for name, value in _values(item).items())
    return f"{type(item).__name__}({values})"


_METHODS = {
    "__init__": _init,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_set,
    "__eq__": _is_equal,
    "__hash__": _hash,
    "__repr__": _repr,
    "__reduce__": _reduce,
}


def is_section(type_: object) -> bool:
    return isinstance(type_, type) and "__dataclass_fields__" in vars(type_)


def keys(cls: type) -> Iterator[Key]:
    for item in fields(cls):
        yield Key(
            name=item.name,
            written=item.metadata["written"] or _camel_case(item.name),
            type=item.type,
            description=item.metadata["description"],
            default=_default(item),
            examples=item.metadata["examples"],
        )


def _default(item: Field[object]) -> object:
    return item.default if item.default_factory is MISSING else item.default_factory()


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def fill(cls: type[T], plain: object, *, by_name: bool = False) -> T:
    """The section with what is in a dict, whose lists are tuples.

    Raises pydantic_core's ValidationError with all that is wrong. With `by_name`, keys in
    snake_case are taken too.
    """
    filled: T = _validator(cast(type, cls)).validate_python(plain, by_alias=True, by_name=by_name)
    return filled


@cache
def _validator(cls: type) -> SchemaValidator:
    return SchemaValidator(_section(cls))


def unwrap(type_: object) -> tuple[object, Limits]:
    """A type and its limits."""
    if get_origin(type_) is Annotated:
        inner, limits = get_args(type_)
        return inner, limits
    return type_, Limits()


def alternatives(type_: object) -> tuple[tuple[object, ...], bool]:
    """The types of a union, and whether null is among them."""
    if get_origin(type_) not in (Union, types.UnionType):
        return (type_,), False
    every = get_args(type_)
    real = tuple(item for item in every if item is not type(None))
    return real, len(real) < len(every)


def _check(type_: object) -> Check:
    choices, nullable = alternatives(type_)
    check = _one(choices[0])
    if len(choices) > 1:
        # One error for all of it: of each alternative's, every one would be half of the truth.
        check = core_schema.union_schema(
            [_one(choice) for choice in choices],
            custom_error_type=NO_ALTERNATIVE,
            custom_error_message="of no alternative's type",
        )
    return {"type": "nullable", "schema": check} if nullable else check


def _one(annotated: object) -> Check:
    type_, limits = unwrap(annotated)
    arguments = get_args(type_)
    match get_origin(type_):
        case origin if origin is Literal:
            return core_schema.literal_schema(list(arguments))
        case origin if origin is tuple:
            return core_schema.tuple_schema(
                [_check(arguments[0])],
                variadic_item_index=0,
                strict=True,
                min_length=limits.min_length,
                max_length=limits.max_length,
            )
        case origin if origin is dict:
            return core_schema.dict_schema(_check(arguments[0]), _check(arguments[1]), strict=True)
    return (
        _section(type_) if isinstance(type_, type) and is_section(type_) else _scalar(type_, limits)
    )


def _scalar(type_: object, limits: Limits) -> Check:
    kind = _SCALARS.get(type_)
    if kind is None:
        raise TypeError(f"no check for {type_}")
    # As pydantic-core's own functions make it of fourteen arguments each, at twice the price.
    given = {
        name: limit for name, limit in zip(Limits._fields, limits, strict=True) if limit is not None
    }
    return cast(
        Check, {"type": kind, **given} if kind == "any" else {"type": kind, "strict": True, **given}
    )


def _section(cls: type) -> Check:
    every = tuple(keys(cls))
    arguments = core_schema.dataclass_args_schema(
        cls.__name__, [_field(item) for item in every], extra_behavior="forbid"
    )
    return core_schema.dataclass_schema(
        cls, arguments, [item.name for item in every], slots=True, frozen=True
    )


def _field(item: Key) -> core_schema.DataclassField:
    return {
        "type": "dataclass-field",
        "name": item.name,
        "schema": _with_default(item),
        "kw_only": True,
        "validation_alias": item.written,
    }


def _with_default(item: Key) -> Check:
    check = _check(item.type)
    if item.default is MISSING:
        return check
    if isinstance(item.default, dict):
        return {"type": "default", "schema": check, "default_factory": dict}
    return {"type": "default", "schema": check, "default": item.default}
