"""Edits of a YAML text: what was meant changes, and nothing else in the file does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fsd.manifest.edit import AddItems, Edit, Quote, SetValue
from fsd.manifest.rewrite import UnsafeEditError, rewrite

EXAMPLES = int(os.environ.get("FSD_EXAMPLES", "300"))
RETENTION = SetValue(at=("logs", "retention"), value=30)
FLAG = SetValue(at=("env", "FLAG"), value="true")
INTERNAL = SetValue(at=("lb", "internal"), value=True)
LIST = AddItems(at=("p",), items=("s3:ListBucket",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    edit: Edit
    before: str
    after: str


CASES = {
    "replaced, comment kept": Case(
        edit=RETENTION,
        before="logs:\n    retention:   45   # days\nb: 1\n",
        after="logs:\n    retention:   30   # days\nb: 1\n",
    ),
    "replaced in flow style": Case(
        edit=INTERNAL,
        before="lb: { internal: false, x: 1 }\n",
        after="lb: { internal: true, x: 1 }\n",
    ),
    "replaced in its quotes": Case(
        edit=FLAG, before="env:\n  FLAG: 'no'\n", after="env:\n  FLAG: 'true'\n"
    ),
    "text that was plain gets quotes": Case(
        edit=FLAG, before="env:\n  FLAG: false\n", after='env:\n  FLAG: "true"\n'
    ),
    "the file's usual quotes": Case(
        edit=FLAG,
        before="env:\n  A: 'x'\n  FLAG: false\n",
        after="env:\n  A: 'x'\n  FLAG: 'true'\n",
    ),
    "new key behind the last, before the comments below": Case(
        edit=RETENTION,
        before="logs:\n    enabled: true  # on\n\n# next\nb: 1\n",
        after="logs:\n    enabled: true  # on\n    retention: 30\n\n# next\nb: 1\n",
    ),
    "new key, no line end at the end": Case(
        edit=RETENTION,
        before="logs:\n  enabled: true",
        after="logs:\n  enabled: true\n  retention: 30",
    ),
    "new key, CRLF and a byte order mark": Case(
        edit=RETENTION,
        before="\ufefflogs:\r\n  enabled: true\r\nb: 1\r\n",
        after="\ufefflogs:\r\n  enabled: true\r\n  retention: 30\r\nb: 1\r\n",
    ),
    "new key behind a deeper section": Case(
        edit=RETENTION,
        before="logs:\n  deep:\n    - a\n    - b: 1\nx: 1\n",
        after="logs:\n  deep:\n    - a\n    - b: 1\n  retention: 30\nx: 1\n",
    ),
    "new key behind an alias": Case(
        edit=RETENTION,
        before="a: &a 1\nlogs:\n  x: *a # same\n",
        after="a: &a 1\nlogs:\n  x: *a # same\n  retention: 30\n",
    ),
    "new key behind a literal block": Case(
        edit=RETENTION,
        before="logs:\n  x: |\n    a\n    b\ny: 1\n",
        after="logs:\n  x: |\n    a\n    b\n  retention: 30\ny: 1\n",
    ),
    "new key behind a block that keeps its empty lines": Case(
        edit=RETENTION,
        before="logs:\n  x: |+\n    a\n\n\n",
        after="logs:\n  x: |+\n    a\n\n\n  retention: 30\n",
    ),
    "new key behind an empty value": Case(
        edit=RETENTION,
        before="logs:\n  x:\ny: 1\n",
        after="logs:\n  x:\n  retention: 30\ny: 1\n",
    ),
    "new key where all keys are quoted": Case(
        edit=RETENTION,
        before='{"logs": {"enabled": true}}\n',
        after='{"logs": {"enabled": true, "retention": 30}}\n',
    ),
    "new key in an empty section": Case(
        edit=RETENTION, before="logs: {}\n", after="logs: {retention: 30}\n"
    ),
    "new key in flow style with a comma at the end": Case(
        edit=RETENTION,
        before="logs: {\n  enabled: true, # on\n}\n",
        after="logs: {\n  retention: 30, enabled: true, # on\n}\n",
    ),
    "new sections, indented as the file is": Case(
        edit=SetValue(at=("a", "x", "y", "z"), value="no"),
        before="a:\n    b:\n        c: 1\n# end\n",
        after='a:\n    b:\n        c: 1\n    x:\n        y:\n            z: "no"\n# end\n',
    ),
    "new sections in flow style": Case(
        edit=SetValue(at=("a", "x", "y"), value=1),
        before="a: {b: 1}\n",
        after="a: {b: 1, x: {y: 1}}\n",
    ),
    "over a merged value": Case(
        edit=RETENTION,
        before="d: &d {retention: 5}\nlogs:\n  <<: *d\n",
        after="d: &d {retention: 5}\nlogs:\n  <<: *d\n  retention: 30\n",
    ),
    "item of a list": Case(
        edit=LIST,
        before="p:\n  - s3:GetObject  # read\nb: 1\n",
        after="p:\n  - s3:GetObject  # read\n  - s3:ListBucket\nb: 1\n",
    ),
    "item of a list that is not indented": Case(
        edit=LIST, before="p:\n-   'a'\nb: 1\n", after="p:\n-   'a'\n-   's3:ListBucket'\nb: 1\n"
    ),
    "item in flow style": Case(
        edit=LIST,
        before='p: ["s3:GetObject"] # read\n',
        after='p: ["s3:GetObject", "s3:ListBucket"] # read\n',
    ),
    "item in a list of a list": Case(
        edit=AddItems(at=("d", 1, "p"), items=("x", "y")),
        before="d:\n  - p: [a]\n  - n: 1\n    p:\n      - b\n  - n: 2\n",
        after="d:\n  - p: [a]\n  - n: 1\n    p:\n      - b\n      - x\n      - y\n  - n: 2\n",
    ),
    "quotes": Case(
        edit=Quote(at=("env", "A")),
        before="env: {A: no, B: '1', C: '2'}\n",
        after="env: {A: 'no', B: '1', C: '2'}\n",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_rewrite__layouts__only_what_was_meant(case: Case) -> None:
    assert rewrite(case.before, case.edit) == case.after


@pytest.mark.parametrize(
    ("text", "edit", "why"),
    [
        ("d: &d {enabled: true}\nlogs: *d\n", RETENTION, "is the alias `*d`"),
        ("logs: &d {enabled: true}\nx: *d\n", RETENTION, "change other values too"),
        ("logs: &d\n  enabled: true\nx: *d\n", RETENTION, "change other values too"),
        ("d: &d {logs: {a: 1}}\n<<: *d\n", RETENTION, "change other values too"),
        ("logs:\n  retention: &r 45\nx: *r\n", RETENTION, "has an anchor"),
        ("logs:\n  retention: !!int 45\n", RETENTION, "has an anchor or a tag"),
        ("logs:\n  retention: ${DAYS}\n", RETENTION, "comes from a variable"),
        ("logs:\n  retention: |\n    45\n", RETENTION, "no value in one line"),
        ("logs:\n  retention:\n", RETENTION, "no value in one line"),
        ("logs:\n", RETENTION, "no section for `retention`"),
        ("env:\n  FLAG: a\n    b\n", FLAG, "more than one line"),
        ("p: a\n", LIST, "no list with items"),
        ("p: []\n", LIST, "no list with items"),
        ("env:\n  A: 'no'\n", Quote(at=("env", "A")), "in quotes already"),
        ("env: {}\n", Quote(at=("env", "A")), "not written here"),
        ("logs: {a: 1}\n---\nb: 1\n", RETENTION, "not one YAML document"),
        ("a: [\n", RETENTION, "not one YAML document"),
    ],
)
def test_rewrite__not_safe__refused_with_the_reason(text: str, edit: Edit, why: str) -> None:
    with pytest.raises(UnsafeEditError, match="^.*" + why.replace("*", r"\*")):
        rewrite(text, edit)


KEYS = st.sampled_from(["a", "b", "c", "no", "key with spaces", "ü🚀", "x:y"])
LEAVES = st.one_of(
    st.integers(-5, 5000), st.booleans(), st.none(), st.text("ab \n'\":#-ü🚀{}[],&*", max_size=30)
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    tree=TREES,
    flow=st.sampled_from([None, True, False]),
    indent=st.sampled_from([2, 4, 7]),
    eol=st.sampled_from(["\n", "\r\n"]),
    key=KEYS,
    new=st.sampled_from([("new",), ("new", "deeper")]),
)
def test_rewrite__any_document__other_values_stay_as_they_are(
    tree: dict[str, Any], flow: bool | None, indent: int, eol: str, key: str, new: tuple[str, ...]
) -> None:
    text = yaml.safe_dump(
        tree, default_flow_style=flow, indent=indent, allow_unicode=True, line_break=eol
    )
    assert yaml.safe_load(text) == tree  # what PyYAML writes, it reads
    inner = tree.get(key)
    path = (key, *new) if isinstance(inner, dict) else new
    expected: Any = "yes"
    for name in reversed(new):
        expected = {name: expected}
    expected = {**tree, key: {**inner, **expected}} if isinstance(inner, dict) else tree | expected

    try:
        after = rewrite(text, SetValue(at=path, value="yes"))
    except UnsafeEditError:
        # Only where a literal block keeps the empty lines behind it.
        assert any(mark in text for mark in ("|", ">", "? "))
        return

    assert yaml.safe_load(after) == expected
    pairs = zip(text, after, strict=False)
    same = next((n for n, (one, other) in enumerate(pairs) if one != other), len(text))
    assert after.endswith(text[same:])  # one insertion, and nothing taken away
