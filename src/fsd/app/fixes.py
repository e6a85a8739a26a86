"""`fsd validate --fix` and `--diff`: what can be repaired, written in one step.

A file is replaced by a rename, so that a reader or a crash meets the old text or the new one. It
keeps its mode, and a link stays a link.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from fsd.errors import ErrorCode, ManifestError
from fsd.lint.fix import Fixed, fix
from fsd.manifest.load import Loaded
from fsd_files.user_files import open_user_file


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedFile:
    """`text` is what was there, and `loaded` what is there now."""

    path: str
    text: str
    fixed: Fixed
    loaded: Loaded


def fix_file(
    path: str, text: str, loaded: Loaded, *, check: Callable[[str], Loaded], write: bool
) -> FixedFile | None:
    """None where there is nothing to fix. Without `write` the file stays as it is.

    Raises ManifestError where the file cannot be written.
    """
    if all(finding.edit is None for finding in loaded.findings):
        return None
    fixed = fix(text, loaded, check=check)
    if fixed.done and write:
        replace_file(Path(path), old=text, new=fixed.text)
    after = _less_promised(fixed.loaded if write else loaded, fixed)
    return FixedFile(path=path, text=text, fixed=fixed, loaded=after)


def _less_promised(loaded: Loaded, fixed: Fixed) -> Loaded:
    """What was tried and could not be done is not shown as something that --fix can do."""
    tried = {(item.finding.id, item.finding.key_path) for item in fixed.not_done}
    findings = (
        replace(item, edit=None) if (item.id, item.key_path) in tried else item
        for item in loaded.findings
    )
    return replace(loaded, findings=tuple(findings))


def replace_file(path: Path, *, old: str, new: str) -> None:
    """Write a file that still holds `old`. Raises ManifestError where that cannot be done."""
    target = Path(os.path.realpath(path))
    try:
        with open_user_file(target) as file:
            is_same = file.read(len(old.encode()) + 1) == old.encode()
        if not is_same:
            raise _unwritable("it has changed while it was checked", path, "run it again")
        if not os.access(target, os.W_OK):
            # A rename would ask the folder only.
            raise _unwritable("you may not write this file", path, f"chmod u+w {path}")
        mode = stat.S_IMODE(target.stat().st_mode)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(new.encode())
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        what = f"the fixes cannot be written: {error.strerror}"
        raise _unwritable(what, path, "allow it, or see them with --diff") from error


def _unwritable(what: str, path: Path, fix: str) -> ManifestError:
    return ManifestError(what, where=str(path), fix=fix, code=ErrorCode.MANIFEST_UNWRITABLE)
