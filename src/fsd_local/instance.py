"""The embedded AWS's life: find it, start it, stop it, ask it.

One instance for each user and checkout. It is a process of its own, so that `fsd deploy --env
local` and the shell after it meet the same one. Nothing here imports MiniStack: the extra `local`
may be missing, and then only `ensure` minds.

Below the state's root: `<checkout's hash>/` is the instance's folder, gone when it is down;
`<checkout's hash>.lock` makes starting and stopping one at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from fsd_local.errors import LocalCode, LocalError, LocalUsageError
from fsd_local.settings import Settings

Runtime = Literal["container", "process"]

ACCOUNT = "000000000000"
REGION = "us-east-1"

_HOST = "127.0.0.1"
_RECORD = "instance.json"
_FAILURE = "failure.json"
_LOG = "server.log"
_MARKER = ".fsd-local"  # only a folder that has it is ever emptied
_CHECKOUT = "checkout"  # whose instance it is
_START_TIMEOUT = 20.0  # seconds
_STOP_TIMEOUT = 20.0
_CALL_TIMEOUT = 15.0
_PROBE_TIMEOUT = 10.0  # right after its start, it is still loading
_POLL = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A running embedded AWS."""

    endpoint: str  # http://127.0.0.1:PORT
    region: str
    account: str
    runtime: Runtime
    speed: float  # intervals are divided by it
    enforce_iam: bool  # roles may do only what their policies say
    slow_stacks: float  # seconds that each CloudFormation operation takes at least
    pid: int
    state_dir: str
    started_at: datetime
    # The root user's secret key, and the bearer of FSD's own calls. Only the state's folder has it.
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a running one says of itself; `services` and `resources` as in its JSON."""

    instance: Instance
    uptime: float  # seconds
    services: tuple[Mapping[str, Any], ...]
    resources: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def endpoint(self) -> str:
        return self.instance.endpoint

    @property
    def account(self) -> str:
        return self.instance.account

    @property
    def region(self) -> str:
        return self.instance.region

    @property
    def runtime(self) -> Runtime:
        return self.instance.runtime

    @property
    def speed(self) -> float:
        return self.instance.speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A 12-digit access key is that account's root user; its secret is the instance's."""

    access_key_id: str
    secret_access_key: str


def credentials(instance: Instance) -> Credentials:
    return Credentials(access_key_id=instance.account, secret_access_key=instance.secret)


def environment(instance: Instance) -> dict[str, str]:
    """What points the AWS CLI and SDKs at it."""
    keys = credentials(instance)
    return {
        "AWS_ENDPOINT_URL": instance.endpoint,
        "AWS_REGION": instance.region,
        "AWS_DEFAULT_REGION": instance.region,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
    }


# ---- where it lives


def state_dir(root: Path | None = None) -> Path:
    """The folder of the instance for a checkout (default: the one that we are in).

    `FSD_LOCAL_STATE` names the folder itself; else it is below $XDG_STATE_HOME/fsd/local.
    """
    chosen = os.environ.get("FSD_LOCAL_STATE")
    if chosen:
        return Path(chosen).absolute()
    checkout = _checkout(root or Path.cwd())
    return state_root() / hashlib.sha256(str(checkout).encode()).hexdigest()[:12]


