"""Where FSD's own files are in a repository. Imports nothing else: every command pays for it."""

from __future__ import annotations

from pathlib import Path

ENVIRONMENTS_FILE = Path(".fsd", "environments.yml")
