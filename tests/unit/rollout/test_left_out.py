from __future__ import annotations

import pytest

from fsd.quoted import Quoted
from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import summary_text
from fsd.rollout.cause import Cause, Diagnosis, Evidence
from fsd.rollout.left_out import explain_by_left_out

STEPS = ("RUN apt-get install -y libpq5",)
PYTHON = ("Python 3.13 of FROM is not on this machine: tasks run on Python 3.11",)
LIBRARY = "ImportError: libpq.so.5: cannot open shared object file: No such file or directory"


def diagnosis(*said: str) -> Diagnosis:
    evidence = tuple(Evidence(source="log 7f3a…", text=text) for text in said)
    cause = Cause(
        code="crashed",
        summary=Quoted(text="the main process ended"),
        where="x",
        evidence=evidence,
        advice=Quoted(text="read the log"),
    )
    return Diagnosis(causes=(cause,), causes_without_log=(cause,))


@pytest.mark.parametrize(
    "said",
    [
        LIBRARY,
        "ModuleNotFoundError: No module named 'app.generated'",
        "sh: 1: node: not found",
        'exec: "ffmpeg": executable file not found in $PATH: unknown',
        "FileNotFoundError: [Errno 2] No such file or directory: '/app/static/manifest.json'",
    ],
)
def test_explain__something_is_missing_and_a_step_was_left_out__says_so_first(said: str) -> None:
    found = explain_by_left_out(diagnosis(said), STEPS)

    assert summary_text(found.cause.summary) == (
        "the image was made without Docker, and this step was left out: "
        "RUN apt-get install -y libpq5. The main process ended"
    )
    assert advice_text(found.cause.advice).startswith(
        "install the same on this machine, or run containers: "
    )
    assert advice_text(found.cause.advice).endswith("; else read the log")
    assert found.causes_without_log == found.causes


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("cp: cannot stat '/public': No such file or directory", "COPY --from=assets /x /public"),
        ("/usr/src/app/entrypoint.sh: 5: yarn: not found", "RUN yarn install"),
        (LIBRARY, "RUN a; RUN yarn install; RUN b; and 2 more"),
    ],
)
def test_explain__many_steps__those_that_name_what_is_missing(said: str, shown: str) -> None:
    steps = ("RUN a", "RUN yarn install", "RUN b", "RUN c", "COPY --from=assets /x /public")

    found = explain_by_left_out(diagnosis(said), steps)

    assert summary_text(found.cause.summary).endswith(f"left out: {shown}. The main process ended")


def test_explain__setting_that_no_step_makes__is_not_for_want_of_docker() -> None:
    said = "FileNotFoundError: [Errno 2] No such file or directory: '/config/shop.cfg'"

    found = explain_by_left_out(diagnosis(said), STEPS)

    assert summary_text(found.cause.summary) == "the main process ended"
    assert advice_text(found.cause.advice) == (
        "no step of the Dockerfile makes `/config/shop.cfg`: COPY it into the image, give it by a "
        "volume (`service.volumes`), or correct the variable that names it"
    )
    assert found.causes_without_log == found.causes


def test_explain__step_that_no_installation_replaces__containers_alone() -> None:
    steps = ("RUN apt-get install -y libpq5", "COPY --from=assets /app/public /public")

    found = explain_by_left_out(
        diagnosis("cp: cannot stat '/public': No such file or directory"), steps
    )

    assert advice_text(found.cause.advice) == (
        "run containers: fsd local down, fsd local up --runtime container; else read the log"
    )


@pytest.mark.parametrize(
    ("said", "left_out"),
    [
        (LIBRARY, ()),
        (LIBRARY, PYTHON),
        ("ZeroDivisionError: division by zero", STEPS),
        ("AttributeError: 'NoneType' object has no attribute '_instantiate_plugins'", STEPS),
        ("Invalid HTTP_HOST header: '127.77.52.122:8000'", STEPS),
        ('GET / HTTP/1.1" 404: page not found', STEPS),
        ("KeyError: 'DATABASE_URL'", PYTHON),
        ("ZeroDivisionError: division by zero", PYTHON),
    ],
)
def test_explain__nothing_left_out_or_another_reason__stays(
    said: str, left_out: tuple[str, ...]
) -> None:
    assert explain_by_left_out(diagnosis(said), left_out) == diagnosis(said)


@pytest.mark.parametrize(
    "said",
    [
        "SyntaxError: invalid syntax",
        "TypeError: unsupported operand type(s) for |: 'type' and 'NoneType'",
        "ImportError: cannot import name 'override' from 'typing'",
        "ModuleNotFoundError: No module named 'tomllib'",
    ],
)
def test_explain__words_of_a_newer_python__says_first_which_one_runs(said: str) -> None:
    found = explain_by_left_out(diagnosis(said), (*PYTHON, *STEPS))

    assert summary_text(found.cause.summary) == f"{PYTHON[0]}. The main process ended"
    assert advice_text(found.cause.advice).startswith("install that Python, or run containers: ")


def test_explain__a_program_is_missing__the_step_that_installs_packages_first() -> None:
    steps = ("RUN apt-get install -y git", 'RUN bash -c "pip install -r <(pipenv lock -r)"')

    found = explain_by_left_out(
        diagnosis('exec: "gunicorn": executable file not found in $PATH'), steps
    )

    assert f"left out: {steps[1]}; {steps[0]}. The main" in summary_text(found.cause.summary)
    assert advice_text(found.cause.advice).startswith("run containers: ")


@pytest.mark.parametrize(
    "said",
    [
        'connection to server on socket "/run/s" failed: No such file or directory',
        "ModuleNotFoundError: No module named 'pkg_resources'",
        "ModuleNotFoundError: No module named 'distutils'",
    ],
)
def test_explain__not_for_want_of_a_step__none_is_to_blame(said: str) -> None:
    before = diagnosis(said)

    assert explain_by_left_out(before, STEPS) == before
