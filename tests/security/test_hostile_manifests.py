"""Odd and hostile files: each gets its finding or its error, exit code 3, and an answer soon.

What is called hostile here is small and legal YAML that costs whoever reads it without limits; what
is called odd is what editors, copies and other tools leave in a file.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from fsd.cli.main import run

Place: TypeAlias = tuple[str, int | None, int | None]

GOOD = """\
apiVersion: fsd/v1
kind: Service
metadata:
  name: offer-api
  pack: offers
  owners: ["@org/offers"]
service:
  type: ecs
  observability: {logs: {retention: 30}}
"""
# Below it, line 10 is the first.
SERVICE = GOOD
DEPENDENCY = GOOD + "dependencies:\n- type: aws_s3_bucket\n  name: x-${ENV}\n  permissions:\n"

Validate: TypeAlias = Callable[[bytes], tuple[int, list[Place]]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def validate(folder: Path, capsys: pytest.CaptureFixture[str]) -> Validate:
    """Writes the file and returns the exit code with (id, line, column) of each finding."""

    def validate(content: bytes, name: str = "service.yml") -> tuple[int, list[Place]]:
        (folder / name).write_bytes(content)
        return answer(name, capsys)

    return validate


def answer(name: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[Place]]:
    code = run(["--debug", "validate", "--file", name, "--format", "json"])
    printed = capsys.readouterr()
    assert printed.err == ""
    findings = json.loads(printed.out)["findings"]
    return code, [(item["id"], item["line"], item["column"]) for item in findings]


def aliases(levels: int, *, wrapped: int = 1) -> str:
    """Each level holds the one before it `wrapped` lists deep."""
    lines = ["x-0: &x0 [a]"]
    lines += [
        f"x-{level}: &x{level} {'[' * wrapped}*x{level - 1}{']' * wrapped}"
        for level in range(1, levels)
    ]
    return "\n".join(lines) + "\n"


BOMB = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        pytest.param("", ("yaml-empty", 1, 1), id="empty"),
        pytest.param("# nothing\n", ("yaml-empty", 1, 1), id="only comments"),
        pytest.param(" " * 999_999, ("yaml-empty", 1, 1), id="only spaces"),
        pytest.param("- a\n", ("not-a-service-yaml", 1, 1), id="a list"),
        pytest.param("hello\n", ("not-a-service-yaml", 1, 1), id="a text"),
        pytest.param("[" * 50_000, ("yaml-too-deep", 1, 101), id="deep, in brackets"),
        pytest.param(
            SERVICE + "  command: " + "[" * 99 + "]" * 99,
            ("yaml-too-deep", 10, 110),
            id="one level too deep",
        ),
        pytest.param("- " * 400_000, ("yaml-too-deep", 1, 201), id="deep, in dashes"),
        pytest.param("? " * 400_000, ("yaml-too-deep", 1, 201), id="deep, in keys"),
        pytest.param(
            "".join(" " * level + "a:\n" for level in range(200)),
            ("yaml-too-deep", 101, 101),
            id="deep, in blocks",
        ),
        pytest.param(BOMB, ("yaml-too-large", 4, 45), id="alias bomb"),
        pytest.param(aliases(300), ("yaml-too-deep", 100, 13), id="deep, in aliases"),
        pytest.param(aliases(40, wrapped=60), ("yaml-too-deep", 3, 70), id="deep, in both"),
        pytest.param(
            SERVICE + "  command: &a [*a]\n", ("yaml-alias", 10, 16), id="alias inside itself"
        ),
        pytest.param(
            SERVICE + "  environment: &a\n    <<: *a\n",
            ("yaml-alias", 11, 9),
            id="merge of itself",
        ),
        pytest.param(SERVICE + "  command: *nope\n", ("yaml-alias", 10, 12), id="alias of nothing"),
        pytest.param(
            SERVICE + "".join(f"  k{number}: 1\n" for number in range(20_000)),
            ("yaml-too-large", 4999, 3),
            id="very many keys",
        ),
        pytest.param("--- a\n" * 160_000, ("yaml-too-large", 10_001, 5), id="very many documents"),
        pytest.param(SERVICE.replace("  type", "\ttype"), ("yaml-tab", 8, 1), id="a tab"),
        pytest.param(SERVICE + "  image: a\0b\n", ("yaml-syntax", 10, 11), id="NUL"),
        pytest.param(SERVICE + "  image: \x1b[0m\n", ("yaml-syntax", 10, 10), id="escape"),
        pytest.param(SERVICE + '  image: "\\uD800"\n', ("yaml-syntax", 10, 13), id="surrogate"),
        pytest.param("%YAML 9.9\n---\n" + GOOD, ("yaml-syntax", 1, 1), id="YAML of the future"),
        pytest.param(
            SERVICE + "  command: [!!python/object/apply:os.system x]\n",
            ("yaml-tag", 10, 13),
            id="tag that runs code",
        ),
        pytest.param(SERVICE + "  port: 2026-01-01\n", ("wrong-type", 10, 9), id="date"),
        pytest.param(SERVICE + "  port: 0100\n", ("wrong-type", 10, 9), id="octal"),
        pytest.param(SERVICE + "  port: 0x50\n", ("wrong-type", 10, 9), id="hexadecimal"),
        pytest.param(SERVICE + "  port: 1:20\n", ("wrong-type", 10, 9), id="sexagesimal"),
        pytest.param(SERVICE + "  port: 8_000\n", ("wrong-type", 10, 9), id="underscore"),
        pytest.param(SERVICE + "  port: .nan\n", ("wrong-type", 10, 9), id="NaN"),
        pytest.param(SERVICE + "  port: 1.0e999\n", ("wrong-type", 10, 9), id="infinity"),
        pytest.param(SERVICE + "  port: no\n", ("wrong-type", 10, 9), id="a boolean: no"),
        pytest.param(SERVICE + f"  port: {'9' * 18}\n", ("out-of-range", 10, 9), id="18 digits"),
        pytest.param(SERVICE + f"  port: {'9' * 99_999}\n", ("wrong-type", 10, 9), id="digits"),
        pytest.param(SERVICE + "  on: 1\n", ("yaml-key-not-text", 10, 3), id="a key: on"),
        pytest.param(SERVICE + "  1: 2\n", ("yaml-key-not-text", 10, 3), id="a key: number"),
        pytest.param(SERVICE + "  ~: 2\n", ("yaml-key-not-text", 10, 3), id="a key: null"),
        pytest.param(SERVICE + "  {a: b}: 2\n", ("yaml-key-not-text", 10, 3), id="a key: mapping"),
        pytest.param(SERVICE + "  type: ecs\n", ("duplicate-key", 10, 3), id="duplicate key"),
        pytest.param(GOOD + "---\n" + GOOD, ("yaml-several-documents", 11, 1), id="two documents"),
        pytest.param("a: " * 300_000, ("yaml-syntax", 1, 5), id="colons"),
        pytest.param(
            SERVICE + f"  platform: {'X' * 900_000}\n", ("wrong-value", 10, 13), id="long value"
        ),
        pytest.param(
            SERVICE + f"  ? {'k' * 900_000}\n  : 1\n", ("unknown-key", 10, 5), id="long key"
        ),
        pytest.param(
            DEPENDENCY + f"  - s3:{'*e' * 40}z\n", ("unknown-permission", 14, 5), id="many stars"
        ),
    ],
)
def test_validate__hostile_text__its_finding(
    validate: Validate, content: str, found: Place
) -> None:
    code, findings = validate(content.encode("utf-8"))

    assert (code, findings) == (3, [found])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("\ufeff" + GOOD, id="byte order mark"),
        pytest.param(GOOD.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(GOOD.replace("\n", "\r"), id="CR"),
        pytest.param(GOOD + "...\n---\n...\n", id="nothing in a second document"),
        pytest.param(GOOD + "  networking: {vpc: yes}\n", id="a boolean: yes"),
        pytest.param(GOOD + f"  environment: {{A: {'a' * 900_000}}}\n", id="long text"),
        pytest.param(GOOD + f"  environment: {{A: {'a1' * 450_000}}}\n", id="long and random"),
        pytest.param(GOOD + f"  environment: {{A: '{'a://' * 200_000}'}}\n", id="long URL"),
        pytest.param(
            GOOD + "  image: x@sha256:" + "0" * 64 + " # \U0001f600\n", id="beyond the BMP"
        ),
    ],
)
def test_validate__odd_but_good__nothing_is_found(validate: Validate, content: str) -> None:
    assert validate(content.encode("utf-8")) == (0, [])


@pytest.mark.parametrize(
    ("content", "id_"),
    [
        pytest.param(GOOD.encode("utf-16"), "manifest-unreadable", id="UTF-16"),
        pytest.param(GOOD.encode("utf-32"), "manifest-unreadable", id="UTF-32"),
        pytest.param(b"\xff\xfe", "manifest-unreadable", id="half a character"),
        pytest.param(GOOD.encode() + b"# \xe9\n", "manifest-unreadable", id="Latin-1"),
        pytest.param(GOOD.encode() + b"# \xed\xa0\x80\n", "manifest-unreadable", id="surrogate"),
        pytest.param(b"a" * 1_000_001, "yaml-too-large", id="more than 1 MB"),
        pytest.param(b"# " + b"a" * 50_000_000, "yaml-too-large", id="50 MB"),
    ],
)
def test_validate__bytes_that_are_no_text__an_error(
    validate: Validate, content: bytes, id_: str
) -> None:
    assert validate(content) == (3, [(id_, None, None)])


MANY = {
    "duplicate keys": (GOOD + "  type: ecs\n" * 50_000, "duplicate-key"),
    "tags": (GOOD + "  command:\n" + "  - !a b\n" * 50_000, "yaml-tag"),
    "merges of nothing": (GOOD + "x:\n" + "  <<: 1\n" * 50_000, "yaml-alias"),
    "unknown keys": (GOOD + "".join(f"  k{n}: 1\n" for n in range(4_900)), "unknown-key"),
    "bad variables": (
        GOOD + "  environment:\n" + "".join(f"    K-{n}: 1\n" for n in range(4_900)),
        "wrong-value",
    ),
    "empty secrets": (GOOD + "  secrets:\n" + "  - {}\n" * 9_900, "missing-key"),
    "partial secrets": (
        GOOD
        + "  secrets:\n"
        + "".join(f"  - {{name: A{n}, valueFrom: x}}\n" for n in range(1_900)),
        "secret-arn-malformed",
    ),
    "types": (
        GOOD
        + "dependencies:\n"
        + "".join(
            f"- {{type: t{n}, name: 'x-${{ENV}}', permissions: [a]}}\n" for n in range(1_200)
        ),
        "unknown-dependency-type",
    ),
    "permissions": (
        DEPENDENCY + "".join(f"  - s3:GetObjec{n}\n" for n in range(9_900)),
        "unknown-permission",
    ),
    "stars": (
        DEPENDENCY + "".join(f"  - 's3:{'*a' * 20}{n}'\n" for n in range(1_000)),
        "unknown-permission",
    ),
    "variables": (GOOD + f"  image: {'${X}' * 20_000}\n", "unknown-variable"),
    "open variables": (GOOD + f"  image: {'${ENV' * 150_000}\n", "unknown-variable"),
    "suppressions": (GOOD + "# fsd: ignore[x]\n" * 50_000, "unknown-suppression"),
    "open suppressions": (GOOD + "# fsd: ignore[" * 60_000, ""),
}


@pytest.mark.parametrize("name", MANY)
def test_validate__very_many_faults__the_first_hundred_of_a_kind(
    validate: Validate, name: str
) -> None:
    text, id_ = MANY[name]

    code, findings = validate(text.encode())

    of_this_kind = [found for found, _, _ in findings if found == id_]
    assert code in (0, 3)
    assert len(of_this_kind) <= 100
    assert bool(of_this_kind) is bool(id_)


def test_validate__folder_as_file__an_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "service.yml").mkdir()

    assert answer("service.yml", capsys) == (3, [("manifest-unreadable", None, None)])


def test_validate__symbolic_links__followed_to_a_file_and_to_nowhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "real.yml").write_text(GOOD)
    (folder / "link.yml").symlink_to("real.yml")
    (folder / "nowhere.yml").symlink_to("gone.yml")
    (folder / "circle.yml").symlink_to("circle.yml")

    assert answer("link.yml", capsys) == (0, [])
    assert answer("nowhere.yml", capsys) == (3, [("manifest-unreadable", None, None)])
    assert answer("circle.yml", capsys) == (3, [("manifest-unreadable", None, None)])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_validate__no_permission__an_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "service.yml").write_text(GOOD)
    (folder / "service.yml").chmod(0)

    assert answer("service.yml", capsys) == (3, [("manifest-unreadable", None, None)])


def test_validate__pipe_without_a_writer__an_error_and_no_wait(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(folder / "service.yml")

    assert answer("service.yml", capsys) == (3, [("manifest-unreadable", None, None)])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/full"])
def test_validate__device__an_error(capsys: pytest.CaptureFixture[str], device: str) -> None:
    if not (os.path.exists(device) and stat.S_ISCHR(os.stat(device).st_mode)):
        pytest.skip(f"there is no {device}")

    assert answer(device, capsys) == (3, [("manifest-unreadable", None, None)])


@pytest.mark.usefixtures("folder")
def test_validate__what_the_shell_opened__read(capsys: pytest.CaptureFixture[str]) -> None:
    reader, writer = os.pipe()
    try:
        os.write(writer, GOOD.encode())
        os.close(writer)
        name = f"/dev/fd/{reader}"
        if not os.path.exists(name):
            pytest.skip("there is no /dev/fd")

        assert answer(name, capsys) == (0, [])
    finally:
        os.close(reader)
