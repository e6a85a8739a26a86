"""What GitHub compresses its attestations with, as one block.

https://github.com/google/snappy/blob/main/format_description.txt
"""

from __future__ import annotations

_MOST = 16 << 20  # bytes
_LITERAL = 0
_INLINE = 60  # a literal's length up to which the tag holds it
_BITS = 32


def uncompress(block: bytes) -> bytes:
    """Raises ValueError for what is no such block, or for more than 16 MiB."""
    size, at = _read_size(block)
    if size > _MOST:
        raise ValueError("more than 16 MiB")
    found = bytearray()
    while at < len(block):
        kind = block[at] & 3
        if kind == _LITERAL:
            length, at = _literal(block, at)
            found += block[at : at + length]
            at += length
        else:
            length, offset, at = _copy(block, at)
            if not 0 < offset <= len(found):
                raise ValueError("a copy of nothing")
            for _ in range(length):
                found.append(found[-offset])
        if len(found) > size:
            break
    if len(found) != size:
        raise ValueError("another length than it says")
    return bytes(found)


def _read_size(block: bytes) -> tuple[int, int]:
    size = shift = 0
    for at, byte in enumerate(block):
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return size, at + 1
        shift += 7
        if shift >= _BITS:
            break
    raise ValueError("no length")


def _literal(block: bytes, at: int) -> tuple[int, int]:
    """(its length, where it begins)."""
    length = block[at] >> 2
    if length < _INLINE:
        return length + 1, at + 1
    more = length - _INLINE + 1
    return _number(block, at + 1, more) + 1, at + 1 + more


def _copy(block: bytes, at: int) -> tuple[int, int, int]:
    """(its length, how far back, what comes after it)."""
    tag = block[at]
    if tag & 3 == 1:
        return (tag >> 2 & 7) + 4, (tag >> 5) << 8 | _number(block, at + 1, 1), at + 2
    size = 2 if tag & 3 == 2 else 4
    return (tag >> 2) + 1, _number(block, at + 1, size), at + 1 + size


def _number(block: bytes, at: int, size: int) -> int:
    if at + size > len(block):
        raise ValueError("it is cut short")
    return int.from_bytes(block[at : at + size], "little")
