"""The words for what to do about a cause: one sentence that ends without a full stop. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import assert_never

from fsd.quoted import Quoted
from fsd.report.cause_summaries import port_text
from fsd.report.words import quoted_names
from fsd.rollout.advice import (
    Advice,
    AfterDenial,
    AnswersLate,
    BareAdvice,
    ExceptionAdvice,
    ExceptionKind,
    FileNotMade,
    GiveSecretValue,
    HealthPathFails,
    HostRefused,
    ListensInPlace,
    ListensLate,
    ListensOnOtherPort,
    ListensOnSocket,
    ListensUnreachably,
    LocalRemedy,
    NotExecutable,
    NothingAnswers,
    PathRedirects,
    PortUntold,
    TargetTrouble,
    VariablesUnset,
    VersionMisfit,
    WithoutDocker,
)
from fsd.rollout.denials import advise_denial
from fsd.rollout.failure import Failure
from fsd.rollout.log_values import ServerRemark, Unreachable

_BARE = {
    BareAdvice.ANSWER_IN_TIME: "make the health path answer in time",
    BareAdvice.ASK_CODE_DEPLOY: (
        "check the service's deployments in CodeDeploy: aws deploy list-deployments"
    ),
    BareAdvice.ASK_CONTROLLER: "check the external controller that creates the service's task sets",
    BareAdvice.NO_LOG_LINES: (
        "run the image locally (`docker run`) to see why it exits: the task wrote no log lines"
    ),
    BareAdvice.RAISE_TIMEOUT: "raise `service.timeout`, or make the Job faster",
}
_TARGETS = {
    TargetTrouble.REFUSES_HOST: (
        "make the health path answer regardless of the Host header (Django: ALLOWED_HOSTS): an "
        "answer of 400 most often means that the service accepts only its own host names, "
        "and the check's Host header is the task's address"
    ),
    TargetTrouble.REDIRECTS: (
        "set `healthCheck.path` to the path that the health path redirects to (often the same path "
        "with a slash at the end, not a login), or to one that answers everybody over http"
    ),
    TargetTrouble.NO_SUCH_PATH: "set `healthCheck.path` to a path that the service serves",
    TargetTrouble.NO_GET: "make the health path answer GET",
    TargetTrouble.WANTS_CREDENTIALS: "make the health path answer without credentials",
    TargetTrouble.LIMITS_RATE: "exempt the health path from rate limiting",
    TargetTrouble.SERVER_ERROR: (
        "find out why the health path returns an error; the cause is in the service or in "
        "something that it depends on"
    ),
    TargetTrouble.ZONE_NOT_ENABLED: (
        "give the tasks and the load balancer the same subnets: the task is in a zone where the "
        "load balancer has no subnet"
    ),
}
_REMARKS = {
    ServerRemark.WORKER_KILLED: (
        "raise `resources.memory`, or start fewer workers: the log says that a worker was killed, "
        "most often because it lacked memory"
    ),
    ServerRemark.WORKER_TIMEOUT: (
        "raise gunicorn's `--timeout`, or find what blocks the worker: the log says that a worker "
        "did not answer in time"
    ),
}
_EXCEPTIONS = {
    ExceptionKind.MODULE_MISSING: (
        "add the missing module to the image (in the requirements, or with COPY in the "
        "Dockerfile), or correct the import"
    ),
    ExceptionKind.SETUPTOOLS_MISSING: (
        'the module is a part of setuptools: add "setuptools<81" to the requirements, as images '
        "and environments of today have no setuptools, and newer ones have no pkg_resources"
    ),
    ExceptionKind.MIGRATED_TWICE: (
        "two tasks migrate the database at the same time: run the migration once before a rollout "
        "(`service.beforeDeploy`), and take it out of the start command"
    ),
    ExceptionKind.WRONG_CPU: (
        "the image, or a program in it, is for another CPU architecture: build it for "
        "`service.platform` (X86_64 or ARM64)"
    ),
    ExceptionKind.PROGRAM_MISSING: (
        "put the program, and the interpreter that its first line names, into the image, or "
        "correct `service.command`"
    ),
    ExceptionKind.PORT_TAKEN: (
        "another process in the task already uses the port: let only one of them listen on it"
    ),
    ExceptionKind.SETTING_MISSING: (
        "set the variable that the code reads there, in `service.environment` or "
        "`service.secrets`; the log shows where"
    ),
    ExceptionKind.IN_CODE: (
        "find out why this exception is raised; it may come from the code, its settings or "
        "something that it depends on"
    ),
}
_CONTAINERS = "run containers: fsd local down, fsd local up --runtime container"
_REMEDIES = {
    LocalRemedy.INSTALL_SAME: f"install the same on this machine, or {_CONTAINERS}",
    LocalRemedy.INSTALL_PYTHON: f"install that Python, or {_CONTAINERS}",
    LocalRemedy.CONTAINERS: _CONTAINERS,
}


def advice_text(advice: Advice) -> str:
    match advice:
        case Failure():
            return advice.advice
        case Quoted(text=text):
            return text
        case BareAdvice():
            return _BARE[advice]
        case AfterDenial(denial=denial, failure=failure):
            return f"{advise_denial(denial)}; {failure.advice}"
        case FileNotMade(path=path):
            return (
                f"no step of the Dockerfile makes `{path}`: COPY it into the image, give it by a "
                "volume (`service.volumes`), or correct the variable that names it"
            )
        case NotExecutable(program=program):
            return (
                f"make `{program}` executable: `chmod +x` the file and commit it, or add "
                f"`RUN chmod +x {shlex.quote(program)}` below the COPY in the Dockerfile"
            )
        case WithoutDocker(advice=inner, remedy=remedy):
            return f"{_REMEDIES[remedy]}; else {advice_text(inner)}"
        case GiveSecretValue(advice=inner, name=name, value_from=value_from):
            return (
                f'give {name} its value with `eval "$(fsd local env)" && '
                f"{_put_value(value_from)}`, and deploy again; else {advice_text(inner)}"
            )
        case _:
            return _of_the_log(advice)


def _put_value(value_from: str) -> str:
    """https://docs.aws.amazon.com/cli/latest/reference/secretsmanager/put-secret-value.html"""
    parts = value_from.split(":")
    if len(parts) < 7 or parts[2] != "secretsmanager":
        name = value_from.partition(":parameter")[2] or value_from
        return (
            f"aws ssm put-parameter --overwrite --type SecureString --name {shlex.quote(name)} "
            "--value VALUE"
        )
    key = parts[7] if len(parts) > 7 else ""
    value = shlex.quote(f'{{"{key}": "VALUE"}}') if key else "VALUE"
    secret = shlex.quote(":".join(parts[:7]))
    return f"aws secretsmanager put-secret-value --secret-id {secret} --secret-string {value}"


