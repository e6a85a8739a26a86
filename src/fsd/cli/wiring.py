"""Builds the clients. The only place that reads the environment of the process."""

from __future__ import annotations

import getpass
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsd import embedded_aws
from fsd.app.account import Connection, Embedded, WebIdentity, guard_account
from fsd.errors import CallFailedError, ErrorCode
from fsd.manifest.environments import LOCAL, Environment
from fsd.release.notes import Created, Made
from fsd.streams import say

if TYPE_CHECKING:
    from fsd.app.bootstrap import AccountSetup
    from fsd.app.doctor import Preflight
    from fsd.app.governed import DefaultBranch
    from fsd.aws.session import AwsSession
    from fsd.github.commits import Commits
    from fsd.github.context import Context
    from fsd.release.ports import Aws, ExecSession, Identity


# What must not reach the docker that builds, nor any other child.
_TOKENS = ("FSD_INPUT_GITHUB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")


_TOKENS_DESCRIPTOR = "FSD_TOKENS_FD"  # of the pipe by which scripts/action hands them on
_PR_SET_DUMPABLE = 4


def take_workflow_environment() -> dict[str, str]:
    """The variables of a workflow's step; the tokens among them are removed from the process.

    The Action's come by a pipe: `/proc/PID/environ` shows for ever what a process began with.
    """
    environ = dict(os.environ)
    for name in (*_TOKENS, _TOKENS_DESCRIPTOR):
        os.environ.pop(name, None)
    descriptor = environ.pop(_TOKENS_DESCRIPTOR, "")
    return environ | _read_tokens(int(descriptor)) if descriptor.isdigit() else environ


def _read_tokens(descriptor: int) -> dict[str, str]:
    """`NAME=value` lines, only of the names that are known; {} where it is no open pipe."""
    try:
        with open(descriptor, encoding="utf-8") as pipe:
            pairs = (line.rstrip("\n").partition("=") for line in pipe)
            return {name: value for name, _, value in pairs if name in _TOKENS and value}
    except OSError:
        return {}


def forbid_inspection() -> None:
    """Keep other processes of this user out of our memory and environment (Linux; root may).

    https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def govern(
    context: Context,
    commits: Commits | None,
    *,
    warn: Callable[[str], None],
    file: Path | None = None,
) -> DefaultBranch | Path | None:
    """A workflow's environments file: `file`, or what is found, governed by the default branch.

    What runs on the default branch is it, where its commit is what is checked out, unchanged: a
    run on main may have taken another's code. Read through git where the branch was fetched, which
    actions/checkout does for one branch only, and through GitHub's API else.
    """
    from fsd.app.governed import DefaultBranch
    from fsd.image.context import ask_git, read_head, show_file

    branch, folder = context.default_branch, Path.cwd()
    top = ask_git(folder, "rev-parse", "--show-toplevel")
    if not branch or not top:
        return file
    # After workflow_run a tag of the branch's name looks like the branch.
    is_of_branch = context.branch == branch and context.event not in (
        "pull_request",
        "workflow_run",
    )
    if is_of_branch and read_head(Path(top)) == (context.sha, False):
        return file

    def read(path: str) -> str | None:
        is_here, text = show_file(folder, f"refs/remotes/origin/{branch}", path)
        if is_here:
            return text
        if commits is None:
            raise CallFailedError(
                f"origin/{branch} is not fetched, and FSD has no github-token with which to ask "
                "GitHub",
                where=path,
                fix="give the job `permissions: contents: read`, and leave github-token as it is",
            )
        return commits.read_file(path, branch=branch)

    return DefaultBranch(name=branch, root=Path(top), read=lru_cache(read), warn=warn, file=file)


def is_in_workflow() -> bool:
    """Whether a job's log, which others may read, gets what is printed.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    return os.environ.get("GITHUB_ACTIONS") == "true"


