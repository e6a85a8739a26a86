"""An embedded AWS for tests: an instance of its own in a folder, and what a test does with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from fsd_local import instance as local
from fsd_local.errors import LocalCode, LocalUsageError
from fsd_local.instance import Instance
from fsd_local.settings import Settings

SPEED = 50.0
_RUNTIMES = ("container", "process")


@dataclass(frozen=True, slots=True)
class EmbeddedAws:
    """A running instance. Close what `client` and `resource` give, as always, or let them go."""

    instance: Instance

    @property
    def endpoint(self) -> str:
        """http://127.0.0.1:PORT"""
        return self.instance.endpoint

    @property
    def region(self) -> str:
        return self.instance.region

    @property
    def account(self) -> str:
        return self.instance.account

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point the AWS CLI and SDKs at it, as the account's root user."""
        return local.environment(self.instance)

    def client(self, service: str, *, account: str = "", region: str = "") -> Any:
        """A boto3 client, of another account's root user where one is given."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region or self.region,
            aws_access_key_id=account or self.account,
            aws_secret_access_key=self.instance.secret,
        )

    def reset(self) -> None:
        """Stop every task and remove every resource, in all accounts."""
        local.call(self.endpoint, "POST", "/_fsd/reset", secret=self.instance.secret)


@contextmanager
def run_instance(
    folder: Path, *, runtime: str = "", speed: str = "", enforces_iam: bool = False
) -> Iterator[EmbeddedAws]:
    """An instance whose state is in `folder`, which must not exist; "" takes the default.

    Raises LocalError as `fsd-local up` does.
    """
    settings = Settings(
        runtime=_runtime(runtime), speed=_speed(speed), enforce_iam=enforces_iam or None
    )
    try:
        yield EmbeddedAws(local.ensure_in(folder, settings))
    finally:
        local.down_in(folder)


def _runtime(text: str) -> str | None:
    if text and text not in _RUNTIMES:
        raise _wrong("fsd_local_runtime", text, " or ".join(_RUNTIMES))
    return text or None


def _speed(text: str) -> float:
    try:
        speed = float(text or SPEED)
    except ValueError:
        speed = 0.0
    if speed < 1:
        raise _wrong("fsd_local_speed", text, "a number from 1")
    return speed


def _wrong(name: str, text: str, wanted: str) -> LocalUsageError:
    return LocalUsageError(
        f"{name} is {text!r}, not {wanted}",
        where="pytest's settings",
        fix=f"{name} = {wanted}",
        code=LocalCode.USAGE,
    )
