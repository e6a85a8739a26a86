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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TextIO, cast

import pytest

from fsd.errors import CallFailedError
from fsd.github.comments import Comments
from fsd.github.runner import Runner
from fsd.release.result import Outcome, PhaseName, PhaseState
from fsd.report.markdown import marker
from fsd.report.terminal import live_reporter
from fsd.streams import write_or_detach
from tests.unit.action.step import Scene
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
CALLS: Mapping[str, tuple[str, str, object]] = {
    "search": ("GET", r"/repos/org/offers/commits/\w+/pulls.*", [PULL]),
    "list": ("GET", r"/repos/org/offers/issues/7/comments.*", [COMMENT]),
    "create": ("POST", r"/repos/org/offers/issues/7/comments", COMMENT),
}
HANG = b"hang"
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
}


def name_of(method: str, path: str) -> str:
    return next(
        (name for name, call in CALLS.items() if method == call[0] and re.fullmatch(call[1], path)),
        "",
    )


@contextmanager
def github(wrong: str, answer: tuple[int, object]) -> Iterator[str]:
    """Answers the call `wrong` so, and every other well."""
    release = threading.Event()

    class Api(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            name = name_of(self.command, self.path)
            good = (200, CALLS[name][2]) if name else (404, {"message": "Not Found"})
            self.send(*(answer if name == wrong and wrong else good))

        def send(self, status: int, body: object) -> None:
            if body is HANG:
                release.wait(30)
                return
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            if status == 302:
                self.send_header("location", self.path)
            if status == 429:
                self.send_header("retry-after", "3600")
                self.send_header("x-ratelimit-reset", "99999999999")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, format: str, *args: object) -> None:
            del format, args

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                return  # the client gave up, as it should

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            release.set()
            server.shutdown()
            thread.join()


def patience(answer: str) -> int:
    """Seconds: a busy machine may answer late, and only what hangs is waited for."""
    return 1 if answer == "hang" else 30


def run(scene: Scene, url: str, *, timeout: int = 30) -> int:
    comments = Comments("org/offers", token="ghs_x", api_url=url, timeout=timeout)
    scene.comments = comments  # type: ignore[assignment]  # the real ones in the fake's place
    try:
        return scene.run()
    finally:
        comments.close()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_step__github_answers_a_call_wrongly__deploys_as_without_and_warns_once(
    tmp_path: Path, call: str, answer: str
) -> None:
    scene = Scene(tmp_path)

    with github(call, ANSWERS[answer]) as url:
        code = run(scene, url, timeout=patience(answer))

    assert code == 0
    assert scene.outputs["outcome"] == "succeeded"
    assert len(scene.deployer.deployed) == 1
    warnings = [line for line in scene.annotations if line.startswith("::warning")]
    assert len(warnings) <= 1, warnings
    assert [line for line in scene.annotations if line.startswith("::error")] == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", ["null in a list", "HTML with 200", "hang"])
def test_step__release_rolled_back_and_github_wrong__exits_as_without(
    tmp_path: Path, call: str, answer: str
) -> None:
    scene = Scene(tmp_path)
    scene.deployer.ends = {"service": make_result(outcome=Outcome.ROLLED_BACK)}

    with github(call, ANSWERS[answer]) as url:
        code = run(scene, url, timeout=patience(answer))

    assert code == 6
    assert scene.outputs["outcome"] == "rolled-back"


def test_github__all_answers_good__comment_and_no_warning(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    with github("", (200, None)) as url:
        code = run(scene, url)

    assert (code, scene.annotations) == (0, [])
    assert scene.outputs["comment-url"] == COMMENT["html_url"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_comments__wrong_answer__an_error_of_ours_or_nothing_found(answer: str) -> None:
    with github("search", ANSWERS[answer]) as url:
        comments = Comments("org/offers", token="ghs_x", api_url=url, timeout=patience(answer))
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


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("plant", [folder_there, link_to_nowhere, full_disk])
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
        "from fsd.cli.finish import finish\n"
        "from fsd.errors import ExitCode\n"
        "from fsd.release.result import Outcome\n"
        "from tests.unit.report.results import make_result\n"
        "import sys\n"
        "result = make_result(outcome=Outcome.ROLLED_BACK)\n"
        "sys.exit(finish(result, output='terminal', interrupted_as=ExitCode.INTERRUPTED))\n"
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
        reporter.phase(make_phase(PhaseName.ROLLOUT, state=PhaseState.RUNNING, text=""))
        reporter.note("x")
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
