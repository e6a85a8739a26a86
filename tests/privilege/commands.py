"""The commands that a workflow gives, in an order in which each has something to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.privilege.account import DEV, PROD, Site

HI = ("--override", "environment.GREETING=hi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`role` is deploy or plan; `name` is how tables and refusals call it."""

    name: str
    words: tuple[str, ...]
    role: str = "deploy"
    environment: str = DEV
    code: int | None = 0  # None: any but 0
    says: str = ""
    undo: tuple[str, ...] = ()  # where a try succeeds: what makes the next one meet the same state

    def is_as_expected(self, code: int) -> bool:
        return bool(code) if self.code is None else code == self.code


def commands(site: Site) -> Iterator[Command]:
    """Of a Service or of a Job, from the first deployment to the last deletion."""
    one = ("--service", site.service, "--env", DEV)
    deploy = ("deploy", "--env", DEV)
    more = () if site.is_job else ("--override", "exec=true")
    yield Command(name="plan of a first deployment", role="plan", words=("plan", "--env", DEV))
    gone = ("delete", "--service", site.service, "--yes", "--env")
    first = (*deploy, *more, "--version", "v1")
    yield Command(name="first deploy", words=first, undo=(*gone, DEV))
    yield Command(name="plan", role="plan", words=("plan", "--env", DEV, *HI))
    drift = ("plan", "--env", DEV, "--drift")
    yield Command(name="plan --drift", role="plan", words=drift, says="every resource that")
    yield Command(name="deploy", words=(*deploy, *more, "--version", "v2", *HI))
    yield Command(name="run", words=("run", *one, "--", "true"))
    yield Command(name="logs", words=("logs", *one, "--since", "1h"))
    yield Command(name="diagnose", words=("diagnose", *one))
    yield from _of_a_job(one) if site.is_job else _of_a_service(one)
    yield Command(name="status", words=("status", *one))
    yield Command(name="status of all", words=("status", "--env", DEV))
    yield Command(name="history", words=("history", *one))
    yield Command(name="doctor", words=("doctor", "--env", DEV))
    yield Command(name="rollback", words=("rollback", *one))
    promote = ("promote", "--service", site.service, "--from", DEV, "--to", PROD)
    yield Command(name="promote", words=promote, environment=PROD, undo=(*gone, PROD))
    yield Command(name="delete in prod", words=(*gone, PROD), environment=PROD, undo=promote)
    yield Command(name="delete", words=(*gone, DEV), undo=first)


def _of_a_service(one: tuple[str, ...]) -> Iterator[Command]:
    yield Command(name="scale", words=("scale", *one, "--count", "2"))
    yield Command(name="restart", words=("restart", *one))
    yield Command(name="exec", words=("exec", *one, "--", "echo", "here"), says="here")


def _of_a_job(one: tuple[str, ...]) -> Iterator[Command]:
    for name, more in (("scale", ("--count", "2")), ("restart", ()), ("exec", ("--", "true"))):
        yield Command(name=name, words=(name, *one, *more), code=2, says="is a Job")
