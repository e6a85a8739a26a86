"""Which values of a step's inputs are secrets, by what the workflow says of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from fsd.errors import UsageError
from fsd.github.context import Context
from fsd.release.secret_names import SecretKind, kind_of
from fsd_files.user_files import open_user_file

_SECRET_KEYS = frozenset({"id", "type", "env", "src", "source", "target", "required"})
_MOST = 64 * 1024  # characters of a secret's file
# Versions, switches, names, places: hiding them would make the rest unreadable.
_PLAIN = re.compile(
    r"[A-Za-z]+|[\d.,:/-]+|v?\d[\w.-]{0,20}|[a-z][a-z0-9]*(?:[-_./][a-z0-9]+)*|[./][\w./-]*"
    r"|https?://[^@?]*|\S{0,5}"
)


def check_build_secrets(lines: Iterable[str]) -> tuple[str, ...]:
    """Lines as `docker build --secret` takes them.

    Raises UsageError that never has a value: `NAME=VALUE`, as docker/build-push-action takes it,
    is the mistake that people make. https://github.com/docker/build-push-action#inputs
    """
    checked = tuple(lines)
    for number, line in enumerate(checked, 1):
        keys = [part.partition("=")[0].strip() for part in line.split(",")]
        if (
            "id" in keys
            and _SECRET_KEYS.issuperset(keys)
            and all("=" in p for p in line.split(","))
        ):
            continue
        name, sign, _ = line.partition("=")
        is_name = bool(sign) and re.fullmatch(r"[A-Za-z_][\w.-]{0,60}", name.strip()) is not None
        said = f"`{name.strip()}=…`" if is_name else f"line {number}"
        raise UsageError(
            f"{said} is not how a build secret is written (its value is not shown)",
            where="input build-secrets",
            fix="write `id=NAME,env=VARIABLE` or `id=NAME,src=FILE`, and give the value by `env:`",
        )
    return checked


def secret_values(lines: Iterable[str], variable: Callable[[str], str]) -> Iterator[str]:
    """The values that build secrets stand for, from variables and files."""
    for line in lines:
        parts = dict(part.strip().partition("=")[::2] for part in line.split(","))
        name = parts.get("env", "")
        file = parts.get("src") or parts.get("source") or ""
        if name or not file:
            yield variable(name or parts.get("id", ""))
        if file:
            # As docker does: a source that is no file may be a variable's name.
            yield variable(file)
            yield _read(Path(file))


def _read(path: Path) -> str:
    try:
        with open_user_file(path) as file:
            return file.read(_MOST).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def argument_values(arguments: Mapping[str, str], context: Context) -> Iterator[str]:
    """Those of the build arguments that may be secrets: by their name, or as they look.

    What the run itself says of itself in public, such as the commit, is none.
    """
    public = {context.sha, context.merge_sha, context.commit, context.repository, context.ref}
    public |= {context.branch, context.tag, context.actor, context.run_url, context.server_url}
    for name, value in arguments.items():
        if value in public or (context.sha and context.sha.startswith(value)):
            continue
        if kind_of(name, sign="=") is not SecretKind.NONE or not _PLAIN.fullmatch(value):
            yield value
