"""An editor with `fsd schema` and `fsd validate` accept the same manifests.

Where they may differ, and why:

- A text with a variable: the schema lets it pass, loading checks what it becomes. So what loading
  accepts the schema accepts, and not always the other way round.
- Whole numbers: to JSON Schema 8000.0 is one. Loading asks for one that is written as one.
- A dependency's type: the schema lists them, loading leaves an unknown one to the rule
  unknown-dependency-type. That rule's finding counts as a refusal here.
- Patterns: the schema's are read by Python here, to which `$` is also before a last line break, and
  `\\w` has some more characters than in pydantic-core. Neither is made here.
"""

from __future__ import annotations

import copy
import os
from typing import TypeAlias, cast

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fsd.lint.run import ALL_RULES, lint
from fsd.manifest.load import load_manifest
from fsd.manifest.models import Manifest
from fsd.manifest.schema import manifest_schema, places
from tests.unit.manifest.manifests import KAFKA_CONSUMER, SMALL, manifest

jsonschema = pytest.importorskip("jsonschema")

EXAMPLES = int(os.environ.get("FSD_EXAMPLES", "500"))
VALIDATOR = jsonschema.Draft202012Validator(manifest_schema())
TYPES = next(rule for rule in ALL_RULES if rule.id == "unknown-dependency-type")
Tree: TypeAlias = "str | int | float | bool | list[Tree] | dict[str, Tree] | None"

GOOD: list[Tree] = [
    yaml.safe_load(text)
    for text in (
        KAFKA_CONSUMER,
        SMALL,
        manifest(
            "deployment: {circuitBreaker: {threshold: 3}, alarms: [a], bakeTime: 5}\n"
            "command: [a]\nentryPoint: [b]\nimage: x\nplatform: ARM64\n"
            "environment: {A: 1, B: true, C: x, D: 1.5}"
        ),
    )
]
# Every key of the language, and some that are none.
KEYS = sorted({str(place[-1]) for place in places(Manifest)} | {"prot", "A-B", "1", "", "A", "é"})
TEXTS = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                "/",
                "/x",
                "a",
                "ab",
                "A_B",
                "@me",
                "@org/team",
                "ecs",
                "rolling",
                "X86_64",
                "ARM64",
            ),
            *(
                "application",
                "fsd/v1",
                "Service",
                "http://x",
                "arn:aws:acm:x",
                "no",
                "8000",
                "null",
            ),
            *(
                "aws_s3_bucket",
                "aws_nothing",
                "x" * 129,
                "/" + "x" * 1024,
                "a b",
                "a\nb",
                "é",
                "a$$b",
            ),
        ]
    ),
    st.text("ab-_/@:. 1", max_size=6),
)
NUMBERS = st.one_of(
    st.integers(-2, 12),
    st.sampled_from(
        [11, 99, 100, 101, 120, 121, 200, 201, 300, 301, 400, 401, 1440, 1441, 3600, 3601]
    ),
    st.sampled_from([5000, 5001, 65535, 65536, 86400, 86401, 2**31 - 1, 2**31, 10**17, 0.5, -1.5]),
)
VALUES: st.SearchStrategy[Tree] = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=5,
)


def paths(tree: Tree, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    below: list[tuple[str | int, ...]] = [path]
    if isinstance(tree, dict):
        below += [place for key, value in tree.items() for place in paths(value, (*path, key))]
    elif isinstance(tree, list):
        below += [place for at, value in enumerate(tree) for place in paths(value, (*path, at))]
    return below


@st.composite
def documents(draw: st.DrawFn) -> Tree:
    """A good manifest in which up to three values or keys are others, more or fewer."""
    tree = copy.deepcopy(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(paths(tree)))  # with the sections, not only their values
        if not path:
            continue
        parent = tree
        for part in path[:-1]:
            parent = cast("dict[str | int, Tree]", parent)[part]
        change(draw, cast("dict[str | int, Tree]", parent), path[-1])
    return tree


def change(draw: st.DrawFn, parent: dict[str | int, Tree], part: str | int) -> None:
    here = parent[part]
    match draw(st.sampled_from(["set", "set", "remove", "add"])):
        case "remove":
            del parent[part]
        case "add" if isinstance(here, dict):
            here[draw(st.sampled_from(KEYS))] = draw(VALUES)
        case "add" if isinstance(here, list):
            here.append(draw(VALUES))
        case _:
            alike = {int: NUMBERS, str: TEXTS}.get(type(here), VALUES)
            parent[part] = draw(st.one_of(alike, alike, alike, VALUES))


def loads(tree: Tree) -> bool:
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    loaded = load_manifest(text, path="service.yml")
    types = lint(loaded, None, rules=[TYPES])
    return loaded.manifest is not None and not types


@settings(max_examples=EXAMPLES, deadline=None)
@given(tree=documents())
def test_manifest_schema__any_document__accepted_where_loading_accepts_it(tree: Tree) -> None:
    assert VALIDATOR.is_valid(tree) == loads(tree)


@settings(max_examples=EXAMPLES, deadline=None)
@given(tree=documents(), text=st.sampled_from(["${ENV}", "a-${ENV}", "/${SERVICE}", "@${ENV}"]))
def test_manifest_schema__document_with_a_variable__accepted_if_loading_accepts_it(
    tree: Tree, text: str
) -> None:
    for place in (("metadata", "name"), ("metadata", "pack"), ("service", "image")):
        section = tree.get(place[0]) if isinstance(tree, dict) else None
        if isinstance(section, dict):
            section[place[1]] = text

    assert VALIDATOR.is_valid(tree) or not loads(tree)
