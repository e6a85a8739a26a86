from __future__ import annotations

from pathlib import Path

import pytest

from fsd_files.dockerfile import load_dockerfile, pairs, parse_dockerfile, substitute, unquote
from fsd_files.errors import FileError


def written(text: str) -> list[tuple[str, str]]:
    return [(found.name, found.text) for found in parse_dockerfile(text)]


def test_parse_dockerfile__continuations_and_comments__one_instruction() -> None:
    text = "FROM scratch\n# a comment\nrun a \\\n  # inside\n\n  b \\\n  c\nCMD x\n"

    assert written(text) == [("FROM", "scratch"), ("RUN", "a   b   c"), ("CMD", "x")]


def test_parse_dockerfile__line_numbers__where_each_begins() -> None:
    found = parse_dockerfile("\nFROM scratch\nRUN a \\\n b\nCMD x")

    assert [instruction.line for instruction in found] == [2, 3, 5]


def test_parse_dockerfile__escape_directive__backslash_is_ordinary() -> None:
    text = "# syntax=docker/dockerfile:1\n# escape=`\nFROM scratch\nCOPY a `\n b\\\nCMD c:\\"

    assert written(text) == [("FROM", "scratch"), ("COPY", "a  b\\"), ("CMD", "c:\\")]


def test_parse_dockerfile__flags__apart_from_the_text() -> None:
    (found,) = parse_dockerfile("COPY --from=build --chown=1:2 --link /a /b")

    assert (dict(found.flags), found.text) == (
        {"from": "build", "chown": "1:2", "link": ""},
        "/a /b",
    )


def test_parse_dockerfile__exec_form__words() -> None:
    (found,) = parse_dockerfile('CMD ["python", "-c", "print(\'a b\')"]')

    assert found.exec_form() == ("python", "-c", "print('a b')")


@pytest.mark.parametrize("text", ["CMD python app.py", "CMD ['single', 'quotes']", "CMD [1, 2]"])
def test_exec_form__no_json_array_of_strings__shell_form(text: str) -> None:
    (found,) = parse_dockerfile(text)

    assert found.exec_form() is None


def test_parse_dockerfile__heredoc__its_body_is_no_instruction() -> None:
    text = "FROM scratch\nRUN <<EOF cat\nCOPY no such\nEOF\nRUN cat <<< word\nCMD x"

    found = parse_dockerfile(text)

    assert [(i.name, i.has_heredoc) for i in found] == [
        ("FROM", False),
        ("RUN", True),
        ("RUN", False),
        ("CMD", False),
    ]


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("", "no instructions", 1),
        ("# only a comment", "no instructions", 1),
        ("FROM scratch\n&& apt-get", "`&&` is not an instruction", 2),
        ("FROM scratch\nRUN <<END\na", "the heredoc <<END does not end", 2),
    ],
)
def test_parse_dockerfile__mistake__names_the_line(text: str, what: str, line: int) -> None:
    with pytest.raises(FileError) as raised:
        parse_dockerfile(text, path="D")

    assert what in raised.value.what
    assert str(raised.value.where) == f"D:{line}:1"
    assert raised.value.code == "dockerfile-invalid"


def test_load_dockerfile__not_text__says_so(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(FileError) as raised:
        load_dockerfile(path)

    assert raised.value.code == "dockerfile-unreadable"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A", "one"),
        ("${A}b", "oneb"),
        ("$Ab", ""),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${NONE-d}", "d"),
        ("${NONE:-$A}", "one"),
        ("${A:+set}", "set"),
        ("${NONE:+set}", ""),
        (r"\$A", "$A"),
        ("a$", "a$"),
    ],
)
def test_substitute__every_form__as_docker(text: str, expected: str) -> None:
    assert substitute(text, {"A": "one", "EMPTY": ""}) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [('"a b"', "a b"), ("'a\"b'", 'a"b'), (r"a\ b", "a b"), ('a"b"c', "abc"), (r'"\d"', r"\d")],
)
def test_unquote__shell_quotes__taken_off(word: str, expected: str) -> None:
    assert unquote(word) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ENV A=1 B=2", (("A", "1"), ("B", "2"))),
        ('ENV A="x y" B=z', (("A", '"x y"'), ("B", "z"))),
        (r"ENV A=x\ y", (("A", r"x\ y"),)),
        ("ENV A the rest = all", (("A", "the rest = all"),)),
        ("LABEL A=", (("A", ""),)),
    ],
)
def test_pairs__both_forms__split(text: str, expected: tuple[tuple[str, str], ...]) -> None:
    (found,) = parse_dockerfile(text)

    assert pairs(found) == expected


@pytest.mark.parametrize("text", ["ENV A", "ENV A=1 B"])
def test_pairs__no_value__refused(text: str) -> None:
    (found,) = parse_dockerfile(text)

    with pytest.raises(FileError, match=r"has no value|is not name=value"):
        pairs(found)
