"""Servers' own words, as their documentation and their users' reports show them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsd.rollout.log_signs import LogSigns, LogText, read_signs
from fsd.rollout.log_values import ServerRemark

AT = datetime(2026, 11, 22, 14, 2, tzinfo=UTC)
TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/app/main.py", line 1, in <module>',
    "    import nope",
    "ModuleNotFoundError: No module named 'nope'",
)
NOPE = "ModuleNotFoundError: No module named 'nope'"


def signs(*texts: str) -> LogSigns:
    return read_signs([LogText(at=AT, text=text) for text in texts])


@pytest.mark.parametrize(
    ("line", "places"),
    [
        ("INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)", "127.0.0.1:8000"),
        ("[2024-01-01 12:00:00 +0000] [7] [INFO] Listening at: http://0.0.0.0:8001 (7)", "0.0.0.0:8001"),
        (" * Running on http://127.0.0.1:5000", "127.0.0.1:5000"),
        ("[2024-01-01 00:00:00 +0000] [1] [INFO] Running on http://[::]:8000 (CTRL + C to quit)", "[::]:8000"),
        ("Starting development server at http://127.0.0.1:8000/", "127.0.0.1:8000"),
        ("======== Running on http://0.0.0.0:8080 ========", "0.0.0.0:8080"),
        ("INFO:waitress:Serving on http://0.0.0.0:8080", "0.0.0.0:8080"),
        ("Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...", "0.0.0.0:8000"),
        ("2024-01-01 12:00:00,000 INFO     Listening on TCP address 127.0.0.1:8000", "127.0.0.1:8000"),
        ("[INFO] Goin' Fast @ http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("uwsgi socket 0 bound to TCP address 127.0.0.1:8000 fd 3", "127.0.0.1:8000"),
        ("uWSGI http bound on :8000 fd 4", "port 8000"),
        ("  URL: http://0.0.0.0:8501", "0.0.0.0:8501"),
        ("Running on local URL:  http://127.0.0.1:7860", "127.0.0.1:7860"),
        ("Server listening on 0.0.0.0:50051", "0.0.0.0:50051"),
        ("Server listening on port 3000", "port 3000"),
        ("Example app listening at http://localhost:3000", "localhost:3000"),
        ("listening on :8080", "port 8080"),
        ("Listening on 3000", "port 3000"),
        ("Tomcat started on port(s): 8080 (http) with context path ''", "port 8080"),
        ("ready - started server on 0.0.0.0:3000, url: http://localhost:3000", "localhost:3000, 0.0.0.0:3000"),
        ('{"event": "Uvicorn running on http://0.0.0.0:8001", "level": "info"}', "0.0.0.0:8001"),
        ("\x1b[32mINFO\x1b[0m:     Uvicorn running on \x1b[1mhttp://127.0.0.1:8000\x1b[0m", "127.0.0.1:8000"),
        # Who does not listen, or is not the service.
        (" * Running on all addresses (0.0.0.0)", ""),
        ("2024-01-01 12:30:45 Server started on 12:30:45", ""),
        ("Connected to redis running on localhost:6379", ""),
        ("Prometheus metrics server listening on :9090", ""),
        ("Starting worker, broker at tcp://10.0.0.3:5672", ""),
        ("INFO:     10.0.1.7:41000 - \"GET /health HTTP/1.1\" 404 Not Found", ""),
        ("INFO:     Started server process [1]", ""),
        ("INFO:     Application startup complete.", ""),
        ("running migration 0042 on table orders", ""),
        ("serving model v2 at port 99999", ""),
    ],
)  # fmt: skip
def test_read_signs__where_it_listens(line: str, places: str) -> None:
    found = [place.text for place in signs(line).listening]

    assert ", ".join(found) == places


@pytest.mark.parametrize(
    ("line", "socket"),
    [
        ("[INFO] Listening at: unix:/tmp/gunicorn.sock (7)", "/tmp/gunicorn.sock"),
        ("INFO:     Uvicorn running on unix socket /run/x.sock (Press CTRL+C to quit)", "/run/x.sock"),
    ],
)  # fmt: skip
def test_read_signs__unix_socket(line: str, socket: str) -> None:
    assert signs(line).socket == socket


@pytest.mark.parametrize(
    ("texts", "exception"),
    [
        (TRACEBACK, NOPE),
        (("\n".join(TRACEBACK),), NOPE),
        ((*TRACEBACK, "[2024-01-01 12:00:00 +0000] [7] [INFO] Worker exiting (pid: 7)"), NOPE),
        (
            (
                "Traceback (most recent call last):",
                '  File "x"',
                "KeyError: 'A'",
                "",
                "During handling of the above exception, another exception occurred:",
                "",
                "Traceback (most recent call last):",
                '  File "y"',
                "django.core.exceptions.ImproperlyConfigured: A is not set",
            ),
            "django.core.exceptions.ImproperlyConfigured: A is not set",
        ),
        (
            (
                "Traceback (most recent call last):",
                '  File "x"',
                "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings",
                "DATABASE_URL",
                "  Field required [type=missing]",
            ),
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings "
            "DATABASE_URL Field required [type=missing]",
        ),
        (
            (
                "  + Exception Group Traceback (most recent call last):",
                '  |   File "x"',
                "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)",
                "  +-+---------------- 1 ----------------",
                "    | Traceback (most recent call last):",
                '    |   File "y"',
                "    | ValueError: inner",
                "    +------------------------------------",
            ),
            "ValueError: inner",
        ),
        (
            (json.dumps({"level": "error", "message": "boom", "exc_info": "\n".join(TRACEBACK)}),),
            NOPE,
        ),
        (
            ('ERROR:    Error loading ASGI app. Could not import module "main".',),
            'Error loading ASGI app. Could not import module "main".',
        ),
        (  # awslabs/web-client-for-aws-transfer-family#12, giuseppe99barchetta/SuggestArr#11
            (
                "[ERROR] Exception in worker process",
                *TRACEBACK,
                "[INFO] Worker exiting (pid: 10)",
                "Traceback (most recent call last):",
                '  File "/usr/local/bin/gunicorn", line 8, in <module>',
                "gunicorn.errors.HaltServer: <HaltServer 'Worker failed to boot.' 3>",
            ),
            NOPE,
        ),
        (  # loelkes/jire#2
            (
                "[2023-11-23 14:43:47 +0000] [1] [ERROR] Worker (pid:7) exited with code 3",
                "[2023-11-23 14:43:47 +0000] [1] [ERROR] Reason: Worker failed to boot.",
            ),
            "Worker failed to boot.",
        ),
        (  # ryerkerk/aws-batch-python-tutorial#1
            ("standard_init_linux.go:228: exec user process caused: no such file or directory",),
            "standard_init_linux.go:228: exec user process caused: no such file or directory",
        ),
        (("/bin/sh: 1: gunicorn: not found",), "/bin/sh: 1: gunicorn: not found"),
        (("/usr/local/bin/python: No module named app",), "/usr/local/bin/python: No module named app"),
        (
            ('  File "/app/main.py", line 3', "    def f(:", "          ^", "SyntaxError: invalid syntax"),
            "SyntaxError: invalid syntax",
        ),
        (("Error: Cannot find module '/app/server.js'",), "Error: Cannot find module '/app/server.js'"),
        (("app.py: error: unrecognized arguments: --x",), "app.py: error: unrecognized arguments: --x"),
        (("panic: runtime error: index out of range",), "panic: runtime error: index out of range"),
        (("Traceback (most recent call last):", "  cut off here"), ""),
        (("INFO:     Application startup complete.",), ""),
        (("loading error pages", "no error: all good"), ""),
        ((), ""),
    ],
)  # fmt: skip
def test_read_signs__exception(texts: tuple[str, ...], exception: str) -> None:
    assert signs(*texts).exception == exception


def test_read_signs__more_lines_than_are_read__the_first_and_the_last_count() -> None:
    banner = "INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)"
    chatter = ["\n".join(["working"] * 250)] * 40

    found = signs(banner, *chatter, *TRACEBACK)

    assert [place.port for place in found.listening] == [8000]
    assert found.exception == NOPE


def test_read_signs__long_exception__cut() -> None:
    said = signs(*TRACEBACK[:-1], "ValueError: " + "x" * 5000).exception

    assert len(said) == 200
    assert said.endswith("…")


def test_read_signs__access_log__path_and_status() -> None:
    found = signs(
        'INFO:     10.0.1.7:41000 - "GET /health HTTP/1.1" 404 Not Found',
        '10.0.1.7 - - [22/Nov/2026:14:02:00 +0000] "GET /health/ HTTP/1.1" 301 0 "-" "ELB-HealthChecker/2.0"',
        # hackoregon/civic-devops#245
        "10.180.13.204 [30/Jun/2019:19:22:06 +0000] GET /emergency/ HTTP/1.1 400 26 - ELB-HealthChecker/2.0",
    )  # fmt: skip

    assert [(answer.path, answer.status) for answer in found.answers] == [
        ("/health", 404),
        ("/health/", 301),
        ("/emergency/", 400),
    ]


@pytest.mark.parametrize(
    ("line", "remark"),
    [
        (
            "[ERROR] Worker (pid:8) was sent SIGKILL! Perhaps out of memory?",
            ServerRemark.WORKER_KILLED,
        ),
        ("[1] [CRITICAL] WORKER TIMEOUT (pid:8)", ServerRemark.WORKER_TIMEOUT),
        ("timeout of the worker", None),
    ],
)
def test_read_signs__what_the_server_says_of_itself(line: str, remark: ServerRemark | None) -> None:
    assert signs(line).remark is remark


@pytest.mark.parametrize(
    ("line", "host"),
    [
        (
            "Invalid HTTP_HOST header: '10.0.1.7:8000'. You may need to add '10.0.1.7' to "
            "ALLOWED_HOSTS.",
            "10.0.1.7:8000",
        ),
        (
            "django.core.exceptions.DisallowedHost: Invalid HTTP_HOST header: '10.0.1.7:8443'. You "
            "may need to add '10.0.1.7' to ALLOWED_HOSTS.",
            "10.0.1.7:8443",
        ),
        ("django.security.DisallowedHost", ""),
        ("Bad Request: /health", None),
    ],
)
def test_read_signs__host_that_is_refused(line: str, host: str | None) -> None:
    assert signs(line).refused_host == host


@pytest.mark.parametrize(("texts", "has"), [((), False), (("", "  \n"), False), (("x",), True)])
def test_read_signs__whether_there_are_lines(texts: tuple[str, ...], has: bool) -> None:
    assert signs(*texts).has_lines is has


@given(st.lists(st.text(max_size=300), max_size=5))
def test_read_signs__any_text__never_fails(texts: list[str]) -> None:
    signs(*texts)


@pytest.mark.parametrize(
    "text",
    [
        "serving at to on " * 300,
        "running " * 700,
        '"GET /' * 900,
        "a.b.c:" * 900,
        "{" * 100_000,
        "\n".join(TRACEBACK[:1] * 300),
        "[:::" * 1000,
    ],
)
def test_read_signs__hostile_lines__in_time(text: str) -> None:
    began = process_time()

    signs(*[text] * 300)

    assert process_time() - began < 5
