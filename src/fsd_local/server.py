"""The embedded AWS as a process: `python -m fsd_local.server`, started by `fsd_local.instance`.

One event loop serves; the ECS control plane, the runtime and the health checks have threads of
their own. It listens on the one socket that it is handed, on loopback, and opens no other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fsd_local import instance as life
from fsd_local.errors import LocalError
from fsd_local.instance import ACCOUNT, REGION
from fsd_local.settings import ServerPlace, load_settings

_KEEP_ALIVE = 75.0  # as MiniStack serves: boto3 keeps its connections for long
# MiniStack would take the user's own key for a root key.
_OF_ITS_USER = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
)
_GRACE = 0.5  # seconds for requests in flight at the end


def main(arguments: Sequence[str]) -> int:
    place = _parse(arguments)
    _set_environment(place)
    try:
        asyncio.run(_serve(place))
    except LocalError as error:
        life.record_failure(place.state_dir, error)
        return error.exit_code
    return 0


def _parse(arguments: Sequence[str]) -> ServerPlace:
    parser = argparse.ArgumentParser(prog="python -m fsd_local.server", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--descriptor", type=int, required=True, help="of the listening socket")
    parser.add_argument("--settings", type=json.loads, required=True, help="as JSON")
    found = parser.parse_args(arguments)
    with socket.socket(fileno=os.dup(found.descriptor)) as listener:
        port = listener.getsockname()[1]
    return ServerPlace(
        state_dir=found.state_dir,
        descriptor=found.descriptor,
        port=port,
        settings=load_settings(found.settings).filled(),
        secret=life.make_secret(),
    )


def _set_environment(place: ServerPlace) -> None:
    """What MiniStack reads when it is imported: one port, no file outside the state's folder."""
    temporary = place.state_dir / "tmp"
    temporary.mkdir(exist_ok=True)
    os.environ.update(
        GATEWAY_PORT=str(place.port),
        BIND_HOST="127.0.0.1",
        MINISTACK_HOST="localhost",
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_REGION=REGION,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        AUTH=str(place.settings.enforce_iam).lower(),
        PERSIST_STATE="0",
        S3_PERSIST="0",
        STATE_DIR=str(place.state_dir / "ministack"),
        S3_DATA_DIR=str(place.state_dir / "s3"),
        TMPDIR=str(temporary),
        LOG_LEVEL="WARNING",
    )
    tempfile.tempdir = str(temporary)
    for name in _OF_ITS_USER:
        os.environ.pop(name, None)
    os.umask(0o077)  # nothing below the state's folder is for another user


async def _serve(place: ServerPlace) -> None:
    """Serve until SIGTERM or SIGINT, then stop every task and remove the state."""
    # Only now: MiniStack reads the environment when it is imported.
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from fsd_local.assembly import Assembly

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    logging.getLogger().setLevel(logging.WARNING)
    assembly = await asyncio.to_thread(Assembly, place)  # raises LocalError: no Docker engine …
    try:
        assembly.start(loop)
        config = Config()
        config.bind = [f"fd://{place.descriptor}"]
        config.loglevel = "WARNING"
        config.keep_alive_timeout = _KEEP_ALIVE
        config.keep_alive_max_requests = 1_000_000
        config.graceful_timeout = _GRACE
        config.include_server_header = False
        config.include_date_header = False
        life.record(place.state_dir, assembly.instance)
        application: Any = assembly.application  # hypercorn's own types want each ASGI message's
        await serve(application, config, shutdown_trigger=stop.wait, mode="asgi")
    finally:
        await assembly.ready()  # what is still being loaded writes below the state's folder
        await asyncio.to_thread(assembly.close)
        shutil.rmtree(place.state_dir, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
