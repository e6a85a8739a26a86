"""A plan in a file: written by `fsd plan --out`, and what `fsd deploy --plan` is held to.

The file is of somebody else when it is read: what it says is compared and never obeyed.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from fsd import __version__
from fsd.app.deployment import Chosen, DeployOptions, Prepared
from fsd.app.prepare import compile_desired
from fsd.compile.desired import Desired
from fsd.errors import ErrorCode, RefusedError, UsageError
from fsd.plan.jobs import plan_job
from fsd.plan.observed import Observed
from fsd.plan.planner import plan_release
from fsd.plan.saved import (
    MOST_BYTES,
    ON_AWS,
    Basis,
    Read,
    SavedPlan,
    changed_reads,
    digest_observed,
    read_saved_plan,
    save_plan,
    saved_plan_text,
)
from fsd.plan.steps import Plan
from fsd.release.observe import observe, place_of
from fsd_files.user_files import read_user_text

_PREFIX = 100  # characters of a temporary file's name, which has a limit of its own
_NAMES = {
    Read.MANIFEST: "the manifest with its overrides",
    Read.RELEASE: "the release's version or commit",
    Read.IMAGE: "the image",
    Read.NETWORK: "the environment's account, network or cluster",
    Read.CLUSTER: "the cluster",
    Read.STACK: "the stack",
    Read.SERVICE: "the service's settings",
    Read.REVISION: "the task definition",
    Read.DEPLOYMENT: "the service's deployments",
    Read.SCALING: "auto scaling",
    Read.SCHEDULE: "the schedule",
    Read.STEPS: "the plan's steps",
}


def plan_of(desired: Desired, observed: Observed) -> Plan:
    return plan_job(desired, observed) if desired.schedule else plan_release(desired, observed)


def make_basis(options: DeployOptions, prepared: Prepared, chosen: Chosen) -> Basis:
    """What a plan is made of. Reads AWS, unless that is being read already."""
    desired = compile_desired(prepared, chosen.image, options)
    observed = prepared.observed() or observe(prepared.connection.aws, place_of(desired))
    return Basis(
        manifest=json.loads(json.dumps(asdict(prepared.manifest), default=str)),
        network=prepared.target,
        version=prepared.release.version,
        commit=prepared.release.commit,
        image=chosen.image,
        desired=desired,
        observed=observed,
        plan=plan_of(desired, observed),
    )


def write_plan(path: Path, basis: Basis) -> None:
    """Over an older plan; anything else that has the name stays. Raises RefusedError."""
    text = saved_plan_text(save_plan(basis, made_by=__version__))
    try:
        if path.exists() or path.is_symlink():
            _read(path)
        _write_whole(path, text)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise RefusedError(
            f"the plan was not saved: {why}",
            where=str(path),
            fix="name another file with --out",
            code=ErrorCode.CANNOT_WRITE,
        ) from error


def _write_whole(path: Path, text: str) -> None:
    """All of it or nothing, whatever ends this process: a half of a plan would be in the way of the
    next. For its owner alone, as mkstemp makes it."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}."[:_PREFIX], dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def load_plan(path: Path) -> SavedPlan:
    """Raises UsageError for what is not a plan."""
    try:
        return _read(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"this is not a plan that FSD has saved: {why}",
            where=str(path),
            fix="save one: fsd plan --env ENV --file FILE --out PLAN",
            code=ErrorCode.NOT_A_PLAN,
        ) from error


def _read(path: Path) -> SavedPlan:
    return read_saved_plan(read_user_text(path, most=MOST_BYTES))


def require_as_saved(saved: SavedPlan, basis: Basis) -> None:
    """Before anything is made. Raises RefusedError for a plan of another place, and for one that is
    out of date."""
    now = save_plan(basis, made_by=__version__)
    if saved.place != now.place:
        raise RefusedError(
            f"the plan is for {_place(saved)}, and this deployment for {_place(now)}",
            where="--plan",
            fix="deploy it where it was made for, or save a plan for this environment",
            code=ErrorCode.PLAN_ELSEWHERE,
        )
    changed = changed_reads(saved, now.reads)
    if changed == (Read.STEPS,) and saved.made_by != now.made_by:
        raise _stale(f"it was created by fsd {saved.made_by}, and this is {now.made_by}")
    if changed == (Read.STEPS,):
        raise _stale("this command's options, or what this role may see, lead to other steps")
    if Read.IMAGE in changed and saved.digest and now.digest and saved.digest != now.digest:
        raise _stale(f"the image was {saved.digest}, and now it is {now.digest}")
    # The steps follow from the rest.
    _require_none(one for one in changed if one is not Read.STEPS)


def require_aws_as_saved(saved: SavedPlan, observed: Observed) -> None:
    """Again before AWS is changed: another deployment may have begun. Raises RefusedError."""
    now = digest_observed(observed)
    _require_none(changed_reads(saved, {name: now[name] for name in ON_AWS}))


def _require_none(changed: Iterable[Read]) -> None:
    names = [_NAMES[name] for name in changed]
    if names:
        raise _stale(f"since then changed: {', '.join(names)}")


def _place(saved: SavedPlan) -> str:
    return f"{saved.service} in {saved.environment} ({saved.account} · {saved.region})"


def _stale(why: str) -> RefusedError:
    return RefusedError(
        f"the saved plan is out of date: {why}",
        where="--plan",
        fix="save it again with `fsd plan --out`, read it, and deploy that",
        code=ErrorCode.STALE_PLAN,
    )
