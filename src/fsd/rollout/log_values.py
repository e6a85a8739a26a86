"""What a log told, as values: where a server listens, its trouble, what it could not reach. Pure.

Apart from the patterns that find them, so that whoever only has words for them, as
`fsd.rollout.advice` and `fsd.report`, does not compile patterns when it starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# A process task of the embedded AWS has an address here, where others reach it (docs/local.md).
_OF_EMBEDDED_TASKS = "127.77."


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """`host` is "" where the line names none."""

    host: str
    port: int
    at: datetime
    line: str  # verbatim

    @property
    def is_loopback(self) -> bool:
        """Whether only the container itself can connect."""
        is_local = self.host in ("localhost", "::1") or self.host.startswith("127.")
        return is_local and not self.host.startswith(_OF_EMBEDDED_TASKS)

    @property
    def text(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if host else f"port {self.port}"


class ServerRemark(StrEnum):
    """What a server says of its own trouble."""

    WORKER_KILLED = "worker-killed"
    WORKER_TIMEOUT = "worker-timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """A server that the program could not reach."""

    host: str = ""  # "" where the text does not name it
    port: str = ""
    is_local: bool = False  # the task itself
    is_unknown: bool = False  # a name without a domain, that no DNS server knows
    socket: str = ""  # a Unix socket, where no host was said