_OfTheLog = (
    TargetTrouble
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
)


def _of_the_log(advice: _OfTheLog) -> str:
    match advice:
        case ServerRemark():
            return _REMARKS[advice]
        case VariablesUnset() | VersionMisfit() | ExceptionKind() | Unreachable():
            return _of_an_exception(advice)
        case HealthPathFails(exception=exception, answers=answers):
            how = " 200" if answers else ""
            return f"make the health path answer{how}: {_of_an_exception(exception)}"
        case (
            TargetTrouble()
            | NothingAnswers()
            | AnswersLate()
            | HostRefused()
            | PathRedirects()
            | PortUntold()
        ):
            return _of_an_answer(advice)
        case _:
            return _of_a_place(advice)


def _of_an_exception(advice: ExceptionAdvice) -> str:
    match advice:
        case VariablesUnset(names=names, settings=settings):
            prefix = f", with the `env_prefix` of `{settings}` if it has one" if settings else ""
            return f"{_variables(names)}{prefix}"
        case VersionMisfit(package=package):
            raises = (
                f"the installed package `{package}` raises this"
                if package
                else "a package raises it"
            )
            return (
                f"{raises}, most often because it does not fit the version of another package that "
                "was installed with it: install the versions that were tested together (a lock "
                "file, or `==` in the requirements)"
            )
        case ExceptionKind():
            return _EXCEPTIONS[advice]
        case Unreachable():
            return _unreachable(advice)


def _variables(names: Sequence[str]) -> str:
    if len(names) == 1:
        return (
            f"if `{names[0]}` is an environment variable, set it in `service.environment` or "
            "`service.secrets`"
        )
    return (
        f"if {quoted_names(names)} are environment variables, set them in `service.environment` or "
        "`service.secrets`"
    )


