"""What a workflow gives as secret is in nothing that a step says, however it is written there."""

from __future__ import annotations

import base64
import html
import io
import json
import random
import string
import urllib.parse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fsd.action.inputs import CommentLogs, read_inputs
from fsd.action.secrets import argument_values, check_build_secrets
from fsd.aws.ecs_shapes import to_stopped_task
from fsd.errors import CallFailedError, ErrorCode, UsageError
from fsd.github.context import read_context
from fsd.github.runner import PREFIX, Level, Runner
from fsd.quoted import Quoted
from fsd.release.notes import OutputLine, Remark
from fsd.release.phase_facts import ManifestRead
from fsd.release.reporter import Hiding
from fsd.release.result import Outcome, PhaseName
from fsd.release.run_secrets import RunSecrets
from fsd.report import github_text
from fsd.report.notes import note_text
from fsd.report.plain import PlainReporter
from tests.unit.action.step import PUSH, FakeDeployer, Scene
from tests.unit.report.results import DIAGNOSIS, make_phase, make_result

_MADE = random.Random(5)
SECRETS = (
    "hunter2-is-long",
    "a b/c+d=e?f&g",
    'with "quotes" and \\',
    "a_b*c@d#e|f~g[h]",
    "ünïcödé-9zQ",
    "".join(_MADE.choices(string.ascii_letters + string.digits, k=40)),
    "".join(_MADE.choices(string.printable[:94], k=24)),
)
WRITINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: urllib.parse.quote(text, safe=""),
    "form": urllib.parse.quote_plus,
    "json": json.dumps,
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "repr": repr,
    "markdown": github_text.escape,
    "markdown code": github_text.code,
    "html": html.escape,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "basic": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "base64 url": lambda text: base64.urlsafe_b64encode(f"_{text}_".encode()).decode(),
}


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_hide__a_secret_in_each_writing__hidden(secret: str, writing: str) -> None:
    written = WRITINGS[writing](secret)

    shown = RunSecrets().and_also([secret]).hide(f"before {written} after")

    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "***" in shown
    assert len(shown) < len(f"before {written} after")
    assert secret not in shown


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("https://user:hunter2x@pypi.example.com/simple", "hunter2x"),
        ("https://oauth2tokenvalue@git.example.com/x", "oauth2tokenvalue"),
        ("https://x.example.com/?sig=abcdef%2Bghi&se=1", "abcdef+ghi"),
        ("https://x.example.com/?sig=abcdef%2Bghi&se=1", "abcdef%2Bghi"),
        ("postgresql+psycopg://app:p%40ssw0rd@db/x", "p@ssw0rd"),
    ],
)
def test_hide__a_part_of_a_url__hidden(url: str, part: str) -> None:
    assert RunSecrets().and_also([url]).hide(f"failed: {part}!") == "failed: ***!"


def test_repr__secrets__never_there() -> None:
    assert "hunter2" not in repr(RunSecrets().and_also(["hunter2-is-long"]))


@pytest.mark.parametrize(
    "line",
    [
        "NPM_TOKEN=hunter2-is-long",
        "hunter2-is-long",
        "id=npm,hunter2-is-long",
        "id=npm,value=hunter2-is-long",
        "id=npm;env=hunter2-is-long",
        "npm:hunter2-is-long",
        "https://u:hunter2-is-long@x/?a=b",
        "=hunter2-is-long",
        '"NPM_TOKEN=hunter2-is-long"',
        "ghp hunter2-is-long=",
        "env=hunter2-is-long",
    ],
)
def test_check_build_secrets__malformed__refused_without_the_value(line: str) -> None:
    if line.startswith("id=npm;"):
        check_build_secrets([line])  # docker takes it: a secret of that name
        return
    with pytest.raises(UsageError) as raised:
        check_build_secrets(["id=ok,env=OK", line])

    assert "hunter2" not in f"{raised.value} {raised.value.fix} {raised.value.where}"


