"""FSD takes an environment variable as the text that was written; other readers of YAML do not.

`no` is false to YAML 1.1, `1.10` is 1.1, `0777` is 511, `12:30` is 750. An editor, a template or
`yq` in a script then sees another value than the container.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.edit import Quote
from fsd.manifest.yaml_tree import read_scalar

_NUMBER = (
    r"[-+]?(?:0x[0-9a-fA-F_]+|0o[0-7]+|0b[01_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|[0-9][0-9_]*|[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?"
    r"|[0-9]+[eE][-+]?[0-9]+|\.(?:inf|Inf|INF|nan|NaN|NAN))"
)
_DATE = r"\d{4}-\d\d?-\d\d?(?:[Tt ].*)?"
_SHORT_BOOLEAN = frozenset("yYnN")


def check(subject: Subject) -> Iterator[Problem]:
    for name, value in subject.service.environment.items():
        scalar = subject.scalar("service", "environment", name)
        if scalar is None or not scalar.plain:
            continue
        other = _other_reading(scalar.text)
        if other:
            yield Problem(
                at=("service", "environment", name),
                message=f"FSD reads `{scalar.text}` as the text `{value}`, but other YAML parsers "
                f"read {other}",
                fix=f'put it in quotes: {name}: "{scalar.text}"',
                edit=Quote(at=("service", "environment", name)),
            )


def _other_reading(text: str) -> str:
    """What somebody else may see, or nothing where all agree on the text."""
    value = read_scalar(text)
    if isinstance(value, bool):
        return "" if text in ("true", "false") else f"the boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return "" if repr(value) == text else f"the number {value!r}"
    if text in _SHORT_BOOLEAN:
        return "a boolean"
    if re.fullmatch(_NUMBER, text):
        return "another number"
    return "a date" if re.fullmatch(_DATE, text) else ""