def govern_in_workflow() -> DefaultBranch | Path | None:
    """The same for a command that a workflow's `run:` gives; None at a terminal."""
    if not is_in_workflow():
        return None
    from fsd.github.commits import Commits
    from fsd.github.context import read_context, read_event

    context = read_context(os.environ, event_text=read_event(os.environ))
    token = os.environ.get("GH_TOKEN") or os.environ.get("GITHUB_TOKEN") or ""
    commits = Commits(context.repository, token=token, api_url=context.api_url) if token else None
    return govern(context, commits, warn=lambda text: say(f"warning: {text}", err=True))


def connect(
    environment: Environment,
    *,
    region: str | None = None,
    identity: WebIdentity | None = None,
    start: bool = True,
    service: str = "",
) -> Connection:
    """Open the account of an environment. `local` starts the embedded AWS where it is not running,
    unless `start` is False: who only looks starts nothing. `service` is the ECS service that is
    read anyway, so that its ARN can say whose account this is.

    Raises CallFailedError without credentials or a running embedded AWS, RefusedError in another
    account than the environment's.
    """
    if environment.name == LOCAL:
        return _connect_local(environment, start=start)
    from fsd.aws.first_look import look_first
    from fsd.aws.side_by_side import SideBySide

    session, embedded = _open_session(environment, region=region, identity=identity)
    who, read = look_first(session, cluster=environment.cluster_name, service=service)
    return Connection(
        aws=_build(session, environment, embedded, who=who),
        environment=environment,
        run=who_runs(),
        embedded=embedded,
        read=read,
        read_at=time.monotonic(),
        reads=SideBySide(),
    )


def attach_session(connection: Connection, open_session: Callable[[], ExecSession]) -> int:
    """Give the terminal to a session in a task; the exit code of what had it.

    A workflow's log gets the session's lines as those of `fsd logs`. Raises CallFailedError without
    the session-manager-plugin, before the session is opened.
    """
    if not is_in_workflow():
        return _attach_session(connection, open_session, show=None)
    from fsd.cli.workflow_log import WorkflowLog

    log = WorkflowLog()
    try:
        return _attach_session(connection, open_session, show=log.write)
    finally:
        log.close()


def _attach_session(
    connection: Connection,
    open_session: Callable[[], ExecSession],
    *,
    show: Callable[[bytes], None] | None,
) -> int:
    if connection.embedded is not None:
        session = open_session()
        embedded_aws.attach_session(stream_url=session.stream_url, token=session.token, show=show)
        return 0
    from fsd.aws import session_plugin

    session_plugin.require_plugin()
    aws = connection.aws
    return session_plugin.attach(
        open_session(),
        region=aws.identity.region,
        endpoint_url=aws.exec_sessions.session_manager_url(),
        environ=os.environ,
        key=aws.exec_sessions.key(),
        show=show,
    )


def connect_account(environment: Environment, *, region: str | None) -> AccountSetup:
    """The account with the caller's own credentials: no role of the environment may set it up.

    Raises as `connect`.
    """
    from fsd.app.bootstrap import AccountSetup
    from fsd.aws.account import AwsAccount

    bare = replace(environment, role_arn=None, cloud_formation_role_arn=None)
    session, embedded = _open_session(bare, region=region, identity=None)
    return AccountSetup(
        aws=_build(session, bare, embedded),
        account=AwsAccount(clients=session),
        environment=environment.name,
        cluster=environment.cluster_name,
    )


def connect_preflight(environment: Environment, *, region: str | None) -> tuple[Aws, Preflight]:
    """With the credentials that a deployment would have; with the caller's own where the role does
    not let the caller in, as a role that only workflows may assume. Raises as `connect`."""
    from fsd.aws.preflight import AwsPreflight

    try:
        session, embedded = _open_session(environment, region=region, identity=None)
    except CallFailedError as error:
        if error.code is not ErrorCode.ASSUME_ROLE_DENIED:
            raise
        own = replace(environment, role_arn=None)
        session, embedded = _open_session(own, region=region, identity=None)
    return _build(session, environment, embedded), AwsPreflight(clients=session)


