"""The Action's inputs, read once and checked: names and meanings are action.yml's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum, auto
from pathlib import Path

from fsd.action.secrets import check_build_secrets
from fsd.app.inside import require_inside
from fsd.errors import UsageError
from fsd.github.runner import Runner
from fsd.manifest.ref_patterns import find_problem
from fsd.release.concurrency.in_flight import InFlight
from fsd.release.deploy_request import OnCancel

DEFAULT_BRANCHES = {"staging": "dev", "main": "prod"}
PLATFORMS = {"linux/amd64": "X86_64", "linux/arm64": "ARM64"}

# A bare number is minutes to one reader (as `timeout-minutes`) and seconds to the other.
_DURATION = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
# STS gives 15 minutes too, and botocore would then renew before every call.
_SHORTEST_SESSION = timedelta(minutes=30)
_LONGEST_SESSION = timedelta(hours=12)
_NOT_GIVEN = "none"  # action.yml's default of `rollback-to`


class Said(StrEnum):
    """What the workflow says of a rollback where it names no release."""

    NOTHING = "nothing"
    EMPTY = "empty"  # the input is there, and has no value
    NO = "no"  # a deployment is meant


class CommentLogs(StrEnum):
    """Whether log lines may be in comments; AUTO: not in a public repository's."""

    AUTO = auto()
    ALWAYS = auto()
    NEVER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the workflow asks for. Empty means not given."""

    service_file: str = "service.yml"  # a path or a glob
    environment: str = ""
    branch_environments: Mapping[str, str] = field(default_factory=lambda: DEFAULT_BRANCHES)
    environments_file: Path | None = None
    role_to_assume: str = ""
    role_session_name: str = ""
    role_duration: timedelta | None = None  # AWS's own: an hour
    aws_region: str = ""
    image: str = ""
    context: Path | None = None
    dockerfile: Path | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    build_secrets: tuple[str, ...] = ()
    platform: str = ""  # X86_64, ARM64; "" is the manifest's
    cache: bool = True
    overrides: tuple[str, ...] = ()
    version: str = ""
    timeout: timedelta | None = None  # as `fsd deploy` without the option
    in_flight: InFlight = InFlight.WAIT
    on_cancel: OnCancel = OnCancel.LEAVE
    adopt: bool = False
    allow_older: bool = False
    allow_interruption: bool = False
    allow_replacement: bool = False
    rollback: bool = True
    rollback_to: str = ""  # a release to go back to, instead of a deployment; or `previous`
    rollback_said: Said = Said.NOTHING
    comment: bool = True
    comment_logs: CommentLogs = CommentLogs.AUTO
    github_token: str = field(default="", repr=False)
    dry_run: bool = False
    require_promotion_from: str = ""

    @property
    def maps_branches(self) -> bool:
        """Whether the workflow says which branch goes where, and not only the default."""
        return dict(self.branch_environments) != DEFAULT_BRANCHES

    @property
    def all_overrides(self) -> tuple[str, ...]:
        return (*self.overrides, *((f"platform={self.platform}",) if self.platform else ()))


def read_inputs(runner: Runner) -> Inputs:
    """Raises UsageError for what cannot be meant."""
    rollback, _ = _rollback(runner.input("rollback"))
    rollback_to, rollback_said = _rollback_to(runner)
    inputs = Inputs(
        service_file=runner.input("service-file") or "service.yml",
        environment=runner.input("environment"),
        branch_environments=_branches(runner.input("branch-environments")),
        environments_file=_path(runner.input("environments-file")),
        role_to_assume=runner.input("role-to-assume"),
        role_session_name=_session_name(runner.input("role-session-name")),
        role_duration=_role_duration(runner.input("role-duration")),
        aws_region=runner.input("aws-region"),
        image=runner.input("image"),
        context=_path(runner.input("context")),
        dockerfile=_path(runner.input("dockerfile")),
        build_args=_build_args(runner.lines("build-args")),
        build_secrets=check_build_secrets(runner.lines("build-secrets")),
        platform=_platform(runner.input("platforms")),
        cache=runner.flag("cache", default=True),
        overrides=runner.lines("overrides"),
        version=runner.input("version"),
        timeout=_timeout(runner.input("timeout")),
        in_flight=InFlight(_choice(runner, "in-flight", InFlight)),
        on_cancel=OnCancel(_choice(runner, "on-cancel", OnCancel)),
        adopt=runner.flag("adopt", default=False),
        allow_older=runner.flag("allow-older", default=False),
        allow_interruption=runner.flag("allow-interruption", default=False),
        allow_replacement=runner.flag("allow-replacement", default=False),
        rollback=rollback,
        rollback_to=rollback_to,
        rollback_said=rollback_said,
        comment=runner.flag("comment", default=True),
        comment_logs=CommentLogs(_choice(runner, "comment-logs", CommentLogs)),
        github_token=runner.input("github-token"),
        dry_run=runner.flag("dry-run", default=False),
        require_promotion_from=runner.input("require-promotion-from"),
    )
    _check(inputs)
    return inputs


def _check(inputs: Inputs) -> None:
    if inputs.image and (inputs.context or inputs.dockerfile):
        raise _wrong("image", inputs.image, "give `image`, or `context` and `dockerfile`; not both")
    if inputs.rollback_to and inputs.dry_run:
        raise _wrong("dry-run", "true", "a rollback has no dry run; look at `fsd history`")


def find_service_files(pattern: str, root: Path) -> tuple[Path, ...]:
    """Manifests below `root`, in the order of their names; a path without `*`, and one that is
    there by that very name, is itself.

    Raises UsageError where a glob finds none, or leads out of the checkout; RefusedError where a
    link does.
    """
    if ".." in Path(pattern).parts or Path(pattern).is_absolute():
        raise _wrong("service-file", pattern, "name a path below the checkout, without `..`")
    if not re.search(r"[*?\[]", pattern) or os.path.lexists(root / pattern):
        require_inside(root / pattern, root, where="input service-file")
        return (Path(pattern),)
    found = sorted(path.relative_to(root) for path in root.glob(pattern) if path.is_file())
    if not found:
        raise _wrong("service-file", pattern, f"no file of {root} matches; check out first")
    for path in found:
        require_inside(root / path, root, where="input service-file")
    return tuple(found)


def _branches(text: str) -> Mapping[str, str]:
    """`staging=dev, main=prod`, or a line each; a branch may be a filter pattern of GitHub's."""
    found: dict[str, str] = {}
    patterns: dict[str, tuple[str, ...]] = {}
    for pattern, name in _pairs(re.split(r"[,\s]+", text), name="branch-environments"):
        if found.get(pattern, name) != name:
            raise _wrong(
                "branch-environments", pattern, "name only one environment for this branch"
            )
        found[pattern] = name
        patterns[name] = (*patterns.get(name, ()), pattern)
    for name, each in patterns.items():
        wrong = find_problem(each)
        if wrong:
            raise UsageError(
                f"{wrong[1]} (for {name or 'no environment'})",
                where="input branch-environments",
                fix="write a branch or GitHub's filter pattern, such as `release/*=prod`",
            )
    return found or DEFAULT_BRANCHES


