"""Where the names of Service Connect lead, kept in a file for each namespace.

Python programs of process tasks read it whenever they look a name up (see `payload`); a container
has the lines in its /etc/hosts. A name behind which nothing runs leads where nobody listens.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

NOWHERE = "127.255.0.1"
_BEGIN, _END = "# names of Service Connect", "# end of them"


class NameFiles:
    """Thread-safe: a file is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, namespace: str) -> Path:
        return self._folder / f"{hashlib.sha256(namespace.encode()).hexdigest()[:16]}.json"

    def write(self, namespace: str, names: Mapping[str, Sequence[str]]) -> None:
        path = self.path(namespace)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({name: list(found) for name, found in names.items()}))
        fresh.replace(path)


def write_hosts(hosts: Path, names: Mapping[str, Sequence[str]], *, known: Sequence[str]) -> None:
    """Into a container's /etc/hosts, in place: it is mounted, and a new file would not be seen.

    Nothing where the engine runs on another machine, or keeps the file from us.
    """
    with contextlib.suppress(OSError):
        kept = hosts.read_text().partition(f"{_BEGIN}\n")[0]
        lines = [
            f"{address}\t{name}\n" for name in known for address in (names.get(name) or (NOWHERE,))
        ]
        with hosts.open("r+") as file:
            file.write(f"{kept}{_BEGIN}\n{''.join(lines)}{_END}\n")
            file.truncate()
