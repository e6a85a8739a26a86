"""The session-manager-plugin of AWS: it has the terminal while a session lasts.

https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from fsd.errors import CallFailedError, ErrorCode
from fsd.release.ports import ExecSession

_PLUGIN = "session-manager-plugin"
# Newer ones read the token from a variable; every user of the machine can read an argument.
_NEWEST_WITHOUT_VARIABLE = (1, 2, 497, 0)
_RESPONSE = "AWS_SSM_START_SESSION_RESPONSE"
_PAGE = (
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "session-manager-working-with-install-plugin.html"
)
_SECONDS = 10
_BLOCK = 1 << 16
_END_OF_LINE = b"\n"
_END_OF_INPUT = b"\x04"
# Seconds from one end of the input to the next, doubled each time up to the most.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
# All that the plugin needs of the caller's environment: no token of a workflow is among it.
_PASSED_ON = re.compile(
    r"PATH|HOME|USER|TERM|LANG|LC_[A-Z]+|TMPDIR|SSL_CERT_FILE|SSL_CERT_DIR|AWS_CA_BUNDLE"
    r"|(HTTP|HTTPS|NO|ALL)_PROXY|(http|https|no|all)_proxy"
)


def require_plugin() -> None:
    """Before a session is opened. Raises CallFailedError where it is missing or too old."""
    try:
        answer = subprocess.run(
            [_PLUGIN, "--version"],
            env=_passed_on(os.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CallFailedError(
            "the session-manager-plugin is not installed",
            where=_PLUGIN,
            fix=f"install it, and run it again: {_PAGE}",
            code=ErrorCode.SESSION_PLUGIN,
        ) from error
    version = answer.stdout.strip()
    if not _reads_variable(version):
        raise CallFailedError(
            f"version {version} of the session-manager-plugin takes the session's token only as "
            "an argument, where every user of the machine can read it",
            where=_PLUGIN,
            fix=f"update it, and run it again: {_PAGE}",
            code=ErrorCode.SESSION_PLUGIN,
        )


def _reads_variable(version: str) -> bool:
    """A version that is no number is a build of somebody's own, of newer source."""
    numbers = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)\.(\d+)", version)
    return not numbers or tuple(map(int, numbers.groups())) > _NEWEST_WITHOUT_VARIABLE


def attach(
    session: ExecSession,
    *,
    region: str,
    endpoint_url: str,
    environ: Mapping[str, str],
    key: Mapping[str, str],
    show: Callable[[bytes], None] | None = None,
) -> int:
    """Hand the terminal over until the session ends; the plugin's exit code.

    Of `environ`, the caller's, the plugin sees only what a terminal and a connection need. `key` is
    of the identity that opened the session, as the variables that AWS's programs read: with it the
    plugin resumes a broken session at `endpoint_url`, Session Manager's. The plugin ends with 0
    however the command in the container ended (aws/session-manager-plugin). `show` gets what it
    prints, instead of standard output.
    """
    response = {
        "SessionId": session.id,
        "StreamUrl": session.stream_url,
        "TokenValue": session.token,
    }
    arguments = [
        _PLUGIN,
        _RESPONSE,
        region,
        "StartSession",
        "",  # no profile: the key says who it is
        json.dumps({"Target": session.target}),
        endpoint_url,
    ]
    has_terminal = sys.stdin.isatty()
    with (
        _interrupts_for_the_session(),
        subprocess.Popen(
            arguments,
            env={**_passed_on(environ), **key, _RESPONSE: json.dumps(response)},
            stdin=None if has_terminal else subprocess.PIPE,
            stdout=None if show is None else subprocess.PIPE,
        ) as plugin,
    ):
        has_ended = threading.Event()
        if not has_terminal:
            threading.Thread(target=_feed, args=(plugin, has_ended), daemon=True).start()
        if show is not None and plugin.stdout is not None:
            while content := os.read(plugin.stdout.fileno(), _BLOCK):
                show(content)
        plugin.wait()
        has_ended.set()
    return plugin.returncode


def _passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if _PASSED_ON.fullmatch(name)}


def _feed(plugin: subprocess.Popen[bytes], has_ended: threading.Event) -> None:
    """What comes in, then the end as one types it: at the end of its input the plugin drops the
    session with all that the command has still to print.

    The end is typed again until the session ends. A terminal gives it to one reader only, so that
    `cat` takes it from the shell that started it; and one that is typed while no shell reads is
    lost, because a shell that edits its line switches the terminal's mode.
    https://man7.org/linux/man-pages/man3/termios.3.html (canonical and noncanonical mode)
    """
    if plugin.stdin is None:
        return
    last, pause = b"", _FIRST_PAUSE
    with contextlib.suppress(OSError, ValueError):  # the session has ended
        while content := os.read(sys.stdin.fileno(), _BLOCK):
            plugin.stdin.write(content)
            plugin.stdin.flush()
            last = content[-1:]
        if last not in (b"", _END_OF_LINE):
            plugin.stdin.write(_END_OF_LINE)
        while not has_ended.is_set():
            plugin.stdin.write(_END_OF_INPUT)
            plugin.stdin.flush()
            has_ended.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


@contextmanager
def _interrupts_for_the_session() -> Iterator[None]:
    """Ctrl-C is for the program in the container; the plugin passes it on."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