def _unreachable(server: Unreachable) -> str:
    host = server.host
    if server.socket:
        return (
            "no database's host is set, so the program looks for a server on the Unix socket "
            f"`{server.socket}` of the task itself: set the variable that the code reads the host "
            "or URL from (`service.environment`, `service.secrets`)"
        )
    if not host:
        return (
            "make the server that the program connects to reachable from the task (address, "
            "security group), or let the program start without that connection"
        )
    place = f"`{host}:{server.port}`" if server.port else f"`{host}`"
    if server.is_local:
        return (
            f"nothing listens on {place} in the task: in a task, localhost is the task itself. If "
            "the code reads this address from a variable, set that variable to the server's "
            "address (`service.environment`, `service.secrets`); or let the program start "
            "without that connection"
        )
    if server.is_unknown:
        return (
            f"`{host}` cannot be resolved in a task: it is a name from Docker Compose or from a "
            "single machine. If the code reads this address from a variable, set that variable "
            "to an address that the task can reach (`service.environment`, `service.secrets`); or "
            "let the program start without that connection"
        )
    return (
        f"make {place} reachable from the task (address, security group), or let the program "
        "start without that connection"
    )


def _of_an_answer(
    advice: TargetTrouble | NothingAnswers | AnswersLate | HostRefused | PathRedirects | PortUntold,
) -> str:
    match advice:
        case TargetTrouble():
            return _TARGETS[advice]
        case NothingAnswers(port=port):
            return (
                f"make the service answer HTTP on {port_text(port)}: it may listen on another "
                "port, bind 127.0.0.1 instead of 0.0.0.0, or start more slowly than "
                "`healthCheck.gracePeriod` allows"
            )
        case AnswersLate(port=port):
            return (
                f"make the service answer in time on {port_text(port)}: it may not be up yet "
                "(`healthCheck.gracePeriod`), take longer than `healthCheck.timeout`, or bind "
                "127.0.0.1 instead of 0.0.0.0, or a security group may keep the load balancer out"
            )
        case HostRefused(host=host):
            return (
                "make the health path answer regardless of the Host header (Django: "
                "ALLOWED_HOSTS): the log says that the service refuses the "
                f"{_host(host)}, which the check sends"
            )
        case PathRedirects(path=path):
            return (
                f"`{path}` redirects: if only the slash at the end is missing, set "
                f"`healthCheck.path` to `{path.partition('?')[0]}/`; if it leads from http to "
                "https, make this path answer over http"
            )
        case PortUntold(advice=inner, has_lines=has_lines):
            silent = "its log names no port" if has_lines else "the task wrote no log lines"
            return f"{advice_text(inner)}; {silent}"
        case _:
            assert_never(advice)


def _host(host: str) -> str:
    return f"Host `{host}`" if host else "task's address as Host"


def _of_a_place(
    advice: ListensOnSocket
    | ListensUnreachably
    | ListensOnOtherPort
    | ListensLate
    | ListensInPlace,
) -> str:
    if isinstance(advice, ListensOnSocket):
        wanted = f"0.0.0.0:{advice.port}" if advice.port else "0.0.0.0 and `service.port`"
        return (
            f"the log says that the service listens on the Unix socket {advice.socket}: "
            f"make the service listen on {wanted} instead"
        )
    says = f"the log says that the service listens on {advice.place.text}"
    match advice:
        case ListensUnreachably():
            return f"{says}{_unreachable_place(advice)}"
        case ListensOnOtherPort(place=place, port=port):
            return (
                f"{says}, but the health check uses port {port}: set `service.port` (or "
                f"`healthCheck.port`) to {place.port}, or make the service listen on {port}"
            )
        case ListensLate(place=place, after=after, grace_period=grace):
            return (
                f"the log says that the service has been listening on {place.text} since "
                f"{place.at:%H:%M:%S}, {after:.0f} s after its start: raise "
                f"`healthCheck.gracePeriod` (now {grace} s) above that"
            )
        case ListensInPlace(in_time=True):
            return (
                f"{says}, and no answer came in time: the health path takes longer than "
                "`healthCheck.timeout`, or a security group keeps the load balancer out"
            )
        case ListensInPlace():
            return (
                f"{says}, and no HTTP answer came: it stopped later, closes connections without an "
                "answer, or speaks TLS there (`healthCheck.protocol: https`)"
            )


def _unreachable_place(advice: ListensUnreachably) -> str:
    place, port = advice.place, advice.port
    if place.host == "localhost":  # many servers print it whatever they bind
        other = f", and port {port}" if advice.elsewhere else ""
        return f"; if it binds that, only its own container can reach it: bind 0.0.0.0{other}"
    other = f", and use port {port} (or set `service.port` to {place.port})"
    return (
        ", where only its own container reaches it: bind 0.0.0.0 "
        f"(`--host 0.0.0.0`, `--bind 0.0.0.0:{port or place.port}`)"
        + (other if advice.elsewhere else "")
    )
