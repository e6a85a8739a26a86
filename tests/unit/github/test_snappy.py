from __future__ import annotations

import pytest

from fsd.github.snappy import uncompress

LONG = bytes(range(256)) * 2


@pytest.mark.parametrize(
    ("block", "plain"),
    [
        (b"\x00", b""),
        (b"\x05\x10hello", b"hello"),
        (b"\x0a\x04ab\x11\x02\x00"[:4] + b"\x11\x02", b"ab" * 5),
        (b"\x0a\x04ab" + bytes([7 << 2 | 2]) + b"\x02\x00", b"ab" * 5),
        (b"\x0a\x04ab" + bytes([7 << 2 | 3]) + b"\x02\x00\x00\x00", b"ab" * 5),
        (b"\x80\x04" + bytes([61 << 2]) + b"\xff\x01" + LONG, LONG),
    ],
    ids=["empty", "literal", "copy-1", "copy-2", "copy-4", "long-literal"],
)
def test_uncompress__each_element__is_as_the_format_says(block: bytes, plain: bytes) -> None:
    assert uncompress(block) == plain


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\xff\xff\xff\xff\xff\x01",
        b"\xff\xff\xff\x7f\x00a",
        b"\x05\x10hell",
        b"\x05\x10hello\x00x",
        b"\x06\x04ab\x11\x03",
        b"\x06\x04ab\x11\x00",
        b"\x06\x04ab\x12\x02",
        b"\x06\xf0",
    ],
    ids=["none", "endless", "huge", "short", "more", "before", "zero", "cut", "cut-length"],
)
def test_uncompress__anything_else__is_refused(block: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        uncompress(block)