def state_root() -> Path:
    """The folder that has those of all checkouts."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "fsd" / "local"


def checkout_of(folder: Path) -> str:
    """The checkout whose instance has its state in `folder`; "" for any other folder."""
    return _text(folder / _CHECKOUT) if _is_private(folder) else ""


def _checkout(start: Path) -> Path:
    """The git top level above `start`, or `start` itself."""
    start = start.resolve()
    return next((p for p in (start, *start.parents) if (p / ".git").exists()), start)


# ---- the life


def find(root: Path | None = None) -> Instance | None:
    """The running instance of a checkout; None where there is none (any more)."""
    return find_in(state_dir(root))


def ensure(settings: Settings | None = None, *, root: Path | None = None) -> Instance:
    """The running instance, started where there is none.

    Raises LocalError: local-extra-missing, port-in-use, local-start-failed; usage where one runs
    already that is not what is asked for.
    """
    checkout = "" if os.environ.get("FSD_LOCAL_STATE") else str(_checkout(root or Path.cwd()))
    return ensure_in(state_dir(root), settings or Settings(), checkout=checkout)


def ensure_in(folder: Path, settings: Settings, *, checkout: str = "") -> Instance:
    """The same for the instance whose state is in `folder`."""
    with _one_at_a_time(folder):
        running = find_in(folder)
        if running is not None:
            _refuse_another(running, settings)
            return running
        _require_extra()
        _require_own(folder)
        _sweep(folder)
        return _start(folder, settings.filled(), checkout)


def down(root: Path | None = None) -> bool:
    """Stop it and all that it started, and remove its state. False where nothing was there."""
    return down_in(state_dir(root))


def down_in(folder: Path) -> bool:
    """The same for the instance whose state is in `folder`."""
    with _one_at_a_time(folder, last=True):
        running = find_in(folder)
        if running is not None:
            _stop(running.pid)
        _require_own(folder)
        crashed = folder.exists()  # one that ends in peace removes it
        _sweep(folder)
        return running is not None or crashed


def reset(root: Path | None = None) -> bool:
    """Remove every resource and stop every task; the instance runs on. False without one."""
    running = find(root)
    if running is None:
        return False
    call(running.endpoint, "POST", "/_fsd/reset", secret=running.secret)
    return True


def register_hook(
    function: str, command: Sequence[str], *, folder: Path, root: Path | None = None
) -> bool:
    """From now on the command, in the folder, answers for a Lambda function; no words end that.

    False without an instance.
    """
    running = find(root)
    if running is None:
        return False
    body = {"function": function, "command": list(command), "folder": str(folder)}
    call(running.endpoint, "POST", "/_fsd/hook", body, secret=running.secret)
    return True


def status(root: Path | None = None) -> Status | None:
    """What the running instance says of itself; None without one. Raises LocalError."""
    running = find(root)
    if running is None:
        return None
    answer = call(running.endpoint, "GET", "/_fsd/status", secret=running.secret)
    return _load_status({**answer, "secret": running.secret})


def probe(endpoint: str) -> Status | None:
    """Ask whether an endpoint is an embedded AWS of FSD's. Only loopback is asked; else None.

    Without the secret it says what it is, and not what is in it.
    """
    if not is_loopback(endpoint):
        return None
    try:
        answer = call(endpoint, "GET", "/_fsd/status", timeout=_PROBE_TIMEOUT)
        return _load_status(answer)
    except (LocalError, KeyError, TypeError, ValueError):
        return None


def is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


# ---- what a manifest names and the local AWS lacks


def ensure_secrets(
    instance: Instance, values_from: Iterable[str], *, service: str = ""
) -> list[str]:
    """Create placeholders for the missing ones; the `valueFrom`s that were missing.

    They are made in the ARN's own account and region, tagged fsd:placeholder=true and with the
    service that they are for.
    """
    request = {"valuesFrom": [*values_from], "service": service}
    answer = call(instance.endpoint, "POST", "/_fsd/placeholders", request, secret=instance.secret)
    return [str(name) for name in answer["created"]]


def find_placeholder_secrets(instance: Instance, values_from: Iterable[str]) -> list[str]:
    """The `valueFrom`s whose value is still the one that was made up."""
    request = {"valuesFrom": [*values_from], "service": ""}
    answer = call(
        instance.endpoint, "POST", "/_fsd/placeholders/find", request, secret=instance.secret
    )
    return [str(name) for name in answer["found"]]


def remove_placeholder_secrets(
    instance: Instance, values_from: Iterable[str] = (), *, service: str = ""
) -> list[str]:
    """Remove the placeholders of a service that no other service uses; their ARNs.

    Without `values_from` all that were made for the service. Other secrets are left alone.
    """
    request = {"valuesFrom": [*values_from], "service": service}
    if not request["valuesFrom"] and not service:
        return []
    answer = call(
        instance.endpoint, "POST", "/_fsd/placeholders/remove", request, secret=instance.secret
    )
    return [str(arn) for arn in answer["removed"]]


# ---- talking to it


def call(
    endpoint: str,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    secret: str = "",
    timeout: float = _CALL_TIMEOUT,
) -> dict[str, Any]:
    """One call of FSD's own interface (`/_fsd/…`). Raises LocalError."""
    parts = urlsplit(endpoint)
    connection = http.client.HTTPConnection(
        parts.hostname or _HOST, parts.port or 80, timeout=timeout
    )
    try:
        connection.request(
            method,
            path,
            body=json.dumps(body or {}) if method == "POST" else None,
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
        )
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LocalError(
            f"the embedded AWS did not answer {path}: {error}",
            where=endpoint,
            fix="fsd-local down, then fsd-local up",
            code=LocalCode.LOCAL_NO_ANSWER,
        ) from error
    finally:
        connection.close()
    if response.status != 200 or not isinstance(answer, dict):
        raise LocalError(
            f"the embedded AWS answered {path} with {response.status}: {answer}",
            where=endpoint,
            fix="fsd-local down, then fsd-local up",
            code=LocalCode.LOCAL_CALL_FAILED,
        )
    return answer


