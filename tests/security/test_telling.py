"""Nothing that tells may stop what deploys: each call fails in each way, and the run is as without.

The step over fakes, with the real comments over real HTTP: GitHub answers one kind of request
wrongly and all others well.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import TextIO, cast

import pytest

import fsd.cli
from fsd.app.deployment import DeployOptions
from fsd.errors import CallFailedError
from fsd.github.comments import Comments
from fsd.github.runner import Runner
from fsd.release.notes import OutputLine
from fsd.release.reporter import Reporter
from fsd.release.result import Outcome, PhaseName, PhaseState, Result
from fsd.report.github_text import marker
from fsd.report.terminal import live_reporter
from fsd.streams import Unbreakable, write_or_detach
from tests.unit.action.step import FakeDeployer, Scene
from tests.unit.report.results import make_phase, make_result

COMMENT = {
    "id": 1,
    "body": "old",
    "html_url": "https://github.com/org/offers/pull/7#1",
    "user": {"login": "bot", "type": "Bot"},
}
PULL = {
    "number": 7,
    "merge_commit_sha": "a" * 40,
    "head": {"sha": "b" * 40},
    "base": {"ref": "staging", "repo": {"full_name": "org/offers"}},
}
# (method, path) → what GitHub answers.
OURS = {**COMMENT, "body": marker("service", "dev")}
CALLS: Mapping[str, tuple[str, str, object]] = {
    "search": ("GET", r"/repos/org/offers/commits/\w+/pulls.*", [PULL]),
    "list": ("GET", r"/repos/org/offers/issues/7/comments.*", [COMMENT]),
    "create": ("POST", r"/repos/org/offers/issues/7/comments", COMMENT),
    "edit": ("PATCH", r"/repos/org/offers/issues/comments/1", COMMENT),
}
HANG = b"hang"
DRIP = b"drip"  # a byte now and then, so that no time-out between two bytes ends it
ENDLESS = b"endless"  # a list whose next page is itself
# Status and body; a body that is no bytes is JSON.
ANSWERS: Mapping[str, tuple[int, object]] = {
    "404": (404, {"message": "Not Found"}),
    "403": (403, {"message": "Resource not accessible by integration"}),
    "401": (401, {"message": "Bad credentials"}),
    "422": (422, {"message": "Validation Failed", "errors": [{"code": "x"}]}),
    "500": (500, {"message": "Server Error"}),
    "502 of a proxy": (502, b"<html><body>502 Bad Gateway</body></html>"),
    "HTML with 200": (200, b"<!doctype html><title>Unicorn!</title>"),
    "nothing": (200, b""),
    "null": (200, None),
    "null in a list": (200, [None]),
    "a number": (200, 7),
    "a text": (200, "ok"),
    "a list in a list": (200, [[]]),
    "an empty object": (200, {}),
    "objects without fields": (200, [{}]),
    "fields that are null": (200, [{"number": None, "base": None, "user": None, "body": None}]),
    "fields of other types": (200, [{"number": "7", "base": 1, "user": "x", "body": {}}]),
    "JSON that is cut": (200, b'[{"number": 7, "bas'),
    "not UTF-8": (200, b"\xff\xfe\x00"),
    "deep": (200, b"[" * 5_000 + b"]" * 5_000),
    "rate limit of an hour": (429, {"message": "API rate limit exceeded"}),
    "redirect to itself": (302, b""),
    "hang": (200, HANG),
    "drip": (200, DRIP),
    "endless": (200, ENDLESS),
}


def name_of(method: str, path: str) -> str:
    return next(
        (name for name, call in CALLS.items() if method == call[0] and re.fullmatch(call[1], path)),
        "",
    )


class Api(BaseHTTPRequestHandler):
    """GitHub, as `server` says that it answers."""

    server: Server

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        name = name_of(self.command, self.path)
        if name and name == self.server.wrong and self.server.since.is_set():
            self.send(name, *self.server.answer)
        elif name == "list" and self.server.wrong == "edit":
            self.send(name, 200, [OURS])
        elif name:
            self.send(name, 200, CALLS[name][2])
        else:
            self.send(name, 404, {"message": "Not Found"})

    def send(self, name: str, status: int, body: object) -> None:
        if body is HANG:
            self.server.ended.wait(60)
            return
        headers = {}
        if body is ENDLESS:
            headers["link"] = f'<http://{self.headers["host"]}{self.path}>; rel="next"'
            body = CALLS[name][2]
        if status == 302:
            headers["location"] = self.path
        if status == 429:
            headers |= {"retry-after": "3600", "x-ratelimit-reset": "99999999999"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        length = 100_000 if body is DRIP else len(content)
        self.send_response(status)
        for key, value in {**headers, "content-length": str(length)}.items():
            self.send_header(key, value)
        self.send_header("content-type", "application/json")
        self.end_headers()
        while body is DRIP and not self.server.ended.wait(0.05):
            self.wfile.write(b" ")
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, format: str, *args: object) -> None:
        del format, args

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            return  # the client gave up, as it should


class Server(ThreadingHTTPServer):
    """Answers the call `wrong` so since an event, and every other well."""

    def __init__(self, wrong: str, answer: tuple[int, object], since: threading.Event) -> None:
        super().__init__(("127.0.0.1", 0), Api)
        self.wrong, self.answer, self.since = wrong, answer, since
        self.ended = threading.Event()


@contextmanager
def github(
    wrong: str, answer: tuple[int, object], *, since: threading.Event | None = None
) -> Iterator[str]:
    if since is None:
        since = threading.Event()
        since.set()
    with Server(wrong, answer, since) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()


# What never ends is waited for; what a busy machine answers late must not be taken for it.
UNENDING = frozenset({"hang", "drip", "endless"})


def open_comments(url: str, answer: str) -> Comments:
    whole = 1.5 if answer in UNENDING else 60
    return Comments("org/offers", token="ghs_x", api_url=url, timeout=30, whole=whole)


def run(scene: Scene, url: str, *, answer: str = "") -> int:
    comments = open_comments(url, answer)
    scene.comments = comments  # type: ignore[assignment]  # the real ones in the fake's place
    try:
        return scene.run()
    finally:
        comments.close()


PHASES = (PhaseName.IMAGE, PhaseName.ROLLOUT, PhaseName.ROLLBACK)
ENDS = {
    "succeeded": (0, Outcome.SUCCEEDED),
    "rolled-back": (6, Outcome.ROLLED_BACK),
}


@dataclass
class Deployer(FakeDeployer):
    """Goes through each phase that a comment shows; GitHub is wrong from one of them on."""

    wrong_at: PhaseName | None = None
    wrong: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome = Outcome.SUCCEEDED
    went_through: list[PhaseName] = field(default_factory=list)

    def deploy(self, options: DeployOptions, *, reporter: Reporter) -> Result:
        self.deployed.append(options)
        for phase in PHASES:
            if phase is self.wrong_at:
                self.wrong.set()
            reporter.phase(make_phase(phase, state=PhaseState.RUNNING, fact=None))
            self.went_through.append(phase)
        end = make_result(outcome=self.outcome)
        return replace(end, service="service", environment=options.environment)


# What PyGithub takes for a list in which nothing is, or reads nothing of.
UNNOTICED = {
    *product(("search", "list"), ("nothing", "null", "null in a list", "redirect to itself")),
    ("list", "fields that are null"),
    ("create", "endless"),
}


CROSSED = [
    (answer, call, phase)
    for answer, call, phase in product(ANSWERS, CALLS, (None, *PHASES))
    if answer not in UNENDING or phase in (None, PhaseName.ROLLOUT)  # each takes its whole time
]


@pytest.mark.parametrize(("answer", "call", "phase"), CROSSED)
def test_step__github_wrong_from_a_phase_on__same_code_same_watch_and_one_warning(
    tmp_path: Path, call: str, answer: str, phase: PhaseName | None
) -> None:
    ending = sorted(ENDS)[hash((call, answer)) % 2] if phase else "succeeded"
    code, outcome = ENDS[ending]
    deployer = Deployer(wrong_at=phase, outcome=outcome)
    if phase is None:
        deployer.wrong.set()
    scene = Scene(tmp_path, deployer=deployer)

    with github(call, ANSWERS[answer], since=deployer.wrong) as url:
        ended = run(scene, url, answer=answer)

    assert (ended, scene.outputs["outcome"]) == (code, ending)
    assert (len(deployer.deployed), deployer.went_through) == (1, list(PHASES))
    warnings = [line for line in scene.annotations if line.startswith("::warning")]
    is_asked = call != "search" or phase in (None, PhaseName.IMAGE)  # once, with the first comment
    is_noticed = is_asked and (call, answer) not in UNNOTICED
    assert len(warnings) == is_noticed, warnings


def test_github__all_answers_good__comment_and_no_warning(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    with github("", (200, None)) as url:
        code = run(scene, url)

    assert (code, scene.annotations) == (0, [])
    assert scene.outputs["comment-url"] == COMMENT["html_url"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_comments__wrong_answer__an_error_of_ours_or_nothing_found(answer: str) -> None:
    with github("search", ANSWERS[answer]) as url:
        comments = open_comments(url, answer)
        found: int | None = None
        with suppress(CallFailedError):
            found = comments.find_pull_request("a" * 40, branch="staging")
        comments.close()
    assert found is None


FILES = ("output", "summary")


def folder_there(path: Path) -> None:
    path.mkdir()


def link_to_nowhere(path: Path) -> None:
    path.symlink_to(path.parent / "gone" / "file")


def full_disk(path: Path) -> None:
    path.symlink_to("/dev/full")


def unread_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("plant", [folder_there, link_to_nowhere, full_disk, unread_pipe])
def test_step__a_file_of_the_runner_cannot_be_written__deploys_and_warns(
    tmp_path: Path, name: str, plant: Callable[[Path], None]
) -> None:
    if plant is full_disk and not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    scene = Scene(tmp_path)
    plant(tmp_path / name)

    code = scene.run()

    assert code == 0
    assert len(scene.deployer.deployed) == 1
    assert len([line for line in scene.annotations if line.startswith("::warning")]) == 1


def test_unbreakable__reader_that_stopped__goes_on_and_writes_again_when_it_reads() -> None:
    reading, descriptor = os.pipe()
    with os.fdopen(descriptor, "w") as sink, os.fdopen(reading, "rb", buffering=0) as source:
        stream = Unbreakable(sink, timeout=0.01)
        for _ in range(300):
            stream.write("x" * 1_000)  # a pipe holds 64 KiB
        while len(source.read(4096)) == 4096:
            pass
        stream.write("\nlast\n")

        assert source.read(4096).endswith(b"\nlast\n")


def test_runner__console_that_blocks__gives_up_and_says_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing that comes later is read without the lines that were lost before it."""
    monkeypatch.setattr("fsd.github.runner._WRITE_TIMEOUT", 0.01)
    reading, descriptor = os.pipe()
    with os.fdopen(descriptor, "w") as sink, os.fdopen(reading, "rb", buffering=0) as source:
        runner = Runner({}, stream=sink)
        for _ in range(300):
            runner.write("x" * 1_000)  # a pipe holds 64 KiB
        while len(source.read(4096)) == 4096:
            pass
        runner.write("::add-path::/evil")
        runner.mask("hunter2x")
        os.set_blocking(source.fileno(), False)

        assert not source.read(4096)


