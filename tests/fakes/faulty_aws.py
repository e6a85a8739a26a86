"""microburst between FSD and an AWS: answers that AWS gives on a bad day, or none at all.

It takes the operation from the request and renders each error as that service's protocol does.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiohttp import web
from microburst.app import make_app
from microburst.core.pipeline import Microburst
from microburst.models import get_service_model

# microburst reads a service's model at its first call, and answers nobody meanwhile.
SERVICES = ("cloudformation", "ec2", "ecr", "ecs", "elbv2", "logs", "sts")


class Fault(StrEnum):
    """What becomes of a call."""

    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    RESET = "reset"
    HUNG = "hung"
    ANSWER_LOST = "answer-lost"

    @property
    def rule(self) -> dict[str, Any]:
        """What microburst is told."""
        match self:
            case Fault.THROTTLED:
                return _error("ThrottlingException", 400)
            case Fault.UNAVAILABLE:
                return _error("ServiceUnavailable", 503)
            case Fault.RESET:
                return {"reset": True}
            case Fault.HUNG:
                return {"timeout_ms": 3_600_000}
            case Fault.ANSWER_LOST:  # AWS carries it out; the connection ends in mid-answer
                return {"response": {"abort_frac": 0.3}}


def _error(code: str, status: int) -> dict[str, Any]:
    return {"error": {"code": code, "status": status, "message": "made up"}}


@dataclass(frozen=True)
class FaultyAws:
    """The endpoint `url`, and the rules that hold there."""

    url: str
    _microburst: Any

    def inject(self, fault: Fault, operation: str, *, times: int | None = None) -> None:
        """Into the first `times` calls of `operation`; without it into all of them."""
        rule = {"operation": operation, **fault.rule}
        self._set([rule if times is None else {**rule, "times": times}])

    def inject_everywhere(self, fault: Fault, operations: Iterable[str], *, in_a_row: int) -> None:
        """Of each operation so many calls go wrong, then one goes well, and so on. A call that
        hangs costs seconds: only the first ones do."""
        how = {"times": in_a_row} if fault is Fault.HUNG else {"sequence": [in_a_row, 1]}
        self._set([{"operation": operation, **how, **fault.rule} for operation in operations])

    @property
    def injected(self) -> int:
        return len(self._microburst.fired)

    def heal(self) -> None:
        self._set([])

    def _set(self, rules: list[dict[str, Any]]) -> None:
        self._microburst.engine.set_rules(rules)
        self._microburst.fired.clear()


@contextmanager
def faulty_aws(upstream: str) -> Iterator[FaultyAws]:
    """In a thread of its own, on a free port."""
    microburst = Microburst(upstream)
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(make_app(microburst), access_log=None, handler_cancellation=True)

    async def listen() -> str:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        # Of a name with dots microburst asks whether it is an endpoint of AWS's, and reads the
        # models of all services to answer that.
        return f"http://localhost:{runner.addresses[0][1]}"

    url = loop.run_until_complete(listen())
    for service in SERVICES:
        get_service_model(service)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield FaultyAws(url, microburst)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
