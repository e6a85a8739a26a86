"""What is built, of the Service YAML's `build` and of a command's own flags, which win.

A Service YAML may come from anybody who can open a pull request: its paths stay in the repository.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fsd.errors import ErrorCode, UsageError
from fsd.image.git import run_git
from fsd.manifest.container import Build

_FILE_OF_A_SECRET = re.compile(r"(?:^|,)(?:src|source)=(?P<path>[^,]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """`dockerfile` is None for the one in the context; `args` may be secrets."""

    context: Path
    dockerfile: Path | None = None
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = ()
    cache: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFlags:
    """What a command or the Action says; what is empty is not said."""

    context: Path | None = None
    dockerfile: Path | None = None
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = ()
    cache: bool = True


def choose_settings(build: Build | None, flags: BuildFlags, *, home: Path) -> BuildSettings:
    """`home` is the manifest's folder. Raises UsageError for a path out of the repository."""
    build = build or Build()
    said = [build.context, build.dockerfile, *_secret_files(build.secrets)]
    for path in filter(None, said):
        _require_inside(home, path)
    context = home / build.context if build.context else home
    dockerfile = home / build.dockerfile if build.dockerfile else None
    return BuildSettings(
        context=flags.context or context,
        dockerfile=flags.dockerfile or dockerfile,
        target=flags.target or build.target or "",
        args={**build.args, **flags.args},
        secrets=flags.secrets or build.secrets,
        cache=flags.cache and build.cache,
    )


def _secret_files(secrets: tuple[str, ...]) -> list[str]:
    return [match["path"] for secret in secrets for match in _FILE_OF_A_SECRET.finditer(secret)]


def _require_inside(home: Path, path: str) -> None:
    """Links are followed. Outside git the manifest's own folder is all that it may name."""
    answer = run_git(home, "rev-parse", "--show-toplevel")
    is_known = answer is not None and answer.returncode == 0
    root = Path(answer.stdout.strip()) if answer is not None and is_known else home
    if (home / path).resolve().is_relative_to(root.resolve()):
        return
    where = "the repository" if is_known else "the Service YAML's folder, which is in no repository"
    raise UsageError(
        f"`{path}` leads out of {where}",
        where="service.build",
        fix=f"name a file or folder below {root}, or use --context and --dockerfile",
        code=ErrorCode.CONTEXT_OUTSIDE,
    )
