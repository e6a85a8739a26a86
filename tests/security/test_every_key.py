"""Each text of each key of the language, replaced by hostile ones: refused, or not in the template.

The keys come from the table in `tests/unit/floor`, which a test keeps complete: a new key is tried
here from its first day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from fsd.compile.compile import compile_service
from fsd.compile.desired import JsonValue
from fsd.errors import ManifestError
from fsd.lint.run import lint
from fsd.manifest.finding import Severity
from fsd.manifest.load import load_manifest
from tests.builders import make_image, make_release, make_target
from tests.security.test_template_values import REFERENCES, roles, texts
from tests.unit.floor.rows import ROWS, Row
from tests.unit.floor.test_floor import document

Path = tuple[str | int, ...]
_OTHERS = (
    "$${aws:username}", "$${AWS::AccountId}", "$${*}", "a\nb", "a\x1b[31mb", "a\u202eb", "a\x00b",
    "'", '"', "\\", "../../x", "*", "a" * 5_000, "::error::x", "`id`", "$(id)",
    "arn:aws:iam::123456789012:role/x",
)  # fmt: skip
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # a tenth of the time
_HEAD = ("apiVersion", "kind")


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, bool]]:
    """(path, whether it is a key's name) of every text below, and of every name that is free."""
    match value:
        case dict():
            for key, item in value.items():
                yield from leaves(item, (*path, key))
                if isinstance(item, str) and path and path[-1] in ("environment", "tags", "args"):
                    yield (*path, key), True
        case list():
            for index, item in enumerate(value):
                yield from leaves(item, (*path, index))
        case str():
            yield path, False


def planted(tree: dict[str, Any], path: Path, *, is_name: bool, text: str) -> str:
    copy = deepcopy(tree)
    at: Any = copy
    for part in path[:-1]:
        at = at[part]
    if is_name:
        at[text] = at.pop(path[-1])
    else:
        at[path[-1]] = text
    return str(yaml.dump(copy, Dumper=_DUMPER, allow_unicode=True))


def check(text: str, where: str) -> None:
    loaded = load_manifest(text, path="service.yml", variables={"ENV": "dev"})
    found = [*loaded.findings, *lint(loaded, "dev")]
    if loaded.manifest is None or any(each.severity is Severity.ERROR for each in found):
        return
    try:
        desired = compile_service(
            loaded.manifest, target=make_target(), image=make_image(), release=make_release()
        )
    except ManifestError:
        return
    template: JsonValue = [desired.template, dict(desired.stack_tags)]
    assert [text for text in texts(template) if "{{" in text] == [], where
    assert [text for text in texts(roles(template)) if "${" in text] == [], where


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.kind}-{row.key}")
def test_key__hostile_text_in_it__refused_or_not_in_the_template(
    row: Row, count_inputs: Callable[[int], None]
) -> None:
    tree = yaml.safe_load(document(row.good, row.kind))
    places = [place for place in leaves(tree) if place[0][0] not in _HEAD]
    # Some of the references at each place: which, depends on the place.
    tried = [
        (path, is_name, value)
        for number, (path, is_name) in enumerate(places)
        for value in (*REFERENCES[number % 8 :: 8], *_OTHERS)
    ]
    count_inputs(len(tried))

    for path, is_name, value in tried:
        check(planted(tree, path, is_name=is_name, text=value), f"{path}: {value!r}")
