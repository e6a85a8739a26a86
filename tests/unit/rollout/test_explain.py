"""What the log adds to what AWS says of a failed task."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import summary_text
from fsd.rollout.cause import Cause, Evidence
from fsd.rollout.diagnose import find_causes
from fsd.rollout.explain import LoggedTask, explain
from fsd.rollout.failures import FAILURES, WITHOUT_TASKS
from fsd.rollout.log_signs import LogText, read_signs
from tests.timeline import snapshot, task_definition

RAISED = (
    "find out why this exception is raised; it may come from the code, its settings or something "
    "that it depends on"
)

AT = datetime(2026, 11, 22, 14, 2, tzinfo=UTC)
ARN = task_definition("web:42")
KILL = "stopped  web:42  ServiceSchedulerInitiated  Task failed ELB health checks in (x)"
UNHEALTHY = "stopped  web:42  ServiceSchedulerInitiated  Task failed container health checks"
EXIT = "stopped  web:42  EssentialContainerExited  exit 1  Essential container in task exited"
TASK = LoggedTask(id="0" * 32, name="0000…", port=8000, grace_period=60, started_at=AT)

REFUSED = "target  10.0.0.7  unhealthy  Target.FailedHealthChecks  Health checks failed"
LATE = "target  10.0.0.7  unhealthy  Target.Timeout  Request timed out"


def answered(code: str) -> str:
    return (
        "target  10.0.0.7  unhealthy  Target.ResponseCodeMismatch  "
        f"Health checks failed with these codes: [{code}]"
    )


def the_cause(
    *look: str, log: tuple[str, ...] = (), task: LoggedTask = TASK, after: int = 1
) -> Cause:
    """`after`: seconds between the task's start and the lines."""
    at = AT + timedelta(seconds=after)
    causes = find_causes(snapshot("\n".join(look)), ARN, reason="")
    signs = read_signs([LogText(at=at, text=line) for line in log])
    (cause,) = explain(causes, signs, task)
    return cause


UVICORN = "INFO:     Uvicorn running on http://{} (Press CTRL+C to quit)"
NO_ANSWER = (
    "make the service answer HTTP on port 8000: it may listen on another port, bind 127.0.0.1 "
    "instead of 0.0.0.0, or start more slowly than `healthCheck.gracePeriod` allows"
)


