"""Bytes of a container's output → log events, one a line.

https://docs.docker.com/engine/logging/drivers/awslogs/
"""

from __future__ import annotations

from collections.abc import Iterator

# As the awslogs driver splits; a character may take four bytes.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
_LONGEST = 256 * 1024 - 26


class Lines:
    """Keeps the piece behind the last line break until the rest of it comes.

    A path below `root` is told as the container has it.
    """

    def __init__(self, root: str = "") -> None:
        self._rest = b""
        self._root = root

    def feed(self, content: bytes) -> list[str]:
        """The lines that are whole now. Empty ones are no events."""
        *whole, self._rest = (self._rest + content).split(b"\n")
        lines = [text for line in whole for text in self._texts(line)]
        while len(self._rest) > _LONGEST:
            lines += self._texts(self._rest[:_LONGEST])
            self._rest = self._rest[_LONGEST:]
        return lines

    def finish(self) -> list[str]:
        """What is left when the output ends without a line break."""
        rest, self._rest = self._rest, b""
        return list(self._texts(rest))

    def _texts(self, line: bytes) -> Iterator[str]:
        line = line.removesuffix(b"\r")
        for start in range(0, len(line), _LONGEST):
            text = line[start : start + _LONGEST].decode(errors="replace")
            yield text.replace(f"{self._root}/", "/") if self._root else text
