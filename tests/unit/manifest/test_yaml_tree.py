from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsd.errors import Location
from fsd.manifest.yaml_tree import (
    MAX_CHARACTERS,
    Branch,
    Items,
    Node,
    Scalar,
    Value,
    find,
    locate,
    parse,
    read_scalar,
)


def root(text: str) -> Node:
    parsed = parse(text, path="f.yml")
    assert parsed.findings == ()
    return parsed.documents[0].root


def place(text: str, *path: str | int, key: bool = False) -> tuple[int, int, int]:
    where, width = locate(root(text), path, key=key)
    assert isinstance(where, Location)
    return where.line, where.column, width


def only_finding(text: str) -> tuple[str, int, int]:
    (finding,) = parse(text, path="f.yml").findings
    assert isinstance(finding.where, Location)
    assert finding.fix
    return finding.id, finding.where.line, finding.where.column


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8000", 8000),
        ("-5", -5),
        ("0.75", 0.75),
        ("no", False),
        ("On", True),
        ("~", None),
        ("", None),
        ("0512", "0512"),
        ("0x1F", "0x1F"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("2024-01-01", "2024-01-01"),
        ("9" * 30, "9" * 30),
        ("=", "="),
    ],
)
def test_read_scalar__plain_text__what_every_reader_agrees_on(text: str, value: Value) -> None:
    found = read_scalar(text)

    assert (found, type(found)) == (value, type(value))


def test_parse__nested__every_key_and_value_has_its_place() -> None:
    text = "a:\n  b: [x, yy]\n  c: 'it''s'  # why\n"

    assert place(text, "a", "b", key=True) == (2, 3, 1)
    assert place(text, "a", "b", 1) == (2, 10, 2)
    assert place(text, "a", "c") == (3, 6, 7)
    assert place(text, "a", "nothing") == (1, 1, 1)


def test_parse__crlf_and_byte_order_mark__places_as_an_editor_shows_them() -> None:
    text = "\ufeffa: 1\r\nbb: 2\r\n"

    assert place(text, "a") == (1, 4, 1)
    assert place(text, "bb") == (2, 5, 1)


def test_parse__anchor_alias_and_merge__values_at_the_place_where_they_were_written() -> None:
    text = "base: &b {x: 1, y: 2}\nmine:\n  <<: *b\n  y: 3\nagain: *b\n"
    tree = root(text)

    x, y = find(tree, ("mine", "x")), find(tree, ("mine", "y"))
    assert isinstance(x, Scalar)
    assert isinstance(y, Scalar)
    assert (x.value, y.value) == (1, 3)
    assert place(text, "mine", "x") == (1, 14, 1)
    assert place(text, "mine", "y") == (4, 6, 1)
    assert place(text, "again", "y") == (1, 20, 1)


def test_parse__merge_of_a_list__the_first_mapping_wins() -> None:
    tree = root("a: &a {k: 1}\nb: &b {k: 2, l: 3}\nc: {<<: [*a, *b]}\n")

    k, last = find(tree, ("c", "k")), find(tree, ("c", "l"))
    assert isinstance(k, Scalar)
    assert isinstance(last, Scalar)
    assert (k.value, last.value) == (1, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", ("duplicate-key", 3, 1)),
        ("a:\n\tb: 1\n", ("yaml-tab", 2, 1)),
        ("a: b\n\tc: d\n", ("yaml-tab", 2, 1)),
        ("8000: x\n", ("yaml-key-not-text", 1, 1)),
        ("on: x\n", ("yaml-key-not-text", 1, 1)),
        ("? [a]\n: b\n", ("yaml-key-not-text", 1, 3)),
        ("owners:\n  - @team\n", ("yaml-syntax", 2, 5)),
        ("a: b: c\n", ("yaml-syntax", 1, 5)),
        ("a: 'open\nb: 1\n", ("yaml-syntax", 1, 4)),
        ("a: [1, 2\n", ("yaml-syntax", 1, 4)),
        ('a: "open\nb: 1\nc:\n  - "@org/a"\n', ("yaml-syntax", 1, 4)),
        ("a: [x, 'open]\nb: '@c'\n", ("yaml-syntax", 1, 8)),
        ('a: "it\'s"\nb: "open\nc: "x"\n', ("yaml-syntax", 2, 4)),
        ("port 8000\n\nb:\n  c: 1\n", ("yaml-syntax", 1, 1)),
        ("a:\n  b: 1\n  port 8000\n  c: 1\n", ("yaml-syntax", 3, 3)),
        ("a: 'b' c\n", ("yaml-syntax", 1, 8)),
        ("a:\n  b: 1\n c: 2\n", ("yaml-syntax", 3, 2)),
        ("a: *nothing\n", ("yaml-alias", 1, 4)),
        ("a: &a [*a]\n", ("yaml-alias", 1, 8)),
        ("a: {<<: 5}\n", ("yaml-alias", 1, 9)),
        ("a: !!python/object:os.system x\n", ("yaml-tag", 1, 4)),
        ("a: !Ref x\n", ("yaml-tag", 1, 4)),
        ("a: b\x00c\n", ("yaml-syntax", 1, 5)),
        ("a: \x1b[31m\n", ("yaml-syntax", 1, 4)),
        ("\ud800", ("yaml-syntax", 1, 1)),
        ("[" * 5000, ("yaml-too-deep", 1, 101)),
        ("x" * (MAX_CHARACTERS + 1), ("yaml-too-large", 1, 1)),
    ],
)
def test_parse__mistake__a_finding_at_its_place(text: str, expected: tuple[str, int, int]) -> None:
    assert only_finding(text) == expected


