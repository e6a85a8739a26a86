from __future__ import annotations

import tomllib
from pathlib import Path

from fsd import __version__

ROOT = Path(__file__).parent.parent.parent


def test_version__of_the_package__is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert __version__ == project["version"]