def _load_status(answer: Mapping[str, Any]) -> Status:
    return Status(
        instance=_load_instance(answer),
        uptime=float(answer["uptime"]),
        services=tuple(answer["services"]),
        resources=dict(answer["resources"]),
        notes=tuple(answer["notes"]),
    )


def _load_instance(record: Mapping[str, Any]) -> Instance:
    return Instance(
        endpoint=str(record["endpoint"]),
        region=str(record["region"]),
        account=str(record["account"]),
        runtime=record["runtime"],
        speed=float(record["speed"]),
        enforce_iam=bool(record["enforce_iam"]),
        slow_stacks=float(record["slow_stacks"]),
        pid=int(record["pid"]),
        state_dir=str(record["state_dir"]),
        started_at=datetime.fromisoformat(record["started_at"]),
        secret=str(record.get("secret", "")),
    )


# ---- behind


def find_in(folder: Path) -> Instance | None:
    """The running instance whose state is in `folder`; None where there is none."""
    written = _read_record(folder)
    return written if written is not None and _is_ours(written.pid, folder) else None


def _read_record(folder: Path) -> Instance | None:
    """What an instance wrote; None also where somebody else could have written it."""
    if not _is_private(folder):
        return None
    try:
        return _load_instance(json.loads((folder / _RECORD).read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_ours(pid: int, folder: Path) -> bool:
    """Whether the process is the server of this folder: a number is used again after a crash."""
    try:
        # Not the folder's owner: that is root for whoever changed its user.
        status = Path(f"/proc/{pid}/status").read_text()
        if f"\nUid:\t{os.getuid()}\t{os.geteuid()}\t" not in status:
            return False
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return b"fsd_local.server" in words and str(folder).encode() in words and state != "Z"


def _refuse_another(running: Instance, settings: Settings) -> None:
    differences = [
        f"{name} {has}, not {wanted}"
        for name, has, wanted in (
            ("runtime", running.runtime, settings.runtime),
            ("speed", running.speed, settings.speed),
            ("port", urlsplit(running.endpoint).port, settings.port),
            ("--enforce-iam", running.enforce_iam, settings.enforce_iam),
            ("--slow-stacks", running.slow_stacks, settings.slow_stacks),
        )
        if wanted is not None and has != wanted
    ]
    if differences:
        raise LocalUsageError(
            f"the embedded AWS is already running, with {'; '.join(differences)}",
            where=running.endpoint,
            fix="fsd-local down first",
            code=LocalCode.USAGE,
        )


def _require_own(folder: Path) -> None:
    """Raise LocalError for a folder that is not an instance's: it would be emptied.

    `FSD_LOCAL_STATE` may name anything; only what has our marker, in a folder of this user's that
    nobody else may write, is ours to remove.
    """
    if not os.path.lexists(folder):
        return
    if _is_private(folder) and ((folder / _MARKER).is_file() or not any(folder.iterdir())):
        return
    raise LocalUsageError(
        f"{folder} is not a state folder of the embedded AWS, and would be emptied",
        where="FSD_LOCAL_STATE" if os.environ.get("FSD_LOCAL_STATE") else str(folder),
        fix="name a folder that does not exist yet, or remove this one yourself",
        code=LocalCode.LOCAL_STATE_FOREIGN,
    )


def _is_private(folder: Path) -> bool:
    """A folder, no link, of this user's own, that nobody else may write."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    )


def make_secret() -> str:
    return secrets.token_urlsafe(32)


def _require_extra() -> None:
    missing = [m for m in ("ministack", "hypercorn") if importlib.util.find_spec(m) is None]
    if missing:
        raise LocalError(
            f"the embedded AWS needs {' and '.join(missing)}, which this installation lacks",
            where="fsd-local",
            fix="pip install 'fsd-deploy[local]'",
            code=LocalCode.LOCAL_EXTRA_MISSING,
        )


@contextlib.contextmanager
def _one_at_a_time(folder: Path, *, last: bool = False) -> Iterator[None]:
    """Hold the folder's lock; `last` removes the lock's file as well.

    Whoever waited for a lock whose file was removed meanwhile starts over with the new file.
    """
    path = folder.with_name(folder.name + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_same_file(descriptor, path):
            break
        os.close(descriptor)
    try:
        yield
    finally:
        if last:
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _start(folder: Path, settings: Settings, checkout: str) -> Instance:
    with _listen(settings.port or 0) as listener:
        with contextlib.suppress(OSError):
            folder.rmdir()  # an empty one of somebody's: it is made anew with its mode
        folder.mkdir(parents=True, mode=0o700)
        folder.chmod(0o700)  # whatever the umask says
        (folder / _MARKER).write_text("FSD's embedded AWS keeps its state here and removes it.\n")
        if checkout:
            (folder / _CHECKOUT).write_text(checkout)
        endpoint = f"http://{_HOST}:{listener.getsockname()[1]}"
        process = _spawn(folder, listener, settings)
    try:
        return _wait_until_ready(process, folder, endpoint)
    except BaseException:
        _stop(process.pid)
        process.wait()
        _sweep(folder)
        raise


def _listen(port: int) -> socket.socket:
    """The socket is opened here, so that a taken port is an error of this command."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise LocalError(
            f"port {port} of {_HOST} cannot be used: {error.strerror}",
            where=f"--port {port}",
            fix="choose another port, or leave --port out for a free one",
            code=LocalCode.PORT_IN_USE,
        ) from error
    return listener


def _spawn(folder: Path, listener: socket.socket, settings: Settings) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fsd_local.server", "--state-dir", str(folder)]
    command += ["--descriptor", str(listener.fileno())]
    command += ["--settings", json.dumps(settings.wishes())]
    with (folder / _LOG).open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # a Ctrl-C here is not for it
            cwd="/",
        )


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path, endpoint: str) -> Instance:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        ready = find_in(folder)
        if ready is not None:
            process.returncode = 0  # it lives on; Popen shall not warn that it was not waited for
            return ready
        threading.Event().wait(_POLL)
    raise _failure(process, folder, endpoint)


