"""The page of the embedded AWS in a real browser: watched, and broken by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fsd_local.page.link import page_url
from tests.local.browser import Tab, open_browser
from tests.local.cli import Fsd
from tests.local.test_main_job import DEPLOY
from tests.waiting import eventually

_MARKUP = "<img src=x onerror=\"document.title='taken'\">"


@pytest.fixture
def runtime() -> str:
    """What runs the tasks makes no difference to the page."""
    return "process"


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    with open_browser(tmp_path / "browser") as found:
        yield found


def link(fsd: Fsd) -> str:
    return page_url(str(fsd.status()["endpoint"]), fsd.secret())


def test_page__rollout_is_watched_and_broken_by_keyboard__it_shows_what_happens(
    fsd: Fsd, tab: Tab
) -> None:
    fsd.ok(*DEPLOY)

    tab.open(link(fsd))

    assert tab.run("location.href").endswith("/_fsd/")
    tab.await_text("#state", "Live")
    tab.await_text(".count", "2 of 2 running")
    tab.await_text(".what", "target healthy")
    eventually(lambda: tab.run("document.querySelectorAll('svg rect.n').length") > 1)
    tab.press("button.logs")
    tab.await_text("pre", "hello  ")

    tab.press("button.health")
    tab.await_text(".events", "is unhealthy in (target-group")
    tab.await_text(".tasks", "Task failed ELB health checks")
    tab.press("button.stop")
    tab.await_text(".tasks", "Stopped on the page of the embedded AWS")
    eventually(lambda: tab.run("document.querySelectorAll('svg rect.f').length") >= 1)


def test_page__hostile_text__is_text(fsd: Fsd, tab: Tab) -> None:
    fsd.ok(*DEPLOY)
    with fsd.client("ecs") as ecs:
        (task, *_) = ecs.list_tasks(cluster="local")["taskArns"]
        ecs.stop_task(cluster="local", task=task, reason=_MARKUP)

    tab.open(link(fsd))

    tab.await_text(".tasks", _MARKUP)
    assert tab.run("document.images.length") == 0
    assert tab.run("document.title") == "Embedded AWS"
    assert tab.run("document.cookie") == ""


def test_page__narrow_screen__nothing_sticks_out(fsd: Fsd, tab: Tab, tmp_path: Path) -> None:
    fsd.ok(*DEPLOY)
    tab.resize(400, 900)

    tab.open(link(fsd))
    tab.await_text(".count", "2 of 2 running")

    for scheme in ("light", "dark"):
        tab.prefer(scheme)
        tab.take_picture(tmp_path / f"{scheme}.png")
        assert tab.run("document.documentElement.scrollWidth") <= 400
