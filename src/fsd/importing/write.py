"""A Service YAML's tree → its text, with what was lost as comments at its end."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from fsd.importing.reader import Loss
from fsd.importing.values import Value


def write_yaml(tree: dict[str, Value]) -> str:
    """A mark that turns the direction of a line, and would hide what it says, is an escape."""
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=100, indent=2)
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=False, width=100, indent=2)


def write_file(text: str, *, source: str, losses: Sequence[Loss], notes: Sequence[str]) -> str:
    """`source` is what it was imported from."""
    lines = [f"# Imported from {one_line(source)} by `fsd import`."]
    lines += [f"# {one_line(note)}" for note in notes]
    lines += ["", text.rstrip()]
    if losses:
        lines += ["", "# Not imported:"]
        lines += [f"#   {line}" for loss in losses for line in [loss_text(loss)]]
    return "\n".join(lines) + "\n"


def loss_text(loss: Loss) -> str:
    value = f" = {one_line(loss.value)}" if loss.value else ""
    return f"{one_line(loss.where)}{value}: {one_line(loss.reason)}"


def one_line(text: str) -> str:
    """A comment ends with its line: nothing of the original may begin another one."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