def read_running_service(cluster: str, service: str, *, region: str | None) -> dict[str, Any]:
    """What AWS says of any service, with the caller's own credentials. Raises CallFailedError."""
    from fsd.aws.running_service import AwsRunning
    from fsd.manifest.environments import default_environment

    session, _ = _open_session(default_environment("any"), region=region, identity=None)
    return AwsRunning(clients=session).read(cluster, service)


def _open_session(
    environment: Environment, *, region: str | None, identity: WebIdentity | None
) -> tuple[AwsSession, Embedded | None]:
    from fsd.app.clock import SystemClock
    from fsd.aws.session import open_session

    session = open_session(
        # botocore reads only AWS_DEFAULT_REGION; the other SDKs and the CLI v2 read AWS_REGION.
        region=region or environment.region or os.environ.get("AWS_REGION"),
        role_arn=identity.role_arn if identity else environment.role_arn,
        web_identity=identity.token if identity else None,
        session_name=identity.session_name if identity else session_name(),
        duration=identity.duration if identity else None,
        clock=SystemClock(),
    )
    return session, _find_embedded()


def _build(
    session: AwsSession,
    environment: Environment,
    embedded: Embedded | None,
    *,
    who: Identity | None = None,
) -> Aws:
    """The adapters; raises RefusedError in another account than the environment's."""
    from fsd.app.clock import SystemClock
    from fsd.aws.connect import connect as connect_aws

    aws = connect_aws(
        session,
        clock=SystemClock(),
        identity=who,
        cloud_formation_role_arn=environment.cloud_formation_role_arn,
        poll=timedelta(seconds=2 / max(1.0, embedded.speed if embedded else 1.0)),
        warn=lambda text: say(f"warning: {text}", err=True),
    )
    guard_account(aws, environment)
    return aws


def who_forces(force: bool) -> str:
    """Who passes an environment's border: "" without --force."""
    return who_runs() if force else ""


def who_runs() -> str:
    """For the ledger: the workflow's run, or user@host."""
    server, repo = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    run = os.environ.get("GITHUB_RUN_ID")
    if server and repo and run:
        return f"{server}/{repo}/actions/runs/{run}"
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _connect_local(environment: Environment, *, start: bool) -> Connection:
    from fsd.app.clock import SystemClock
    from fsd.aws.connect import connect as connect_aws
    from fsd.aws.session import open_session
    from fsd.aws.side_by_side import SideBySide

    running = embedded_aws.find()
    if running is None and not start:
        raise CallFailedError(
            "the embedded AWS is not running, so nothing is running in it",
            where=f"--env {LOCAL}",
            fix="run `fsd local up`, or deploy with `fsd deploy --env local`",
            code=ErrorCode.LOCAL_NOT_RUNNING,
        )
    instance = running or embedded_aws.ensure()
    session = open_session(
        region=instance.region,
        endpoint_url=instance.endpoint,
        credentials=embedded_aws.credentials(instance),
        session_name=session_name(),
    )
    poll = timedelta(seconds=2 / max(1.0, instance.speed))
    aws = connect_aws(session, clock=SystemClock(), poll=poll)
    behind = Embedded(endpoint=instance.endpoint, runtime=instance.runtime, speed=instance.speed)
    notes = () if running else (Created(what=Made.EMBEDDED_AWS, name=instance.endpoint),)
    return Connection(
        aws=aws,
        environment=environment,
        run=who_runs(),
        embedded=behind,
        notes=notes,
        reads=SideBySide(),
    )


def _find_embedded() -> Embedded | None:
    """Whether AWS_ENDPOINT_URL is an embedded AWS: it says which images it runs, and how fast."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if not endpoint:
        return None
    found = embedded_aws.probe(endpoint)
    if found is None:
        return None
    instance = found.instance
    return Embedded(endpoint=endpoint, runtime=instance.runtime, speed=instance.speed)


def usual_region() -> str:
    """That of the shell, "" without one.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    """
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""


def session_name() -> str:
    """What CloudTrail shows: the run of the workflow, where there is one."""
    run = os.environ.get("GITHUB_RUN_ID")
    return f"fsd-{run}" if run else "fsd"