def test_parse__alias_bomb__stopped_early() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 10):
        aliases = ", ".join([f"*l{level - 1}"] * 10)
        lines.append(f"l{level}: &l{level} [{aliases}]")

    assert only_finding("\n".join(lines))[0] == "yaml-too-large"


def test_parse__deep_only_through_aliases__stopped_too() -> None:
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200))

    assert only_finding(text)[:2] == ("yaml-too-deep", 100)


def test_parse__very_many_mistakes__read_up_to_the_hundredth() -> None:
    findings = parse("a: 1\n" * 5000, path="f.yml").findings

    assert len(findings) == 100
    assert findings[-1].message.endswith("; FSD does not read what is below")


def test_parse__several_mistakes__all_of_them() -> None:
    findings = parse("a: 1\na: 2\n1: x\nb: !x y\n", path="f.yml").findings

    assert [finding.id for finding in findings] == [
        "duplicate-key",
        "yaml-key-not-text",
        "yaml-tag",
    ]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\n\n"])
def test_parse__nothing_written__no_document_and_no_finding(text: str) -> None:
    parsed = parse(text, path="f.yml")

    assert (parsed.documents, parsed.findings) == ((), ())


def test_parse__several_documents__each_with_its_first_line() -> None:
    parsed = parse("a: 1\n---\n# b\nb: 2\n", path="f.yml")

    assert [document.start for document in parsed.documents] == [1, 4]


def test_parse__ignore_comments__by_line_and_not_inside_of_texts() -> None:
    text = "a: 1  # fsd: ignore[x, y] because\nb: '# fsd: ignore[no]'\nc: |\n  # fsd: ignore[no]\n"

    assert parse(text, path="f.yml").documents[0].ignores == {1: frozenset({"x", "y"})}


@given(st.text())
def test_parse__any_text__never_raises(text: str) -> None:
    parse(text, path="f.yml")


@given(
    st.recursive(
        st.booleans()
        | st.integers(-(10**15), 10**15)
        | st.text(alphabet="ab:#&*![]{}'\"-? \n", max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_parse__what_pyyaml_wrote__read_back(value: object) -> None:
    import yaml

    text = yaml.safe_dump(value, allow_unicode=True)

    parsed = parse(text, path="f.yml")

    assert parsed.findings == ()
    assert plain(parsed.documents[0].root) == value


def plain(node: Node) -> object:
    match node:
        case Branch(entries=entries):
            return {key: plain(entry.value) for key, entry in entries.items()}
        case Items(items=items):
            return [plain(item) for item in items]
        case Scalar(value=value):
            return value


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("a: @b\n", 'put it in quotes: "@b"'),
        ("a: [x, @b, @c]\n", 'put it in quotes: "@b"'),
        ("`a`: 1\n", 'put it in quotes: "`a`"'),
        ('a: @b "c"\n', "put it in quotes: '@b \"c\"'"),
        ("a: @b \"c\" 'd'\n", "put it in quotes"),
        ('a: "open\nb: "@c"\n', "close the quote"),
    ],
)
def test_parse__reserved_character__a_fix_that_is_valid(text: str, fix: str) -> None:
    (found,) = parse(text, path="service.yml").findings

    assert found.fix == fix