@pytest.mark.parametrize(
    ("look", "log", "advice"),
    [
        # Nothing answers.
        (REFUSED, (), f"{NO_ANSWER}; the task wrote no log lines"),
        (REFUSED, ("loading the model",), f"{NO_ANSWER}; its log names no port"),
        (
            REFUSED,
            (UVICORN.format("0.0.0.0:8001"),),
            "the log says that the service listens on 0.0.0.0:8001, but the health check uses "
            "port 8000: set `service.port` (or `healthCheck.port`) to 8001, or make the service "
            "listen on 8000",
        ),
        (
            REFUSED,
            (UVICORN.format("127.0.0.1:8000"),),
            "the log says that the service listens on 127.0.0.1:8000, where only its own container "
            "reaches it: bind 0.0.0.0 (`--host 0.0.0.0`, `--bind 0.0.0.0:8000`)",
        ),
        (
            REFUSED,
            (" * Running on http://127.0.0.1:5000",),
            "the log says that the service listens on 127.0.0.1:5000, where only its own container "
            "reaches it: bind 0.0.0.0 (`--host 0.0.0.0`, `--bind 0.0.0.0:8000`), and use port 8000 "
            "(or set `service.port` to 5000)",
        ),
        (
            REFUSED,
            ("Example app listening at http://localhost:8000",),
            "the log says that the service listens on localhost:8000; if it binds that, only its "
            "own container can reach it: bind 0.0.0.0",
        ),
        (
            REFUSED,
            ("[INFO] Listening at: unix:/tmp/g.sock (7)",),
            "the log says that the service listens on the Unix socket /tmp/g.sock: make the "
            "service listen on 0.0.0.0:8000 instead",
        ),
        # Flask says both where it binds all.
        (
            REFUSED,
            (" * Running on http://127.0.0.1:8000", " * Running on http://10.0.0.7:8000"),
            "the log says that the service listens on 10.0.0.7:8000, and no HTTP answer came: it stopped "
            "later, closes connections without an answer, or speaks TLS there "
            "(`healthCheck.protocol: https`)",
        ),
        (
            LATE,
            (UVICORN.format("0.0.0.0:8000"),),
            "the log says that the service listens on 0.0.0.0:8000, and no answer came in time: the "
            "health path takes longer than `healthCheck.timeout`, or a security group keeps the "
            "load balancer out",
        ),
        # A task of the embedded AWS listens at its own address, and waits for what is not there.
        (
            LATE,
            (
                " * Running on http://127.77.4.2:8000",
                "Traceback (most recent call last):",
                '  File "/app/app.py", line 12, in hello',
                "redis.exceptions.ConnectionError: Error -2 connecting to redis:6379. Name or "
                "service not known.",
            ),
            "make the health path answer: `redis` cannot be resolved in a task: it is a name from "
            "Docker Compose or from a single machine. If the code reads this address from a "
            "variable, set that variable to an address that the task can reach "
            "(`service.environment`, `service.secrets`); or let the program start without that "
            "connection",
        ),
        # A start script that tries again and again.
        (
            REFUSED,
            ("/srv/entrypoint.sh: 5: nc: not found", "/srv/entrypoint.sh: 5: nc: not found"),
            "put the program, and the interpreter that its first line names, into the image, or "
            "correct `service.command`",
        ),
        (
            REFUSED,
            ("KeyError: 'SERVER_NAME'", "Deploy command failed, retrying in 5 secs..."),
            "if `SERVER_NAME` is an environment variable, set it in `service.environment` or "
            "`service.secrets`",
        ),
        (
            LATE,
            ("loading",),
            "make the service answer in time on port 8000: it may not be up yet "
            "(`healthCheck.gracePeriod`), take longer than `healthCheck.timeout`, or bind 127.0.0.1 "
            "instead of 0.0.0.0, or a security group may keep the load balancer out; its log names "
            "no port",
        ),
        (
            LATE,
            (UVICORN.format("0.0.0.0:8001"),),
            "the log says that the service listens on 0.0.0.0:8001, but the health check uses "
            "port 8000: set `service.port` (or `healthCheck.port`) to 8001, or make the service "
            "listen on 8000",
        ),
        (
            LATE,
            (UVICORN.format("0.0.0.0:8000"), "[1] [CRITICAL] WORKER TIMEOUT (pid:8)"),
            "raise gunicorn's `--timeout`, or find what blocks the worker: the log says that a "
            "worker did not answer in time",
        ),
        # Something else than 200 answers.
        (
            answered("400"),
            ("Invalid HTTP_HOST header: '10.0.0.7:8000'.",),
            "make the health path answer regardless of the Host header (Django: ALLOWED_HOSTS): the "
            "log says that the service refuses the Host `10.0.0.7:8000`, which the check sends",
        ),
        (
            answered("400"),
            (),
            "make the health path answer regardless of the Host header (Django: ALLOWED_HOSTS): an "
            "answer of 400 most often means that the service accepts only its own host names, and "
            "the check's Host header is the task's address",
        ),
        (
            answered("301"),
            ('INFO: 10.0.0.1:4000 - "GET /health HTTP/1.1" 301 Moved Permanently',),
            "`/health` redirects: if only the slash at the end is missing, set `healthCheck.path` "
            "to `/health/`; if it leads from http to https, make this path answer over http",
        ),
        (
            answered("301"),
            ('INFO: 10.0.0.1:4000 - "GET /health/ HTTP/1.1" 301 Moved Permanently',),
            "set `healthCheck.path` to the path that the health path redirects to (often the same "
            "path with a slash at the end, not a login), or to one that answers everybody over http",
        ),
        (answered("405"), (), "make the health path answer GET"),
        (
            answered("500, 503"),
            (),
            "find out why the health path returns an error; the cause is in the service or in "
            "something that it depends on",
        ),
    ],
)
def test_explain__health_check_failed__says_what_is_known(
    look: str, log: tuple[str, ...], advice: str
) -> None:
    assert advice_text(the_cause(KILL, look, log=log).advice) == advice