@pytest.mark.parametrize("line", ["hunter2-is-long", "=hunter2-is-long"])
def test_read_inputs__build_argument_that_is_none__refused_without_it(line: str) -> None:
    environ = {f"{PREFIX}BUILD_ARGS": f"A=1\n{line}"}

    with pytest.raises(UsageError) as raised:
        read_inputs(Runner(environ, stream=io.StringIO()))

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "is_hidden"),
    [
        ("NPM_TOKEN", "hunter2", True),
        ("DB_PASSWORD", "correcthorse", True),
        ("INDEX_URL", "https://u:hunter2x@pypi.example.com/", True),
        ("INDEX_URL", "https://pypi.example.com/simple", False),
        ("LICENSE", "kQ8zXw2LmN4pR7tV", True),
        ("NODE_VERSION", "20", False),
        ("PYTHON", "3.12-slim", False),
        ("ENVIRONMENT", "production", False),
        ("COMMIT", PUSH.sha, False),
        ("SHORT", PUSH.sha[:7], False),
        ("REPOSITORY", PUSH.repository, False),
    ],
)
def test_argument_values__by_name_and_look__those_that_may_be_secret(
    name: str, value: str, is_hidden: bool
) -> None:
    assert (value in set(argument_values({name: value}, PUSH))) is is_hidden


def test_runner__each_way_out__without_the_secret(tmp_path: Path) -> None:
    log = io.StringIO()
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    runner = Runner(files, stream=log)
    runner.hide(["hunter2-is-long"])

    runner.write("a hunter2-is-long b")
    runner.annotate(Level.ERROR, "hunter2-is-long", title="hunter2-is-long")
    runner.output("x", "hunter2-is-long")
    runner.summary("hunter2-is-long")

    said = log.getvalue() + "".join(Path(file).read_text() for file in files.values())
    assert "hunter2" not in said
    assert said.count("***") == 5


URL = "https://b.s3.amazonaws.com/k?X-Amz-Security-Token=IQoJb3&X-Amz-Signature=9zQ9zQ9zQ"


def test_to_stopped_task__presigned_url_in_its_reason__masked() -> None:
    task = to_stopped_task(
        {
            "taskArn": "arn:aws:ecs:us-east-1:1:task/c/7f3a",
            "stoppedReason": f"CannotPullContainerError: GET {URL}",
            "containers": [{"name": "app", "reason": f"failed: {URL}"}],
        }
    )

    assert "9zQ" not in repr(task)
    assert "CannotPullContainerError: GET https://b.s3.amazonaws.com" in repr(task)


def test_read_context__visibility__unknown_is_public() -> None:
    def is_public(**repository: object) -> bool:
        return read_context({}, event_text=json.dumps({"repository": repository})).is_public

    assert is_public()
    assert is_public(private=False)
    assert is_public(private="yes")
    assert is_public(visibility="public", private=True)
    assert read_context({}, event_text="").is_public
    assert not is_public(private=True)
    assert not is_public(visibility="internal")
    assert not is_public(visibility="private")


# --- a whole step ------------------------------------------------------------------------------

SAID = (
    "npm said hunter2-is-long!",
    "GET /x?t=hunter2-is-long%21",
    "Basic " + base64.b64encode(b"me:hunter2-is-long!").decode(),
    json.dumps({"a": "hunter2-is-long!"}),
    "https://u:pip-pass-9zQ@pypi.example.com/simple",
    "user u with pip-pass-9zQ",
)


def _run(scene: Scene, tmp_path: Path) -> str:
    """All that the step said, wherever; the commands that mask are for the runner's eyes."""
    (tmp_path / "npm").write_text("hunter2-is-long!\n")
    scene.run(
        service_file="api.yml",
        build_secrets=f"id=npm,src={tmp_path / 'npm'}",
        build_args="INDEX=https://u:pip-pass-9zQ@pypi.example.com/simple",
    )
    log = "".join(line for line in scene.log.splitlines(True) if "::add-mask::" not in line)
    comments = json.dumps(scene.comments.bodies if scene.comments else "")
    return "".join([log, scene.summary, json.dumps(scene.record), str(scene.outputs), comments])


