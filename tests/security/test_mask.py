"""The mask against kinds of secrets, against ordinary lines, and against hostile ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from fsd.release.mask import HIDDEN, mask, mask_lines
from tests.security.ordinary_lines import messages, ordinary_lines
from tests.security.secret_lines import (
    Planted,
    format_lines,
    key_lines,
    known_lines,
    named_lines,
    other_lines,
)

KINDS = (named_lines, other_lines, known_lines, key_lines)
ORDINARY = 6_000
# What a regular expression may be made to look at again and again.
HOSTILE = (
    "token",
    "x",
    "eyJ-",
    "eyJ",
    "a://",
    "a://b:",
    "key ",
    "password='",
    "password=",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "a:b@",
    "x@",
    "password=a b ",
    "=",
    "\\",
    '"',
    "'a',",
    "<a>",
    "<password>",
    "-p ",
    "mysql -p",
    "docker login ",
    "x.",
    "sk-",
    "A",
    "0",
    'password: \\"',
    "&key=",
    "auth=('",
    "name: x, ",
    "[b'cookie', ",
    "\x1b[",
    "\x1b]",
    "a-",
    "password ",
    "arn:",
    "token=f(",
    "token=[",
    "::",
    "%3D",
    "/",
    " ",
    "oracle:a:b/",
    "http://a:",
    "('password', '",
    "Bearer ",
    "***,A",
    "IDENTIFIED BY '",
    "a:1:a:a:",
    "%3A%2F%2Fa",
    "'--a",
    "SECRET_",
    "PASSWORD ",
    "basic a",
    "&quot;",
    "ghp_",
    "SG.",
    "| password ",
    "<key>a</key>",
    "(a) VALUES (",
    "a,b,",
    "ACL SETUSER a ",
    "/reset/a/",
    "value='a' ",
    "name: a, type: b, ",
    "<input type=password ",
    "<meta name=token ",
    "mnemonic a",
    "http://a:b/",
    "password for a",
    "\\u0061",
    "\u200b",
    '\\\\\\"',
    "password=a'b",
    "password=a;b",
    "$2b$1",
    "credentials: a/",
    "auth=a:",
    "A('a', 'a', ",
    "args=('a', ",
    "AUTH a ",
    ":aaaaa1:",
    "set_password('",
    "password a ",
    "password from 'a' to '",
    "echo a | ",
    "-u a -p ",
    "db_password ",
    "put-parameter SecureString --value ",
    "&lt;password&gt;",
    "(password) VALUES (?) ['",
    "AKIA/",
    "&a !b ",
    "token: {'value': ",
    "*** args=('",
    "login('a', '",
    "password for 'a': ",
    "?u=a&p=",
    "aPassword '",
    "Fernet(b'",
    "nAUTH\\r\\n$1\\r\\n",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_mask_lines__planted_secrets__none_is_left(
    kind: Callable[[int], Iterator[Planted]], seed: int, count_inputs: Callable[[int], None]
) -> None:
    planted = list(kind(seed))
    count_inputs(len(planted))

    left = [p for p in planted if p.secret in "\n".join(mask_lines(p.lines))]

    assert len(planted) > 250
    assert not left, f"{len(left)} of {len(planted)}, such as {left[:5]}"


# Nobody can tell some of them from ordinary text: `monitorRole  x`, `send "x\\r"`.
@pytest.mark.parametrize("seed", [1, 2])
def test_mask_lines__formats_of_tools__nearly_all_are_hidden(
    seed: int, count_inputs: Callable[[int], None]
) -> None:
    planted = list(format_lines(seed))

    left = [p.kind for p in planted if p.secret in "\n".join(mask_lines(p.lines))]

    count_inputs(len(planted))
    assert len(planted) > 1_050
    assert len(left) <= len(planted) // 50, left


def test_mask_lines__ordinary_lines__at_most_one_in_a_thousand_changes() -> None:
    lines = [*messages(), *ordinary_lines(ORDINARY, seed=7)]

    changed = [
        (line, shown) for line, shown in zip(lines, mask_lines(lines), strict=True) if line != shown
    ]

    assert len(changed) <= len(lines) // 1000, changed[:5]


@pytest.mark.parametrize("piece", HOSTILE)
def test_mask__twice_the_hostile_line__about_twice_the_work(piece: str) -> None:
    """In quadratic time it is four times, and a megabyte would take minutes."""
    assert _grows_in_line(piece) or _grows_in_line(piece)  # a machine may stumble once


def _grows_in_line(piece: str) -> bool:
    small, large = (_seconds(piece, size) for size in (5_000, 20_000))
    return large < 10 * small + 0.05


def _seconds(piece: str, size: int) -> float:
    line = piece * (size // len(piece))
    began = time.process_time()
    mask(line)
    return time.process_time() - began


@pytest.mark.parametrize("piece", ["a://", "password='"])
def test_mask__a_megabyte__ends(piece: str) -> None:
    began = time.process_time()

    mask(piece * (1_000_000 // len(piece)))

    assert time.process_time() - began < 30


def test_mask__nothing_to_hide__its_colours_stay() -> None:
    assert mask("\x1b[32mINFO\x1b[0m ready") == "\x1b[32mINFO\x1b[0m ready"


def test_mask__masked_once__masking_again_changes_nothing() -> None:
    for planted in named_lines(3):
        once = list(mask_lines(planted.lines))
        assert HIDDEN in "".join(once)
        assert list(mask_lines(once)) == once