def test_explain__no_answer__summary_names_the_port() -> None:
    assert summary_text(the_cause(KILL, REFUSED).summary) == (
        "the load balancer's health check failed (one task): no HTTP answer from port 8000"
    )


def test_explain__listens_later_than_the_grace_period__says_how_late() -> None:
    log = (UVICORN.format("0.0.0.0:8000"),)

    late = the_cause(KILL, REFUSED, log=log, after=75)
    in_time = the_cause(KILL, REFUSED, log=log, after=59)

    assert advice_text(late.advice) == (
        "the log says that the service has been listening on 0.0.0.0:8000 since 14:03:15, 75 s after "
        "its start: raise `healthCheck.gracePeriod` (now 60 s) above that"
    )
    assert advice_text(in_time.advice) == (
        "the log says that the service listens on 0.0.0.0:8000, and no HTTP answer came: it "
        "stopped later, closes connections without an answer, or speaks TLS there "
        "(`healthCheck.protocol: https`)"
    )


def test_explain__line_that_is_not_shown__is_evidence() -> None:
    line = UVICORN.format("0.0.0.0:8001")

    unseen = the_cause(KILL, REFUSED, log=(line,))
    seen = the_cause(KILL, REFUSED, log=(line,), task=replace(TASK, shown_lines=(line,)))

    assert unseen.evidence[-1] == Evidence(source="log 0000…", text=line, at="14:02:01")
    assert seen.evidence == unseen.evidence[:-1]


def test_explain__500_with_an_exception__is_in_the_summary() -> None:
    log = ("Traceback (most recent call last):", '  File "x"', "ValueError: no model")

    assert summary_text(the_cause(KILL, answered("500"), log=log).summary).endswith(
        "(one task): status 500, after ValueError: no model"
    )


@pytest.mark.parametrize(
    ("log", "summary", "advice"),
    [
        (
            ('INFO: 127.0.0.1:4000 - "GET /health HTTP/1.1" 404 Not Found',),
            "the container's health check failed (one task): the service answered 404",
            "set `healthCheck.path` to a path that the service serves",
        ),
        (
            (UVICORN.format("127.0.0.1:8000"),),  # where the container's own check asks
            "the container's health check failed (one task)",
            "make the health path answer on 127.0.0.1; if the service starts slowly, raise "
            "`healthCheck.gracePeriod`",
        ),
        (
            (UVICORN.format("127.0.0.1:8001"),),
            "the container's health check failed (one task)",
            "the log says that the service listens on 127.0.0.1:8001, but the health check "
            "uses port 8000: set `service.port` (or `healthCheck.port`) to 8001, or make the "
            "service listen on 8000",
        ),
    ],
)
def test_explain__container_check(log: tuple[str, ...], summary: str, advice: str) -> None:
    cause = the_cause(UNHEALTHY, log=log)

    assert (summary_text(cause.summary), advice_text(cause.advice)) == (summary, advice)