def test_run_step__failed_build_that_tells_secrets__told_nowhere(tmp_path: Path) -> None:
    error = CallFailedError(
        "\n".join(SAID), where=SAID[0], fix=SAID[4], code=ErrorCode.BUILD_FAILED
    )
    deployer = FakeDeployer(ends={"api": error}, lines=SAID)

    said = _run(Scene(folder=tmp_path, deployer=deployer), tmp_path)

    assert "hunter2" not in said
    assert "pip-pass" not in said
    assert base64.b64encode(b"hunter2-is-long!").decode()[:8] not in said
    assert said.count("***") > 20


def test_run_step__result_that_tells_secrets__told_nowhere(tmp_path: Path) -> None:
    cause = replace(DIAGNOSIS.cause, summary=Quoted(text=SAID[0]), where=SAID[4])
    diagnosis = replace(DIAGNOSIS, causes=(cause,), log_lines=SAID)
    result = make_result(
        outcome=Outcome.ROLLED_BACK,
        diagnosis=diagnosis,
        notes=tuple(OutputLine(text=said) for said in SAID),
        message=SAID[0],
        url=SAID[4],
    )

    said = _run(Scene(folder=tmp_path, deployer=FakeDeployer(ends={"api": result})), tmp_path)

    assert "hunter2" not in said
    assert "pip-pass" not in said


@pytest.mark.parametrize("is_public", [True, False])
@pytest.mark.parametrize("wanted", ["", *CommentLogs])
def test_run_step__comment_logs__lines_only_where_they_may_be(
    wanted: str, is_public: bool, tmp_path: Path
) -> None:
    told = replace(DIAGNOSIS.cause, summary=Quoted(text="it ended: a line of the service"))
    diagnosis = replace(
        DIAGNOSIS,
        causes=(told,),
        causes_without_log=DIAGNOSIS.causes,
        log_lines=("a line of the service",),
    )
    result = make_result(outcome=Outcome.ROLLED_BACK, diagnosis=diagnosis)
    built = CallFailedError("docker ended\na line of the build", where="x", fix="y")
    built = type(built)(built.what, where="x", fix="y", code=ErrorCode.BUILD_FAILED)
    scene = Scene(
        folder=tmp_path,
        context=replace(PUSH, is_public=is_public),
        deployer=FakeDeployer(ends={"api": result, "web": built}),
    )
    for name in ("api", "web"):
        scene.run(service_file=f"{name}.yml", comment_logs=wanted)
        assert scene.comments is not None
        comment = scene.comments.last(f"<!-- fsd:{name}:dev -->")
        may = wanted == "always" or (wanted in {"", "auto"} and not is_public)

        assert ("a line of the" in comment) is may
        assert (note_text(Remark.LOG_LINES_ELSEWHERE) in comment) is not may
        assert "a line of the" in scene.log


def test_read_inputs__comment_logs_of_no_known_word__refused() -> None:
    with pytest.raises(UsageError, match="sometimes"):
        read_inputs(Runner({f"{PREFIX}COMMENT_LOGS": "sometimes"}, stream=io.StringIO()))


def test_hiding__every_call__passed_on_without_the_secret() -> None:
    told = io.StringIO()
    hiding = Hiding(inner=PlainReporter(told), hide=RunSecrets().and_also(["hunter2-is-long"]).hide)

    hiding.begin("b hunter2-is-long")
    hiding.note(OutputLine(text="n hunter2-is-long"))
    hiding.phase(
        make_phase(PhaseName.MANIFEST, fact=ManifestRead(file="p hunter2-is-long", warnings=0))
    )

    assert "hunter2" not in told.getvalue()
    assert told.getvalue().count("***") == 3
