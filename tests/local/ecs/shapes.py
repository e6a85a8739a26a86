"""Checks answers and errors against botocore's own model of ECS, strictly."""

from __future__ import annotations

from typing import Any

from fsd_local.ecs.contract import load_model

_SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "double": (int, float),
    "float": (int, float),
    "timestamp": (int, float),  # epoch seconds, as the JSON protocol has them
}


class Shapes:
    def __init__(self) -> None:
        self._model = load_model()
        self._errors = {shape.error_code for shape in self._model.error_shapes}
        self.answered: set[str] = set()

    def check_answer(self, action: str, body: dict[str, Any]) -> None:
        self.answered.add(action)
        shape = self._model.operation_model(action).output_shape
        problems = list(_problems(body, shape, action)) if shape is not None else []
        assert problems == []

    def check_error(self, status: int, body: dict[str, Any]) -> None:
        assert status == 400
        assert set(body) == {"__type", "message"}
        assert body["__type"] in self._errors
        assert body["message"]


def _problems(value: Any, shape: Any, where: str) -> list[str]:
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return []  # any JSON
    if kind == "structure":
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is not a structure"]
        unknown = [f"{where}.{name}: no such member" for name in value if name not in shape.members]
        return unknown + [
            problem
            for name, found in value.items()
            if name in shape.members
            for problem in _problems(found, shape.members[name], f"{where}.{name}")
        ]
    if kind == "list":
        if not isinstance(value, list):
            return [f"{where}: {value!r} is not a list"]
        return [
            problem
            for index, found in enumerate(value)
            for problem in _problems(found, shape.member, f"{where}[{index}]")
        ]
    if kind == "map":
        return [] if isinstance(value, dict) else [f"{where}: {value!r} is not a map"]
    return _scalar_problems(value, shape, where)


def _scalar_problems(value: Any, shape: Any, where: str) -> list[str]:
    allowed = _SCALARS[shape.type_name]
    is_bool_for_number = isinstance(value, bool) and bool not in allowed
    if not isinstance(value, allowed) or is_bool_for_number:
        return [f"{where}: {value!r} is not a {shape.type_name}"]
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        return [f"{where}: {value!r} is not one of {enum}"]
    return []
