"""How `fsd validate` shows what --fix changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from fsd.app.fixes import FixedFile
from fsd.lint.fix import Fixed
from fsd.report.findings import printable

_COLORS = {"+": "32", "-": "31", "@": "36"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFixes:
    """`to_stderr` where stdout is read by a program."""

    to_stderr: bool = False
    color: bool = False

    def show(self, file: FixedFile) -> None:
        shown = [*self._diff(file), *_not_done(file.fixed)]
        if shown:
            click.echo("\n".join([*shown, ""]), err=self.to_stderr)

    def _diff(self, file: FixedFile) -> Sequence[str]:
        """A unified difference, with `\\r` and other control characters made visible."""
        import difflib

        lines = difflib.unified_diff(
            file.text.removeprefix("\ufeff").splitlines(),
            file.fixed.text.removeprefix("\ufeff").splitlines(),
            fromfile=f"a/{file.path.lstrip('/')}",
            tofile=f"b/{file.path.lstrip('/')}",
            lineterm="",
        )
        return [self._colored(printable(line.replace("\t", "  "))) for line in lines]

    def _colored(self, line: str) -> str:
        code = _COLORS.get(line[:1]) if self.color else None
        return f"\x1b[{code}m{line}\x1b[0m" if code else line


def _not_done(fixed: Fixed) -> Sequence[str]:
    return [
        printable(f"not fixed: {item.finding.id} at {item.finding.where}: {item.why}")
        for item in fixed.not_done
    ]
