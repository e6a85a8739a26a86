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
