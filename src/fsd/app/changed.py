"""Which of several services a deployment would change, before there are jobs that deploy them.

The plan of each says it, so that this and the deployment cannot differ: the image is compared by
everything that goes into it, settings as AWS has them, and a release's name alone is no change.
No history is needed: a checkout of one commit is enough.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from fsd.app.account import Connection, Connector, WebIdentity
from fsd.app.deployment import DeployOptions
from fsd.app.inside import require_inside
from fsd.app.manifest_files import STDIN, Named, find_files
from fsd.app.plan import run_plan
from fsd.change import Sign
from fsd.errors import UsageError
from fsd.image.context import ask_git
from fsd.manifest.environments import Environment
from fsd.plan.steps import (
    ApplyStack,
    CreateService,
    Plan,
    PutSchedule,
    RegisterRevision,
    UseRevision,
)
from fsd.release.reporter import Silent
from fsd.report.changed import ServiceChange, Why

# Each plan reads side by side, too. Most of ECS's reads are refilled at 20 a second.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
_PLANS_AT_ONCE = 4


def find_changes(
    names: Sequence[str], options: DeployOptions, connect: Connector
) -> tuple[ServiceChange, ...]:
    """`names` are files, patterns and folders; `options` is what all plans have in common.

    Raises ManifestError, UsageError for two manifests of one service, RefusedError for a link out
    of the checkout, and what a plan raises: nothing is left out.
    """
    files = [_checked(named) for named in find_files(names)]
    shared = _OneAccount(connect=connect)

    def look(file: Path) -> ServiceChange:
        planned = run_plan(replace(options, file=file), shared, reporter=Silent())
        return ServiceChange(
            service=planned.service,
            file=_shown(file),
            environment=planned.environment,
            why=_why(planned.plan),
        )

    with ThreadPoolExecutor(max_workers=_PLANS_AT_ONCE) as pool:
        found = tuple(pool.map(look, files))
    _require_different(found)
    return found


def _why(plan: Plan) -> Why | None:
    """With an image, values such as `${VERSION}` change too: they are not told apart."""
    if plan.is_empty:
        return None
    is_image = False
    for step in plan.steps:
        match step:
            case CreateService() | PutSchedule(sign=Sign.ADD) | ApplyStack(sign=Sign.ADD):
                return Why.NEW
            case RegisterRevision(changes=changes) | UseRevision(changes=changes):
                is_image = any(change.what == "image" for change in changes)
            case _:
                pass
    return Why.IMAGE if is_image else Why.SETTINGS


def _checked(named: Named) -> Path:
    if named.error is not None:
        raise named.error
    if str(named.path) == STDIN:
        raise UsageError(
            "a Service YAML on standard input has no folder to build",
            where=STDIN,
            fix="name a file, a pattern or a folder",
        )
    top = Path(ask_git(Path.cwd(), "rev-parse", "--show-toplevel") or Path.cwd())
    if Path(os.path.abspath(named.path)).is_relative_to(top.resolve()):
        require_inside(named.path, top, where="fsd changed")
    return named.path


def _shown(file: Path) -> str:
    """As the Action's `service-file` takes it, if the current folder is the checkout."""
    whole = Path(os.path.abspath(file))
    return (
        whole.relative_to(Path.cwd()).as_posix() if whole.is_relative_to(Path.cwd()) else str(file)
    )


def _require_different(found: Sequence[ServiceChange]) -> None:
    """Two jobs would deploy the same service at the same time."""
    files: dict[str, str] = {}
    for each in found:
        other = files.setdefault(each.service, each.file)
        if other != each.file:
            raise UsageError(
                f"`{other}` and `{each.file}` are both of the service {each.service}",
                where=each.file,
                fix="give one of them another `metadata.name`, or name the files to look at",
            )


@dataclass(slots=True)
class _OneAccount:
    """Opened once for all plans of an environment: its Region and who FSD is stay the same."""

    connect: Connector
    _opened: list[Connection] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(
        self,
        environment: Environment,
        *,
        region: str | None = None,
        identity: WebIdentity | None = None,
        start: bool = True,
        service: str = "",
    ) -> Connection:
        del service  # the first one's is not the others'
        with self._lock:
            for opened in self._opened:
                if opened.environment == environment:
                    return opened
            self._opened.append(
                self.connect(environment, region=region, identity=identity, start=start)
            )
            return self._opened[-1]
