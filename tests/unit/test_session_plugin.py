"""The session-manager-plugin, as a program of the test's own: what it is given, and what not."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from fsd.app.clock import SystemClock
from fsd.aws import session_plugin
from fsd.errors import CallFailedError, ErrorCode
from fsd.release.ports import ExecSession

SESSION = ExecSession(
    id="s-1", stream_url="wss://here", token="the-token", target="ecs:dev_7f3a_7f3a-1"
)
PROGRAM = """#!{python}
import json, os, sys
if sys.argv[1:] == ["--version"]:
    print("{version}")
    sys.exit()
given = sys.stdin.read(5)
with open({record!r}, "w") as file:
    json.dump([sys.argv[1:], os.environ[sys.argv[1]], given], file)
sys.exit(3)
"""


def install(folder: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    record = folder / "record.json"
    program = folder / "session-manager-plugin"
    text = PROGRAM.format(python=sys.executable, version=version, record=str(record))
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return record


def test_require_plugin__not_there__says_where_it_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CallFailedError) as caught:
        session_plugin.require_plugin()

    assert caught.value.code == ErrorCode.SESSION_PLUGIN
    assert "docs.aws.amazon.com" in caught.value.fix


@pytest.mark.parametrize("version", ["1.2.497.0", "1.1.61.0"])
def test_require_plugin__takes_the_token_as_an_argument__is_too_old(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, version, monkeypatch)

    with pytest.raises(CallFailedError) as caught:
        session_plugin.require_plugin()

    assert version in caught.value.what


@pytest.mark.parametrize("version", ["1.2.536.0", "1.10.0.0", "own-build"])
def test_require_plugin__reads_the_token_from_a_variable__is_fine(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, version, monkeypatch)

    session_plugin.require_plugin()


@pytest.mark.parametrize("typed", ["ls\n", "ls"], ids=["line", "unfinished line"])
def test_attach__a_session__the_token_is_in_no_argument(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = install(tmp_path, "1.2.536.0", monkeypatch)
    (tmp_path / "typed").write_text(typed)
    with (tmp_path / "typed").open() as stdin, SystemClock().limit(timedelta(seconds=60)):
        monkeypatch.setattr(sys, "stdin", stdin)

        code = session_plugin.attach(
            SESSION,
            region="cn-north-1",
            endpoint_url="https://ssm.cn-north-1.amazonaws.com.cn",
            environ={"PATH": os.environ["PATH"], "AWS_PROFILE": "dev"},
            key={},
        )

    arguments, response, given = json.loads(record.read_text())
    assert code == 3
    assert arguments == [
        "AWS_SSM_START_SESSION_RESPONSE",
        "cn-north-1",
        "StartSession",
        "",
        '{"Target": "ecs:dev_7f3a_7f3a-1"}',
        "https://ssm.cn-north-1.amazonaws.com.cn",
    ]
    assert json.loads(response) == {
        "SessionId": "s-1",
        "StreamUrl": "wss://here",
        "TokenValue": "the-token",
    }
    assert given == "ls\n\x04\x04"  # the end is typed again until the session ends


def test_attach__tokens_in_the_callers_environment__the_plugin_sees_the_sessions_key_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen.json"
    program = tmp_path / "session-manager-plugin"
    program.write_text(
        f"#!{sys.executable}\nimport json, os\n"
        f"json.dump(dict(os.environ), open({str(seen)!r}, 'w'))\n"
    )
    program.chmod(0o755)
    callers = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "TERM": "xterm",
        "HTTPS_PROXY": "http://proxy:3128",
        "GITHUB_TOKEN": "ghs_token",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token",
        "AWS_SECRET_ACCESS_KEY": "the callers",
        "DATABASE_PASSWORD": "hunter2",
    }
    monkeypatch.setenv("PATH", callers["PATH"])

    with open(os.devnull) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        session_plugin.attach(
            SESSION,
            region="eu-west-1",
            endpoint_url="https://x",
            environ=callers,
            key={"AWS_SECRET_ACCESS_KEY": "the roles"},
        )

    environ = json.loads(seen.read_text())
    assert set(environ) - {"LC_CTYPE"} == {  # which Python itself adds
        "PATH",
        "TERM",
        "HTTPS_PROXY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SSM_START_SESSION_RESPONSE",
    }
    assert environ["AWS_SECRET_ACCESS_KEY"] == "the roles"
