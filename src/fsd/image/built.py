"""Which image of the engine FSD built: its ID, kept for the user, by the build's key.

A tag proves nothing: whoever reaches the engine can give it to another image, and labels pass on to
whatever is built from an image. An ID is a digest of the content.
https://github.com/opencontainers/image-spec/blob/main/config.md#imageid
"""

from __future__ import annotations

import os
from pathlib import Path


def note_built(key: str, image: str) -> None:
    """What cannot be kept is built once more."""
    try:
        file = _file(key)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(image, encoding="utf-8")
    except (OSError, RuntimeError):
        return


def find_noted(key: str) -> str:
    """The engine's ID; "" where none is known."""
    try:
        return _file(key).read_text(encoding="utf-8").strip()
    except (OSError, RuntimeError, ValueError):
        return ""


def _file(key: str) -> Path:
    """https://specifications.freedesktop.org/basedir-spec/latest/ Path.home() raises RuntimeError
    for a user without a home."""
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return folder / "fsd" / "built" / key
