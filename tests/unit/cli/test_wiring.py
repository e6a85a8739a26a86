from __future__ import annotations

import os

import pytest

from fsd.cli.wiring import take_workflow_environment


def test_take_workflow_environment__tokens__are_given_once_and_reach_no_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FSD_INPUT_GITHUB_TOKEN", "ghs_x")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "y")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")

    environ = take_workflow_environment()

    assert environ["FSD_INPUT_GITHUB_TOKEN"] == "ghs_x"
    assert environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] == "y"
    assert "FSD_INPUT_GITHUB_TOKEN" not in os.environ
    assert "ACTIONS_ID_TOKEN_REQUEST_TOKEN" not in os.environ
    assert os.environ["GITHUB_REF"] == "refs/heads/main"


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        (b"FSD_INPUT_GITHUB_TOKEN=ghs_x\nACTIONS_ID_TOKEN_REQUEST_TOKEN=a=b\n", ["ghs_x", "a=b"]),
        (b"FSD_INPUT_GITHUB_TOKEN=\nACTIONS_ID_TOKEN_REQUEST_TOKEN=\n", [None, None]),
        (b"PATH=/evil\nFSD_INPUT_GITHUB_TOKEN=ghs_x\n", ["ghs_x", None]),
        (b"", [None, None]),
    ],
)
def test_take_workflow_environment__tokens_by_a_pipe__only_those(
    monkeypatch: pytest.MonkeyPatch, said: bytes, tokens: list[str | None]
) -> None:
    reading, writing = os.pipe()
    os.write(writing, said)
    os.close(writing)
    monkeypatch.setenv("FSD_TOKENS_FD", str(reading))
    monkeypatch.setenv("PATH", "/bin")

    environ = take_workflow_environment()

    names = ("FSD_INPUT_GITHUB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    assert [environ.get(name) for name in names] == tokens
    assert environ["PATH"] == "/bin"
    assert "FSD_TOKENS_FD" not in {*environ, *os.environ}


@pytest.mark.parametrize("descriptor", ["9999", "x", "-1", ""])
def test_take_workflow_environment__no_such_pipe__no_tokens(
    monkeypatch: pytest.MonkeyPatch, descriptor: str
) -> None:
    monkeypatch.setenv("FSD_TOKENS_FD", descriptor)

    assert "FSD_INPUT_GITHUB_TOKEN" not in take_workflow_environment()
