"""Lines and references."""

from __future__ import annotations

import ast

import pytest

from fsd_local.runtime.lines import Lines
from fsd_local.runtime.program import PAYLOAD
from fsd_local.runtime.reference import ImageReference, parse_reference


def test_lines__pieces__whole_lines_as_they_come() -> None:
    lines = Lines()

    fed = [
        lines.feed(piece) for piece in (b"a", b"b\nc\r\n\n", "ü".encode()[:1], b"\xbc\n", b"end")
    ]

    assert fed == [[], ["ab", "c"], [], ["ü"], []]
    assert lines.finish() == ["end"]
    assert lines.finish() == []


def test_lines__longer_than_an_event__cut() -> None:
    lines = Lines()

    found = [*lines.feed(b"x" * 600_000), *lines.feed(b"\n")]

    assert [len(text) for text in found] == [262_118, 262_118, 75_764]


def test_lines__not_utf8__replaced() -> None:
    assert Lines().feed(b"\xff\n") == ["\ufffd"]


DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag", "version", "is_loopback"),
    [
        ("127.0.0.1:5000/a/b:v1", "127.0.0.1:5000", "a/b", "v1", "v1", True),
        (f"127.0.0.1:5000/a@{DIGEST}", "127.0.0.1:5000", "a", "", DIGEST, True),
        (f"localhost/a:1@{DIGEST}", "localhost", "a", "1", DIGEST, True),
        ("redis", "", "redis", "", "latest", False),
        ("library/redis:7", "", "library/redis", "7", "7", False),
        ("public.ecr.aws/x/y:v1", "public.ecr.aws", "x/y", "v1", "v1", False),
    ],
)
def test_parse_reference__every_form__its_parts(
    text: str, host: str, repository: str, tag: str, version: str, is_loopback: bool
) -> None:
    found = parse_reference(text)

    digest = DIGEST if "@" in text else ""
    assert found == ImageReference(
        text=text, host=host, repository=repository, tag=tag, digest=digest
    )
    assert (found.version, found.is_loopback) == (version, is_loopback)


def test_sitecustomize__python_of_an_old_image__reads_it() -> None:
    source = (PAYLOAD / "sitecustomize.py").read_text()

    tree = ast.parse(source, feature_version=(3, 6))

    assert "removeprefix" not in source  # of 3.9
    assert "__future__" not in source  # its annotations are of 3.7
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert functions
    assert not [f.name for f in functions if f.args.posonlyargs]  # of 3.8
