"""What to do about a cause, as values; `fsd.report.cause_advice` has the words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from fsd.quoted import Quoted
from fsd.rollout.denials import Denial
from fsd.rollout.failure import Failure
from fsd.rollout.log_values import Listening, ServerRemark, Unreachable


class TargetTrouble(StrEnum):
    """What a load balancer says of a target, and what that most often means."""

    REFUSES_HOST = "refuses-host"  # 400
    REDIRECTS = "redirects"  # 301, 302, 303, 307, 308
    NO_SUCH_PATH = "no-such-path"  # 404
    NO_GET = "no-get"  # 405
    WANTS_CREDENTIALS = "wants-credentials"  # 401, 403
    LIMITS_RATE = "limits-rate"  # 429
    SERVER_ERROR = "server-error"  # 5xx
    ZONE_NOT_ENABLED = "zone-not-enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingAnswers:
    """A connection that was refused, or an answer that is not HTTP."""

    port: int | None = None  # None: `service.port`


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersLate:
    port: int | None = None


class BareAdvice(StrEnum):
    """Advice that has no values."""

    ANSWER_IN_TIME = "answer-in-time"
    ASK_CODE_DEPLOY = "ask-code-deploy"
    ASK_CONTROLLER = "ask-controller"
    NO_LOG_LINES = "no-log-lines"
    RAISE_TIMEOUT = "raise-timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterDenial:
    """AWS's own clause says more than the failure's row: which action, and whose policy."""

    denial: Denial
    failure: Failure


# --- what the log says --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class VariablesUnset:
    names: tuple[str, ...]
    settings: str = ""  # the class that may put a prefix before them


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionMisfit:
    """Code that was published and worked: with another version of what it uses."""

    package: str  # that raises, "" where it is not known


class ExceptionKind(StrEnum):
    MODULE_MISSING = "module-missing"
    SETUPTOOLS_MISSING = "setuptools-missing"
    MIGRATED_TWICE = "migrated-twice"
    WRONG_CPU = "wrong-cpu"
    PROGRAM_MISSING = "program-missing"
    PORT_TAKEN = "port-taken"
    SETTING_MISSING = "setting-missing"
    IN_CODE = "in-code"


ExceptionAdvice: TypeAlias = VariablesUnset | VersionMisfit | ExceptionKind | Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthPathFails:
    """The health path raises this exception; `answers` where it answers with an error at all."""

    exception: ExceptionAdvice
    answers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRefused:
    """The log says that the service refuses the Host that the check sends."""

    host: str  # "" where the log does not name it


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRedirects:
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListensOnSocket:
    """On a Unix socket, where a port is wanted."""

    socket: str
    port: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListensUnreachably:
    """On a loopback address, or what may be one; `port` is the wanted one where it is another."""

    place: Listening
    port: int | None
    elsewhere: bool  # on another port too


@dataclass(frozen=True, slots=True, kw_only=True)
class ListensOnOtherPort:
    place: Listening
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListensLate:
    place: Listening
    after: float  # seconds after the task's start
    grace_period: int  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ListensInPlace:
    """Where it should, and the check got no answer; `in_time`: none in time."""

    place: Listening
    in_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PortUntold:
    """The log does not say where the service listens; `has_lines` is False where it is empty."""

    advice: Advice
    has_lines: bool


# --- an image that was made without Docker ------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNotMade:
    """No step of the Dockerfile makes this file."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotExecutable:
    """The program is in the image, and may not be run."""

    program: str  # as the command names it


class LocalRemedy(StrEnum):
    INSTALL_SAME = "install-same"
    INSTALL_PYTHON = "install-python"
    CONTAINERS = "containers"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutDocker:
    advice: Advice
    remedy: LocalRemedy


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveSecretValue:
    """To a secret that the embedded AWS made up."""

    advice: Advice
    name: str  # the variable
    value_from: str


# A Failure: what its row says. Quoted: what somebody has put into other words.
Advice: TypeAlias = (
    Failure
    | Quoted
    | BareAdvice
    | AfterDenial
    | TargetTrouble
    | NothingAnswers
    | AnswersLate
    | ServerRemark
    | ExceptionAdvice
    | HealthPathFails
    | HostRefused
    | PathRedirects
    | ListensOnSocket
    | ListensUnreachably
    | ListensOnOtherPort
    | ListensLate
    | ListensInPlace
    | PortUntold
    | FileNotMade
    | NotExecutable
    | WithoutDocker
    | GiveSecretValue
)
