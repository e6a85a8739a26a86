"""Offset in a value → line and column in the file.

In a block (`run: |`) the text's lines are the file's lines, less the indentation. In another style
lines are folded or quoted: there the word itself is searched for in the lines of the value.
"""

from __future__ import annotations

import re
from dataclasses import replace

from fsd.errors import Location
from fsd.manifest.yaml_tree import Document, Scalar

_BLOCK = re.compile(r"(?:[&!]\S+\s+)*(?P<style>[|>])[-+0-9]*\s*(?:#.*)?$")
_LOOK_AHEAD = 200  # lines of a folded value


def place(document: Document, scalar: Scalar, offset: int, width: int) -> tuple[Location, int]:
    where = scalar.where
    if not isinstance(where, Location):
        return Location(path=document.path, line=1, column=1), 1
    if offset == 0 and width == len(scalar.text):
        return where, scalar.width
    header = document.lines[where.line - 1][where.column - 1 :]
    block = _BLOCK.match(header)
    if block is not None and block["style"] == "|":
        return _in_block(document, scalar, where, offset), width
    return _searched(document, scalar, where, offset, width)


def _in_block(document: Document, scalar: Scalar, where: Location, offset: int) -> Location:
    before = scalar.text[:offset]
    line = where.line + 1 + before.count("\n")
    start = before.rfind("\n") + 1
    end = scalar.text.find("\n", offset)
    content = scalar.text[start : end if end >= 0 else len(scalar.text)]
    indentation = len(document.lines[line - 1]) - len(content)
    return replace(where, line=line, column=indentation + offset - start + 1)


def _searched(
    document: Document, scalar: Scalar, where: Location, offset: int, width: int
) -> tuple[Location, int]:
    wanted = scalar.text[offset : offset + width]
    earlier = scalar.text[:offset].count(wanted) if wanted else 0
    for index in range(where.line - 1, min(where.line + _LOOK_AHEAD, len(document.lines))):
        line = document.lines[index]
        column = where.column - 2 if index == where.line - 1 else -1
        while wanted and (column := line.find(wanted, column + 1)) >= 0:
            if earlier == 0:
                return replace(where, line=index + 1, column=column + 1), width
            earlier -= 1
    return where, scalar.width