def _failure(process: subprocess.Popen[bytes], folder: Path, endpoint: str) -> LocalError:
    """Why it did not start: in its own words where it had the time for them."""
    try:
        failure = json.loads((folder / _FAILURE).read_text())
        return LocalError(
            failure["what"],
            where=failure["where"],
            fix=failure["fix"],
            code=LocalCode(failure["code"]),
        )
    except (OSError, ValueError, KeyError):
        status = process.returncode
        ended = "is not ready in time" if status is None else f"ended with {status}"
        return LocalError(
            f"the embedded AWS {ended}: {_last_line(folder / _LOG)}",
            where=endpoint,
            fix="fsd-local up; if it happens again, report it with the line above",
            code=LocalCode.LOCAL_START_FAILED,
        )


def _last_line(log: Path) -> str:
    lines = _text(log).strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"


def _stop(pid: int) -> None:
    """SIGTERM and, if that is not enough, SIGKILL; returns when the process is gone."""
    for number, timeout in ((signal.SIGTERM, _STOP_TIMEOUT), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if _is_gone(pid):
                return
            threading.Event().wait(_POLL)


def _is_gone(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # it may be our own child, and then a zombie until now
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def _sweep(folder: Path) -> None:
    """Remove what a server that was killed left: tasks, images in the engine, the folder."""
    if not folder.exists():
        return
    # A guard of the server's own stops the tasks as well, but nobody waits for that one.
    from fsd_local.runtime import orphans

    orphans.sweep(identify(folder))
    written = _read_record(folder)
    if written is not None and written.runtime == "container":
        _sweep_engine(written, identify(folder))
    shutil.rmtree(folder, ignore_errors=True)


def _sweep_engine(killed: Instance, identifier: str) -> None:
    import docker.errors

    from fsd_local.runtime.containers import find_engine, sweep

    engine = find_engine()
    if engine is None:
        return
    with contextlib.closing(engine):
        sweep(identifier, engine)
        registry = killed.endpoint.removeprefix("http://")
        for image in engine.api.images():
            for name in [*(image["RepoTags"] or ()), *(image["RepoDigests"] or ())]:
                if name.startswith(f"{registry}/") and not name.endswith(":<none>"):
                    with contextlib.suppress(docker.errors.APIError):
                        engine.api.remove_image(name, force=True)


def identify(folder: Path) -> str:
    """What tells an instance's tasks from another's."""
    return hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def record(folder: Path, instance: Instance) -> None:
    """Written by the server when it is ready to answer; whole or not at all."""
    fields = {**asdict(instance), "started_at": instance.started_at.isoformat()}
    temporary = folder / f".{_RECORD}"
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(fields))
    temporary.replace(folder / _RECORD)


def record_failure(folder: Path, error: LocalError) -> None:
    """Written by a server that cannot start, for whoever waits for it."""
    failure = {"what": error.what, "where": str(error.where), "fix": error.fix, "code": error.code}
    (folder / _FAILURE).write_text(json.dumps(failure))


def now() -> datetime:
    return datetime.now(UTC)
