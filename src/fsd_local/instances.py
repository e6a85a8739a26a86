"""The instances of one user, one for each checkout."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fsd_local import instance as local
from fsd_local.instance import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownInstance:
    """One that runs."""

    instance: Instance
    checkout: str  # its folder; "" for one whose state is in a folder of its own


def find_all() -> list[KnownInstance]:
    """Those below the state's root, and the one that `FSD_LOCAL_STATE` names; oldest first."""
    found = [
        KnownInstance(instance=running, checkout=local.checkout_of(folder))
        for folder in _folders()
        if (running := local.find_in(folder)) is not None
    ]
    return sorted(found, key=lambda known: known.instance.started_at)


def sweep_abandoned() -> list[str]:
    """Stop and remove those whose checkout is gone: nobody could stop them from there any more.

    The checkouts that they were of.
    """
    gone = [
        (folder, checkout)
        for folder in _folders()
        if (checkout := local.checkout_of(folder)) and not Path(checkout).exists()
    ]
    for folder, _ in gone:
        local.down_in(folder)
    return [checkout for _, checkout in gone]


def _folders() -> Iterator[Path]:
    chosen = os.environ.get("FSD_LOCAL_STATE")
    if chosen:
        yield Path(chosen).absolute()
    root = local.state_root()
    if root.is_dir():
        yield from sorted(path for path in root.iterdir() if path.is_dir())
