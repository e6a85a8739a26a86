from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler

import pytest

from fsd.github.api import _next_page
from fsd.github.attestations import find_attestations
from tests.fakes.github_api import PAGE, TOKEN, serve_github_api
from tests.fakes.loopback import serve

DIGEST = f"sha256:{'b' * 64}"
ASKED: list[str | None] = []


class Storage(BaseHTTPRequestHandler):
    """Where GitHub keeps bundles: compressed at one address, as they are at another."""

    def log_message(self, format: str, *args: object) -> None:  # the base class's name
        del format, args

    def do_GET(self) -> None:
        ASKED.append(self.headers.get("Authorization"))
        text = b'{"c": 1}'
        bodies = {"/snappy": b"\x08\x1c" + text, "/plain": text, "/broken": b"\x09\x1c" + text}
        body = bodies.get(self.path, b"")
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_find_attestations__of_the_digest__each_bundle_and_else_none() -> None:
    with serve_github_api() as api, serve(Storage) as storage:
        api.attested[DIGEST] = [
            {"bundle": {"a": 1}},
            {"bundle": None, "bundle_url": f"{storage}/snappy"},
            {"bundle": None, "bundle_url": f"{storage}/plain"},
            {"bundle": None, "bundle_url": f"{storage}/broken"},
            {"bundle": None, "bundle_url": f"{storage}/gone"},
            {"bundle": None, "bundle_url": "file:///etc/hostname"},
            {"bundle": None},
            {"bundle": None, "bundle_url": "https://["},
            {"bundle": None, "bundle_url": 7},
        ]

        def find(digest: str = DIGEST, token: str = TOKEN, url: str = api.url) -> list[object]:
            found = find_attestations("org/hello", digest, token=token, api_url=url)
            return [json.loads(one) for one in found]

        assert find() == [{"a": 1}, {"c": 1}, {"c": 1}]
        assert {*ASKED} == {None}  # the token is GitHub's alone
        assert find(f"sha256:{'c' * 64}") == []
        assert find(token="wrong") == []
        assert find(url="http://127.0.0.1:1") == []
        assert next(find_attestations("org/hello", DIGEST, token=TOKEN, api_url=api.url))


def test_find_attestations__more_than_a_page__all_of_them() -> None:
    with serve_github_api() as api:
        api.attested[DIGEST] = [{"bundle": {"n": number}} for number in range(PAGE + 1)]

        found = [*find_attestations("org/hello", DIGEST, token=TOKEN, api_url=api.url)]

    assert [json.loads(one)["n"] for one in found] == [*range(PAGE + 1)]


@pytest.mark.parametrize(
    ("link", "after"),
    [
        ('<https://api.github.com/x?after=2>; rel="next"', "https://api.github.com/x?after=2"),
        ('<https://a/1>; rel="prev", </x?after=2>; rel="next"', "https://api.github.com/x?after=2"),
        ('<https://example.com/x>; rel="next"', ""),
        ('<http://api.github.com/x>; rel="next"', ""),
        ('<https://api.github.com/x>; rel="prev"', ""),
        ("", ""),
    ],
    ids=["next", "path", "host", "scheme", "prev", "none"],
)
def test_next_page__of_the_same_host_alone(link: str, after: str) -> None:
    assert _next_page("https://api.github.com/x", link) == after
