"""The patches of a Copilot manifest, which write into the task definition.

https://aws.github.io/copilot-cli/docs/developing/overrides/taskdef-overrides/
"""

from __future__ import annotations

import re
from copy import deepcopy

from fsd.importing.container import read_container
from fsd.importing.reader import Loss, Reader
from fsd.importing.task_definition import merged, read_task_fields, unwrap
from fsd.importing.values import Value, listed, mapping

_PART = re.compile(r"(?P<key>[A-Za-z]+)(?:\[(?P<index>\d{1,3}|-)\])?")
_LONGEST = 50  # members of a list
_OF_ANOTHER = "a patch of another container than the service's"


def read_overrides(reader: Reader) -> dict[str, Value]:
    """The task definition that the patches write, read as one of its own."""
    patched: dict[str, Value] = {}
    for each in reader.readers("taskdef_overrides"):
        value = deepcopy(each.take("value"))  # a later patch may add to it
        if not _patch(patched, each.text("path").split("."), value):
            each.taken.clear()
            each.lose("path", "it is no place in a task definition")
            each.ignore("value")
        each.finish()
    if not patched:
        return {}
    definition = unwrap({"ContainerDefinitions": [], **patched})
    containers = listed(definition.pop("containerDefinitions", None))
    at = reader.place("taskdef_overrides")
    for index, container in enumerate(containers[1:], 1):
        if container:
            where = f"{at}.containerDefinitions[{index}]"
            reader.losses.append(Loss(where=where, value="", reason=_OF_ANOTHER))
    main = Reader(mapping(containers[0]) if containers else {}, f"{at}.container", reader.losses)
    found = read_container(main, is_main=True)
    task = Reader(definition, at, reader.losses)
    fields = read_task_fields(task)
    task.finish()
    return merged(found, fields)


def _patch(tree: dict[str, Value], path: list[str], value: Value) -> bool:
    """`-` appends; what is not there yet is made. False for a path that means nothing."""
    node = tree
    for position, written in enumerate(path):
        part = _PART.fullmatch(written)
        if part is None:
            return False
        is_last = position == len(path) - 1
        if part["index"] is None:
            if is_last:
                node[part["key"]] = value
                return True
            node[part["key"]] = inner = mapping(node.get(part["key"]))
        else:
            members = node.setdefault(part["key"], [])
            if not isinstance(members, list):
                return False
            index = len(members) if part["index"] == "-" else int(part["index"])
            if index >= _LONGEST:
                return False
            members += [{} for _ in range(index + 1 - len(members))]
            if is_last:
                members[index] = value
                return True
            members[index] = inner = mapping(members[index])
        node = inner
    return False
