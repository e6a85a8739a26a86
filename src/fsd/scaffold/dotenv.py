"""The variables that a service is offered: what its code reads, and what its `.env.example` has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fsd.scaffold.folder import Folder
from fsd.scaffold.modules import SourceModules
from fsd.scaffold.variables import Variable, find_variables, is_offered

_EXAMPLE = re.compile(r"(?:.*/)?(?:\.?env|(?:example|sample)\.env|\.env\.\w+)[\w.-]*")
_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<value>.*)")
_MOST = 60


def offered_variables(
    folder: Folder, program: SourceModules, others: Iterable[Variable] = ()
) -> tuple[Variable, ...]:
    """By name. An example's value stands in for a default that the code does not have; `others`
    are read by something else than the code."""
    found = find_variables(program)
    for variable in others:
        found.setdefault(variable.name, variable)
    for variable in _examples(folder):
        read = found.get(variable.name)
        if read is None:
            found[variable.name] = variable
        elif read.default is None and variable.default is not None:
            found[variable.name] = Variable(
                name=read.name,
                where=read.where,
                default=variable.default,
                is_needed=read.is_needed,
                values=read.values,
            )
    ordered = sorted(found.values(), key=lambda each: (not each.is_needed, each.name))
    return tuple(ordered[:_MOST])


def _examples(folder: Folder) -> Iterator[Variable]:
    for path, text in folder.texts.items():
        if not _EXAMPLE.fullmatch(path) or path.endswith((".py", ".sh")):
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            match = _LINE.match(line.strip())
            if match and is_offered(match["name"]):
                value = _value(match["value"])
                yield Variable(name=match["name"], where=f"{path}:{number}", default=value or None)


def _value(text: str) -> str:
    """Without quotes, and without a comment behind it."""
    text = text.strip()
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    return re.split(r"\s+#", text)[0].strip()
