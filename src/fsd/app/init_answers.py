"""What a Service YAML needs to know: said by the command line, asked, or found in the folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from fsd.errors import ErrorCode, UsageError
from fsd.scaffold.detect import API, Detected
from fsd.scaffold.manifest import Answers
from fsd.scaffold.name_and_owners import Found

_REGION = "us-east-1"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,253}[a-z0-9]")
_PACK = re.compile(r"[\w .:/=+@-]{1,128}")
_OWNER = re.compile(r"@[A-Za-z0-9-]+(?:/[A-Za-z0-9._-]+)?")
_REGIONS = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")

# (text, the flag that gives it) → the text as it counts. Raises UsageError where it is not valid.
Check: TypeAlias = Callable[[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InitRequest:
    """What is asked for. What is None or empty is still to be found out."""

    folder: Path
    file: str
    name: str | None = None
    pack: str | None = None
    owners: tuple[str, ...] = ()
    kind: str | None = None  # api | worker
    port: int | None = None
    health_path: str | None = None
    region: str | None = None
    usual_region: str = ""  # of this shell
    has_workflow: bool = True
    is_dry_run: bool = False

    @property
    def is_of_one_service(self) -> bool:
        return any((self.name, self.kind, self.port, self.health_path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    what: str
    flag: str  # what says it on the command line
    given: str | None  # what it says there
    found: Found | None
    check: Check


class Ask(Protocol):
    """At a terminal: the answer, checked."""

    def __call__(self, question: Question) -> str: ...


def find_answer(question: Question, ask: Ask | None) -> str:
    """What the command line says, else the answer at the terminal, else what was found.

    Raises UsageError where there is none of them.
    """
    if question.given is not None:
        return question.check(question.given, question.flag)
    if ask is not None:
        return ask(question)
    if question.found is None:
        raise UsageError(
            f"nothing in the folder says the {question.what.lower()}",
            where="fsd init",
            fix=f"say it with {question.flag}",
            code=ErrorCode.NOT_FOUND,
        )
    return question.check(question.found.value, question.flag)


def find_answers(request: InitRequest, detected: Detected, ask: Ask | None) -> Answers:
    """What is asked for and what was found in the folder, with the answers of who is asked."""

    owners_found = Found(value=" ".join(detected.owners), source=detected.owners_source)
    name = _find(
        ask, "Name", detected.name, flag="--name", given=request.name, valid=_matching(_NAME)
    )
    owners = _find(
        ask,
        "Owners, @user or @org/team",
        owners_found,
        flag="--owner",
        given=" ".join(request.owners) or None,
        valid=_owners,
    ).split()
    team = (
        Found(value=owners[0].rpartition("/")[2].lstrip("@"), source="the owners")
        if owners
        else Found(value=name, source="the service's name")
    )
    pack = _find(
        ask,
        "Pack, the owning team",
        detected.pack or team,
        flag="--pack",
        given=request.pack,
        valid=_matching(_PACK),
    )
    kind = _find(
        ask, "Type, api or worker", detected.kind, flag="--type", given=request.kind, valid=_kind
    )
    port, path = _listening(request, detected, ask) if kind == API else (None, "/health")
    is_unsure = detected.health is None and request.health_path is None
    is_unknown = is_unsure and detected.unsure is None and path == "/"
    where = _find(
        ask,
        "AWS region",
        Found(
            value=request.usual_region or _REGION,
            source="the environment" if request.usual_region else "FSD's default",
        ),
        flag="--region",
        given=request.region,
        valid=_matching(_REGIONS),
    )
    return Answers(
        name=name,
        pack=pack,
        owners=tuple(owners),
        port=port,
        health_path=path,
        region=where,
        health_note=detected.unsure.source if is_unsure and detected.unsure else "",
        takes_any_answer=is_unknown,
        grace=detected.grace,
        grace_source=detected.grace_source,
        is_grpc=detected.is_grpc,
        has_grpc_health=detected.has_grpc_health,
        command=() if detected.lacks_dockerfile else detected.command_words,
        command_source=detected.command.source if detected.command else "",
        port_variable=detected.port_variable if port else "",
        variables=detected.variables,
        aws=detected.aws,
        calls=detected.calls,
        kafka=detected.kafka.source if detected.kafka else "",
        build=detected.container.build,
        service_file=request.file,
    )


def _find(
    ask: Ask | None, what: str, found: Found | None, *, flag: str, given: str | None, valid: Check
) -> str:
    question = Question(what=what, flag=flag, given=given, found=found, check=valid)
    return find_answer(question, ask)


def _listening(request: InitRequest, detected: Detected, ask: Ask | None) -> tuple[int, str]:
    port = _find(
        ask,
        "Port",
        detected.port,
        flag="--port",
        given=str(request.port) if request.port else None,
        valid=_port,
    )
    if detected.is_grpc and request.health_path is None:
        return int(port), "/health"
    default = detected.unsure or Found(value="/", source="no health route was found")
    path = _find(
        ask,
        "Health path",
        detected.health or default,
        flag="--health-path",
        given=request.health_path,
        valid=_path,
    )
    return int(port), path


def _matching(pattern: re.Pattern[str]) -> Check:
    examples = {_NAME: "offer-api", _PACK: "pricing", _REGIONS: "eu-west-1"}

    def valid(text: str, flag: str) -> str:
        if not pattern.fullmatch(text):
            raise UsageError(
                f"`{text}` cannot be used here",
                where=flag,
                fix=f"write something like {examples[pattern]}",
            )
        return text

    return valid


def _owners(text: str, flag: str) -> str:
    owners = text.replace(",", " ").split()
    wrong = [owner for owner in owners if not _OWNER.fullmatch(owner)]
    if wrong:
        raise UsageError(
            f"`{' '.join(wrong)}` is not a GitHub handle",
            where=flag,
            fix="write @user or @org/team",
        )
    return " ".join(owners)


def _kind(text: str, flag: str) -> str:
    if text not in ("api", "worker"):
        raise UsageError(f"`{text}` is not a type", where=flag, fix="write api or worker")
    return text


def _port(text: str, flag: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise UsageError(f"`{text}` is not a port", where=flag, fix="write a number up to 65535")
    return text


def _path(text: str, flag: str) -> str:
    if not re.fullmatch(r"/[!-~]{0,1023}", text):
        raise UsageError(
            f"`{text}` is not a path", where=flag, fix="start it with /, as in /health"
        )
    return text