def _build_args(lines: Sequence[str]) -> Mapping[str, str]:
    """A line that is none is not shown: it may be a part of a secret."""
    for number, line in enumerate(lines, 1):
        if not line.partition("=")[0].strip() or "=" not in line:
            raise UsageError(
                f"line {number} is not a build argument (it is not shown)",
                where="input build-args",
                fix="write NAME=VALUE; a value may not have line breaks",
            )
    return dict(_pairs(lines, name="build-args"))


def _pairs(items: Iterable[str], *, name: str) -> Iterable[tuple[str, str]]:
    for item in filter(None, items):
        key, separator, value = item.partition("=")
        if not separator or not key.strip():
            raise _wrong(name, item, "write NAME=VALUE")
        yield key.strip(), value.strip()


def _rollback(text: str) -> tuple[bool, str]:
    """(go back after a failure, the release to go back to now)."""
    match text.lower():
        case "" | "true":
            return True, ""
        case "false":
            return False, ""
    return True, text


def _rollback_to(runner: Runner) -> tuple[str, Said]:
    """The release to go back to, by `rollback-to` or, as it was before, by `rollback`."""
    text, (_, old) = runner.input("rollback-to"), _rollback(runner.input("rollback"))
    asks = text if text not in (_NOT_GIVEN, "false") else ""
    if asks and old and asks != old:
        raise _wrong("rollback", old, "write `true` or `false`; `rollback-to` names the release")
    if asks or old:
        return asks or old, Said.NOTHING
    if text == "false":
        return "", Said.NO
    is_empty = any(runner.is_empty(name) for name in ("rollback-to", "rollback"))
    return "", Said.EMPTY if is_empty else Said.NOTHING


def _timeout(text: str) -> timedelta | None:
    found = _duration("timeout", text)
    if found is not None and not found:
        raise _wrong("timeout", text, "write how long a rollout may take, such as 20m")
    return found


def _role_duration(text: str) -> timedelta | None:
    found = _duration("role-duration", text)
    if found is not None and not _SHORTEST_SESSION <= found <= _LONGEST_SESSION:
        raise _wrong(
            "role-duration",
            text,
            "write a time from 30m to 12h: FSD renews a session 15 minutes before its end",
        )
    return found


def _session_name(text: str) -> str:
    if text and not _SESSION_NAME.fullmatch(text):
        raise _wrong("role-session-name", text, "use 2 to 64 letters, digits and `_=,.@+-`")
    return text


def _duration(name: str, text: str) -> timedelta | None:
    if not text:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        hint = f"{text}m or {text}s" if text.isdecimal() else "90s, 20m or 1h30m"
        raise _wrong(name, text, f"write {hint}")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _platform(text: str) -> str:
    """Docker's word for it → the task definition's. A service runs on one."""
    if not text:
        return ""
    if text not in PLATFORMS:
        raise _wrong("platforms", text, f"name one of {', '.join(PLATFORMS)}")
    return PLATFORMS[text]


_DEFAULTS = {"in-flight": "wait", "on-cancel": "leave", "comment-logs": "auto"}


def _choice(runner: Runner, name: str, choices: type[StrEnum]) -> str:
    """One of the words that the input takes; nothing is its default."""
    text = runner.input(name) or _DEFAULTS[name]
    if text not in list(choices):
        raise _wrong(name, text, f"name one of {', '.join(choices)}")
    return text


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _wrong(name: str, value: str, fix: str) -> UsageError:
    return UsageError(f"`{value}` is not a valid value", where=f"input {name}", fix=fix)
