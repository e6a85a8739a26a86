"""A tree as a model: what was read, typed and checked."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

from pydantic_core import ValidationError

from fsd.manifest.finding import MOST, Finding, with_the_rest
from fsd.manifest.key_path import KeyPath
from fsd.manifest.section import TEXT_MAPS, fill
from fsd.manifest.yaml_tree import Branch, Items, Node, Scalar, Value

ModelT = TypeVar("ModelT")
Plain: TypeAlias = "Value | dict[str, Plain] | tuple[Plain, ...]"


def check(model: type[ModelT], tree: Node) -> tuple[ModelT | None, tuple[Finding, ...]]:
    """The model, or what is wrong; keys count only in the file's spelling."""
    try:
        return validate(model, tree), ()
    except ValidationError as error:
        from fsd.manifest.check_messages import findings_of  # only for what is wrong

        details = error.errors(include_url=False, include_context=False, include_input=False)
        found = findings_of(details[:MOST], model=model, tree=tree)
        return None, with_the_rest(found, len(details) - len(found))


def validate(model: type[ModelT], tree: Node) -> ModelT:
    """Raises pydantic_core's ValidationError."""
    return fill(model, to_plain(tree))


def to_plain(node: Node, *, path: KeyPath = ()) -> Plain:
    """Python's values: lists become tuples, which is what the strict models take."""
    match node:
        case Branch(entries=entries):
            return {key: to_plain(entry.value, path=(*path, key)) for key, entry in entries.items()}
        case Items(items=items):
            return tuple(to_plain(item, path=(*path, index)) for index, item in enumerate(items))
        case Scalar(value=value, text=text):
            is_text = _is_in_text_map(path) and value is not None and not isinstance(value, str)
            return text if is_text else value


def _is_in_text_map(path: KeyPath) -> bool:
    return len(path) > 2 and path[0] == "service" and path[-2] in TEXT_MAPS
