"""The one way from FSD to its embedded AWS: find it, start it, ask it, have an image made for it.

`fsd_local` knows nothing of FSD and comes with the extra `local`; only this module imports it, when
it is asked for something. What it raises is an FsdError here, in the words of `fsd local`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fsd.errors import CallFailedError, ErrorCode, UsageError

if TYPE_CHECKING:
    from fsd_local.cli import Commands
    from fsd_local.image.push import PushedImage
    from fsd_local.instance import Credentials, Instance, Status

_FIRST_STEPS = ("fsd deploy --env local --file service.yml",)


def load_commands() -> Commands:
    """The commands of `fsd local`. They raise as everything here does."""
    with as_fsd_errors():
        from fsd_local.cli import CommandWords, make_commands

        return make_commands(
            CommandWords(name="fsd local", first_steps=_FIRST_STEPS, errors=as_fsd_errors)
        )


def find() -> Instance | None:
    """The running instance of this checkout."""
    with as_fsd_errors():
        from fsd_local import instance

        return instance.find()


def ensure() -> Instance:
    """The running instance, started where there is none."""
    with as_fsd_errors():
        from fsd_local import instance

        return instance.ensure()


def probe(endpoint: str) -> Status | None:
    """Whether an endpoint is an embedded AWS; only loopback is asked."""
    try:
        from fsd_local import instance
    except ModuleNotFoundError:  # an installation without it meets another's endpoint
        return None
    with as_fsd_errors():
        return instance.probe(endpoint)


def credentials(instance: Instance) -> Credentials:
    from fsd_local.instance import credentials as of

    return of(instance)


def ensure_secrets(values_from: Sequence[str], *, service: str) -> list[str]:
    """Placeholders for the secrets that are missing; what they are for."""
    with as_fsd_errors():
        from fsd_local import instance

        return instance.ensure_secrets(instance.ensure(), values_from, service=service)


def find_placeholder_secrets(values_from: Sequence[str]) -> list[str]:
    """Those whose value is still the one that was made up."""
    with as_fsd_errors():
        from fsd_local import instance

        return instance.find_placeholder_secrets(instance.ensure(), values_from)


def remove_placeholder_secrets(service: str) -> list[str]:
    with as_fsd_errors():
        from fsd_local import instance

        return instance.remove_placeholder_secrets(instance.ensure(), service=service)


def push_process_image(**job: Any) -> PushedImage:
    """Play a Dockerfile without Docker and push what it gives: `job` as ProcessImageJob has it."""
    with as_fsd_errors():
        from fsd_local.image.push import ProcessImageJob
        from fsd_local.image.push import push_process_image as push

        return push(ProcessImageJob(**job))


def read_left_out(
    *, endpoint: str, repository: str, digest: str, user: str, password: str
) -> tuple[str, ...]:
    """What a process image lacks because it was made without Docker."""
    with as_fsd_errors():
        from fsd_local.image.push import read_left_out as read
        from fsd_local.image.registry import RegistryClient

        client = RegistryClient(
            endpoint=endpoint, repository=repository, user=user, password=password
        )
        return read(client, digest)


def attach_session(
    *, stream_url: str, token: str, show: Callable[[bytes], None] | None = None
) -> None:
    """Connect this terminal to a session in a task of the embedded AWS, until it ends.

    `show` gets what the session prints, instead of standard output.
    """
    with as_fsd_errors():
        from fsd_local.sessions.client import attach

        attach(stream_url=stream_url, token=token, show=show)


@contextmanager
def as_fsd_errors() -> Iterator[None]:
    """What the embedded AWS raises, as FSD raises it."""
    try:
        from fsd_local.errors import LocalError, LocalUsageError
    except ModuleNotFoundError as error:
        raise CallFailedError(
            "the embedded AWS is not a part of this installation",
            where="fsd local",
            fix="pip install 'fsd-deploy[local]'",
            code=ErrorCode.LOCAL_EXTRA_MISSING,
        ) from error
    try:
        yield
    except LocalError as error:
        kind = UsageError if isinstance(error, LocalUsageError) else CallFailedError
        translated = kind(
            error.what,
            where=_in_our_words(error.where),
            fix=_in_our_words(error.fix),
            code=ErrorCode.from_id(error.code),
        )
        if isinstance(translated, CallFailedError):
            translated.may_pass = error.may_pass
        raise translated from error


def _in_our_words(text: str) -> str:
    return text.replace("fsd-local", "fsd local")