@pytest.mark.parametrize(
    "name",
    [
        *("cli/deploy", "cli/rollback", "cli/scale", "cli/restart", "cli/ci", "cli/delete"),
        *("cli/wiring", "cli/service_command", "cli/print_result"),
        *("app/deploy", "app/prepare", "app/image", "app/border", "app/promotion", "app/operate"),
    ],
)
def test_command_that_changes_something__writes_nothing_that_a_closed_pipe_ends(name: str) -> None:
    """click.echo raises BrokenPipeError, which main.py takes for `fsd status | head`."""
    source = (Path(fsd.cli.__path__[0]).parent / f"{name}.py").read_text()

    assert not re.search(r"\bclick\.(?:echo|secho)\(|\bprint\(", source)


class AsciiOnAFullDisk(io.StringIO):
    encoding = "ascii"

    def write(self, text: str) -> int:
        text.encode("ascii")
        raise OSError(28, "No space left on device")


class Broken(io.TextIOWrapper):
    """A console whose writes fail in a way of its own."""

    def __init__(self, error: Exception) -> None:
        self.sink = io.BytesIO()
        super().__init__(self.sink, encoding="ascii", write_through=True)
        self.error: Exception | None = error

    def write(self, text: str) -> int:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return super().write(text)


def test_write_or_detach__text_that_the_console_cannot_show__is_escaped() -> None:
    stream = Broken(UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range"))

    write_or_detach(stream, "café\n")

    assert stream.sink.getvalue() == b"caf\\xe9\n"


@pytest.mark.parametrize("device", ["/dev/full", "a closed pipe"])
def test_write_or_detach__nobody_reads__goes_on_in_silence(device: str) -> None:
    if device == "/dev/full":
        if not os.path.exists(device):
            pytest.skip("there is no /dev/full")
        descriptor = os.open(device, os.O_WRONLY)
    else:
        reading, descriptor = os.pipe()
        os.close(reading)
    with os.fdopen(descriptor, "w") as stream:
        for _ in range(3):
            write_or_detach(stream, "a line\n")


@pytest.mark.parametrize("stream", ["closed", "no file", "ASCII on a full disk"])
def test_write_or_detach__stream_that_cannot_be_detached__goes_on_in_silence(stream: str) -> None:
    match stream:
        case "closed":
            sink: io.TextIOBase = io.StringIO()
            sink.close()
        case "no file":
            sink = Broken(OSError(28, "No space left on device"))
        case _:
            sink = AsciiOnAFullDisk()
    for _ in range(3):
        write_or_detach(cast("TextIO", sink), "café\n")


@pytest.mark.parametrize("redirect", ["/dev/full", "closed pipe", "closed"])
def test_finish__nobody_can_read_the_result__keeps_the_exit_code(redirect: str) -> None:
    program = (
        "from fsd.cli.print_result import print_result\n"
        "from fsd.errors import ExitCode\n"
        "from fsd.release.result import Outcome\n"
        "from tests.unit.report.results import make_result\n"
        "import sys\n"
        "result = make_result(outcome=Outcome.ROLLED_BACK)\n"
        "sys.exit(print_result(result, output='terminal', interrupted_as=ExitCode.INTERRUPTED))\n"
    )
    shell = {
        "/dev/full": '"$@" >/dev/full',
        "closed": '"$@" >&-',
        "closed pipe": '"$@" > >(exit 0)',
    }[redirect]
    ended = subprocess.run(
        ["bash", "-c", shell, "bash", sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 6, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


class Failing(io.StringIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        del text
        raise self.error


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EAGAIN])
def test_live_reporter__terminal_that_is_gone__the_deployment_goes_on(number: int) -> None:
    went_on = False
    with live_reporter(Failing(OSError(number, os.strerror(number)))) as reporter:
        reporter.begin("hello → dev")
        reporter.phase(make_phase(PhaseName.ROLLOUT, state=PhaseState.RUNNING, fact=None))
        reporter.note(OutputLine(text="x"))
        went_on = True

    assert went_on


def test_write_or_detach__stream_that_is_busy_once__shows_later_lines() -> None:
    class Busy(io.StringIO):
        is_busy = True

        def write(self, text: str) -> int:
            if self.is_busy:
                self.is_busy = False
                raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
            return super().write(text)

        def fileno(self) -> int:
            raise AssertionError("it must not be detached")

    stream = Busy()
    write_or_detach(stream, "first\n")
    write_or_detach(stream, "second\n")

    assert stream.getvalue() == "second\n"


HIDDEN = "\x1b[31m \x00 \u202e \u2028 \u2066 \x7f \x9b \r"


@pytest.mark.parametrize("service", ["a --> **x**\n@all", HIDDEN, "<!--", "-->", "a b", "é", ""])
@pytest.mark.parametrize("subject", ["dev", "plan:prod", "x -->\n"])
def test_marker__any_name__one_comment_of_printable_characters(service: str, subject: str) -> None:
    text = marker(service, subject)

    assert re.fullmatch(r"<!-- fsd:[\w.:-]*:[\w.:-]* -->", text, re.ASCII)
    assert text.count("-->") == 1


def test_marker__names_that_are_plain__as_they_are() -> None:
    assert marker("offer-api", "plan:prod") == "<!-- fsd:offer-api:plan:prod -->"


@pytest.mark.parametrize("text", [HIDDEN, f"a\n{HIDDEN}\nb", "::error::\x1b]0;title\x07"])
def test_runner_write__foreign_text__only_printable_characters(text: str) -> None:
    stream = io.StringIO()

    Runner({}, stream=stream).write(text)

    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066]", stream.getvalue()
    )


@pytest.mark.parametrize(
    "url", ["https://x/\n::error::y", "javascript:alert(1)", "https://a b", 7, None]
)
def test_publish__comments_url_that_is_none__an_error_of_ours_and_outputs_stay(
    tmp_path: Path, url: object
) -> None:
    scene = Scene(tmp_path)

    with github("create", (200, {**COMMENT, "html_url": url})) as api:
        code = run(scene, api)

    assert code == 0
    assert Path(scene.outputs["summary"]).exists()
    assert scene.outputs.get("comment-url", "") == ""


@pytest.mark.parametrize("where", ["stderr", "both"])
def test_fsd__nobody_can_read_its_error__keeps_the_exit_code(tmp_path: Path, where: str) -> None:
    redirect = {"stderr": "2>/dev/full", "both": ">&- 2>&-"}[where]
    ended = subprocess.run(
        ["bash", "-c", f'"$@" {redirect}', "bash", sys.executable, "-m", "fsd.cli.main",
         "validate", "--file", str(tmp_path / "none.yml")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ended.returncode == 3