@pytest.mark.parametrize(
    ("exception", "advice"),
    [
        ("ModuleNotFoundError: No module named 'fastapi'", "add the missing module to the image"),
        ("ImportError: cannot import name 'x' from 'y'", "add the missing module to the image"),
        (
            "ModuleNotFoundError: No module named 'pkg_resources'",
            "the module is a part of setuptools",
        ),
        ("ModuleNotFoundError: No module named 'distutils'", "the module is a part of setuptools"),
        (
            'IntegrityError: duplicate key value violates "pg_type_typname_nsp_index"',
            "two tasks migrate the database at the same time: run the migration once",
        ),
        (
            'DuplicateTable: relation "django_migrations" already exists',
            "two tasks migrate the database at the same time: run the migration once",
        ),
        (
            'IntegrityError: duplicate key value violates unique constraint "users_email"',
            RAISED,
        ),
        ("KeyError: 'DATABASE_URL'", "if `DATABASE_URL` is an environment variable, set it in "),
        ("KeyError: 'price'", RAISED),
        (
            "OSError: [Errno 98] Address already in use",
            "another process in the task already uses the port",
        ),
        ("OperationalError: connection refused", "make the server that the program connects to"),
        ("exec /app/run.sh: exec format error", "the image, or a program in it, is for another"),
        ("exec /app/run.sh: no such file or directory", "put the program, and the interpreter"),
        ("/bin/sh: 1: gunicorn: not found", "put the program, and the interpreter"),
        (
            "django.core.exceptions.ImproperlyConfigured: Tickets credentials must be",
            "set the variable that the code reads there, in `service.environment` or ",
        ),
        ("RuntimeError: no token in the environment variables", "set the variable that the code "),
        (
            "django.core.exceptions.ImproperlyConfigured: 'x' isn't an available database backend",
            RAISED,
        ),
        (
            "SyntaxError: invalid syntax",
            RAISED,
        ),
    ],
)
def test_explain__crash__the_exception_is_the_cause(exception: str, advice: str) -> None:
    is_python = not exception.startswith(("exec ", "/bin/"))
    head = ("Traceback (most recent call last):", '  File "x"') if is_python else ()

    cause = the_cause(EXIT, log=(*head, exception))

    assert (
        summary_text(cause.summary)
        == f"the main process ended (one task, exit code 1): {exception}"
    )
    assert advice_text(cause.advice).startswith(advice)


FRAME = '  File "/usr/local/lib/python3.12/site-packages/flask_orm/__init__.py", line 7, in f'
OWN = '  File "/app/shop/main.py", line 3, in <module>'
MISFIT = (
    "most often because it does not fit the version of another package that was installed with "
    "it: install the versions that were tested together (a lock file, or `==` in the requirements)"
)


@pytest.mark.parametrize(
    ("frames", "exception", "advice"),
    [
        (
            (OWN, FRAME),
            "AttributeError: '_Stack' object has no attribute '__ident__'",
            f"the installed package `flask_orm` raises this, {MISFIT}",
        ),
        (
            (OWN, FRAME),
            "TypeError: __init__() got an unexpected keyword argument 'proxies'",
            f"the installed package `flask_orm` raises this, {MISFIT}",
        ),
        (
            (OWN,),
            "ImportError: cannot import name 'escape' from 'flask_orm' "
            "(/usr/local/lib/python3.12/site-packages/flask_orm/__init__.py)",
            f"a package raises it, {MISFIT}",
        ),
        (
            (FRAME, OWN),
            "AttributeError: 'Shop' object has no attribute 'x'",
            RAISED,
        ),
        (
            (OWN, FRAME),
            "AttributeError: 'NoneType' object has no attribute 'x'",
            RAISED,
        ),
    ],
)
def test_explain__exception_of_a_package__its_versions(
    frames: tuple[str, ...], exception: str, advice: str
) -> None:
    log = ("Traceback (most recent call last):", *frames, "    call()", exception)

    assert advice_text(the_cause(EXIT, log=log).advice) == advice


