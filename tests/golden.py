"""Long outputs as files: `assert text == golden("report/plan.txt", text)`.

`FSD_UPDATE_GOLDEN=1 scripts/test --quick` writes them anew, and every line that changes is to be
read in the diff. A file ends with a line break, whatever the text does.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).with_name("golden_files")
# Read before a test begins: none has the environment of whoever runs it.
IS_UPDATE = os.environ.get("FSD_UPDATE_GOLDEN") == "1"


def golden(name: str, text: str, *, folder: Path = FOLDER) -> str:
    """What the file says that `text` is; with FSD_UPDATE_GOLDEN=1 the file says so from now on."""
    file = folder / name
    if IS_UPDATE:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.removesuffix("\n") + "\n", encoding="utf-8")
    written = file.read_text(encoding="utf-8")
    return written if text.endswith("\n") else written.removesuffix("\n")
