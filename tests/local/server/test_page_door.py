"""The door of the page: its link, its cookie, and who may press its buttons."""

from __future__ import annotations

import http.client
import json

import pytest

from fsd_local.instance import Instance
from fsd_local.page.link import page_url


def link(instance: Instance) -> str:
    return page_url(instance.endpoint, instance.secret)


def ask(
    instance: Instance, path: str, *, method: str = "GET", body: str = "", **headers: str
) -> tuple[int, dict[str, str], str]:
    """(status, headers, body); `_` in the name of a header stands for `-`."""
    port = int(instance.endpoint.rpartition(":")[2])
    sent = {"host": f"fsd.localhost:{port}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body=body or None, headers=sent)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read().decode()
    finally:
        connection.close()


def enter(instance: Instance) -> str:
    """The cookie, as a browser sends it."""
    _, headers, _ = ask(instance, "/_fsd/" + link(instance).partition("/_fsd/")[2])
    return headers["set-cookie"].partition(";")[0]


def test_page__link__gives_a_cookie_and_leaves_the_url(instance: Instance) -> None:
    status, headers, _ = ask(instance, "/_fsd/" + link(instance).partition("/_fsd/")[2])

    assert (status, headers["location"]) == (303, "/_fsd/")
    assert headers["set-cookie"].endswith("; Path=/_fsd/; HttpOnly; SameSite=Strict")
    assert instance.secret not in link(instance)


def test_page__policy__allows_only_its_own_script(instance: Instance) -> None:
    status, headers, _ = ask(instance, "/_fsd/", cookie=enter(instance))

    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


PRESS = json.dumps({"act": "stop", "task": "0" * 32})


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 400),
        ({"cookie": ""}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": ""}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1"}, 403),
    ],
    ids=["own", "no-cookie", "other-origin", "no-origin", "cross", "same-site", "rebound", "ip"],
)
def test_page__button__only_for_the_page_itself(
    instance: Instance, changes: dict[str, str], status: int
) -> None:
    host = f"fsd.localhost:{instance.endpoint.rpartition(':')[2]}"
    headers = {
        "cookie": enter(instance),
        "origin": f"http://{host}",
        "sec_fetch_site": "same-origin",
    }

    found, _, said = ask(instance, "/_fsd/act", method="POST", body=PRESS, **{**headers, **changes})

    assert found == status, said


@pytest.mark.parametrize("path", ["/_fsd/", "/_fsd/events", "/_fsd/logs?task=1", "/_fsd/?key=x"])
def test_page__without_the_cookie__is_refused(instance: Instance, path: str) -> None:
    assert ask(instance, path)[0] == 403


@pytest.mark.parametrize("path", ["/_alb/hello-local/", "/", "/_fsd/status", "/v2/"])
def test_page__its_host__serves_nothing_else(instance: Instance, path: str) -> None:
    """A service's own page would else be of the page's origin."""
    assert ask(instance, path, cookie=enter(instance))[0] == 404


def test_page__cookie_of_another_port__is_not_known(instance: Instance) -> None:
    name, _, value = enter(instance).partition("=")

    assert name == f"fsd-page-{instance.endpoint.rpartition(':')[2]}"
    assert ask(instance, "/_fsd/", cookie=f"fsd-page-1={value}")[0] == 403
