"""Where MiniStack's router finds a service: ours take a place in it beside the rest."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
from types import SimpleNamespace
from typing import Any, Protocol

from ministack import app
from ministack.core import router

from fsd_local.patches.scope import current, read_parameters


class Handle(Protocol):
    def __call__(
        self, action: str, parameters: dict[str, Any], *, account: str, region: str
    ) -> tuple[int, dict[str, Any]]: ...


_CONTENT_TYPE = "application/x-amz-json-1.1"


class Authorize(Protocol):
    """None, or the answer that refuses the call."""

    def __call__(
        self,
        service: str,
        action: str,
        parameters: dict[str, Any],
        *,
        headers: dict[str, str],
        body: bytes,
    ) -> Any: ...


def mount(
    name: str, handle: Handle, *, target_prefix: str, authorize: Authorize | None = None
) -> None:
    """Let `handle` answer a service of the AWS JSON protocol.

    It runs on a worker thread, since it may wait for a lock while the event loop must not.
    """

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Any
    ) -> Any:
        del method, path, query
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        parameters = read_parameters(body)
        if not isinstance(parameters, dict):
            return parameters
        if authorize is not None:
            refusal = authorize(name, action, parameters, headers=headers, body=body)
            if refusal is not None:
                return refusal
        account, region = current()
        status, answer = await asyncio.to_thread(
            handle, action, parameters, account=account, region=region
        )
        return status, _headers(status, answer), json.dumps(answer).encode()

    module = SimpleNamespace(
        handle_request=handle_request, reset=lambda: None, get_state=lambda: None
    )
    module_name = f"fsd.{name}"
    router.SERVICE_PATTERNS[name] = {
        **router.SERVICE_PATTERNS.get(name, {}),
        "target_prefixes": [target_prefix],
        "credential_scope": name,
    }
    app.SERVICE_REGISTRY[name] = {"module": module_name}
    app.SERVICE_HANDLERS[name] = handle_request
    app._loaded_modules[module_name] = module


def _headers(status: int, answer: dict[str, Any]) -> dict[str, str]:
    headers = {"Content-Type": _CONTENT_TYPE}
    if status >= 400 and "__type" in answer:
        headers["x-amzn-errortype"] = str(answer["__type"])
    return headers


def start(loop: asyncio.AbstractEventLoop, *, threads: int) -> None:
    """What MiniStack's own start-up does of what is needed here.

    The rest (a sweep of Docker containers, MQTT, SFTP, schedulers) is not: it costs memory,
    binds ports and removes containers that are not ours.
    """
    app._MAIN_LOOP = loop
    loop.set_default_executor(
        concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="fsd-worker")
    )


async def serve(scope: Any, receive: Any, send: Any) -> None:
    await app.app(scope, receive, send)


def reset() -> None:
    app._reset_all_state()
