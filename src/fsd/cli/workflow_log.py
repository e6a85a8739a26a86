"""What a task prints, into a workflow's log: text without secrets, and no command to the runner."""

from __future__ import annotations

from collections.abc import Sequence

from fsd.release.mask import mask_lines
from fsd.streams import log_text, say

_LONGEST = 1 << 18  # bytes without an end of line
# Lines above that a line's meaning may depend on: the name of a value, or the rest of a key.
_NAME, _KEY = 2, 60
_KEY_BEGINS = "-----BEGIN"


class WorkflowLog:
    """Each line once it is whole. `close` shows what is left of the last."""

    def __init__(self) -> None:
        self._rest = b""
        self._above: list[str] = []

    def write(self, content: bytes) -> None:
        *lines, self._rest = (self._rest + content).split(b"\n")
        if len(self._rest) > _LONGEST:
            lines.append(self._rest)
            self._rest = b""
        self.show([line.decode("utf-8", "replace").rstrip("\r") for line in lines])

    def show(self, lines: Sequence[str]) -> None:
        every = [*self._above, *lines]
        for text in list(mask_lines(every))[len(self._above) :]:
            say(log_text(text, is_colored=False, in_workflow=True))
        recent = every[-_KEY:]
        has_key = any(_KEY_BEGINS in line for line in recent)
        self._above = recent if has_key else recent[-_NAME:]

    def close(self) -> None:
        if self._rest:
            self.write(b"\n")