@pytest.mark.parametrize(
    "lines",
    [
        (
            "pydantic.error_wrappers.ValidationError: 2 validation errors for Settings",
            "database_url",
            "  field required (type=value_error.missing)",
            "secret_key",
            "  field required (type=value_error.missing)",
        ),
        (
            "pydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings",
            "database_url",
            "  Field required [type=missing, input_value={}, input_type=dict]",
            "    For further information visit https://errors.pydantic.dev/2.12/v/missing",
            "secret_key",
            "  Field required [type=missing, input_value={}, input_type=dict]",
            "    For further information visit https://errors.pydantic.dev/2.12/v/missing",
        ),
    ],
    ids=["pydantic 1", "pydantic 2"],
)
def test_explain__several_settings_are_missing__all_are_named(lines: tuple[str, ...]) -> None:
    cause = the_cause(EXIT, log=("Traceback (most recent call last):", OWN, *lines))

    assert advice_text(cause.advice) == (
        "if `DATABASE_URL` and `SECRET_KEY` are environment variables, set them in "
        "`service.environment` or `service.secrets`, with the `env_prefix` of `Settings` if it has "
        "one"
    )
    assert summary_text(cause.summary).endswith(
        f"{lines[0]} database_url {lines[2].strip()[:14]}, secret_key {lines[2].strip()[:14]}"
    )


def test_explain__crash_without_lines__says_so() -> None:
    assert advice_text(the_cause(EXIT).advice) == (
        "run the image locally (`docker run`) to see why it exits: the task wrote no log lines"
    )


NOT_STARTED = (
    "stopped  web:42  TaskFailedToStart  -  CannotStartContainerError: runc create failed: unable "
    "to start container process: exec: {}: unknown"
)
EXIT_126 = EXIT.replace("exit 1", "exit 126")


@pytest.mark.parametrize(
    ("look", "log", "advice"),
    [
        (
            NOT_STARTED.format('"./start.sh": permission denied'),
            (),
            "make `./start.sh` executable: `chmod +x` the file and commit it, or add "
            "`RUN chmod +x ./start.sh` below the COPY in the Dockerfile",
        ),
        (
            EXIT_126,
            ("/bin/sh: 1: bin/run: Permission denied",),
            "make `bin/run` executable: `chmod +x` the file and commit it, or add "
            "`RUN chmod +x bin/run` below the COPY in the Dockerfile",
        ),
        (
            NOT_STARTED.format('"serve": executable file not found in $PATH'),
            (),
            "check CMD and ENTRYPOINT (or `service.command`): the program must be in the image "
            "and executable",
        ),
        (
            EXIT_126,
            (),
            "run the image locally (`docker run`) to see why it exits: the task wrote no log lines",
        ),
    ],
    ids=["may not be run", "by a shell", "is not there", "silent"],
)
def test_explain__program_that_did_not_start__what_makes_it_start(
    look: str, log: tuple[str, ...], advice: str
) -> None:
    cause = the_cause(look, log=log, task=replace(TASK, shown_lines=log))

    assert cause.code == "command-not-found"
    assert advice_text(cause.advice) == advice


def test_explain__lines_went_elsewhere__nothing_is_said_of_silence() -> None:
    unread = replace(TASK, is_log_whole=False)
    of_the_router = ("[info] [fluent bit] version=1.9.10",)

    assert advice_text(the_cause(EXIT, task=unread).advice) == (
        "find out why the program ended: ECS reports only the exit code"
    )
    assert advice_text(the_cause(KILL, REFUSED, task=unread).advice) == NO_ANSWER
    assert advice_text(the_cause(KILL, REFUSED, task=unread, log=of_the_router).advice) == NO_ANSWER


def test_explain__another_task__as_it_was() -> None:
    cause = the_cause(EXIT, task=replace(TASK, id="another"))

    assert (
        advice_text(cause.advice)
        == "find out why the program ended: ECS reports only the exit code"
    )


@pytest.mark.parametrize("row", [*FAILURES, *WITHOUT_TASKS], ids=lambda row: row.code)
def test_row__advice_points_at_no_lines(row: object) -> None:
    """An annotation and `fsd explain` show none, and a task may have written none."""
    assert "above" not in getattr(row, "advice", "above")
