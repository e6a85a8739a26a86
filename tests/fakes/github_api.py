"""A GitHub API on loopback: pull requests and their comments, and what it was asked.

It answers like api.github.com where FSD depends on it: only with the right token, page by page with
a Link header, and 403 for a GITHUB_TOKEN that asks who it is. What it does not know is a 404 and is
kept in `unknown`, so that a test can say that nothing of the sort was asked.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.fakes.loopback import serve

TOKEN = "ghs_loopback"
BOT = "github-actions[bot]"
# Smaller than GitHub's, so that a few comments make several pages.
PAGE = 2


@dataclass(kw_only=True)
class Comment:
    id: int
    number: int
    body: str
    login: str = BOT
    kind: str = "Bot"
    edits: int = 0


@dataclass(frozen=True, kw_only=True)
class Asked:
    method: str
    path: str
    body: dict[str, Any]


@dataclass(kw_only=True)
class GithubApi:
    """The state behind the server; scenario verbs for tests."""

    repository: str = "org/hello"
    token: str = TOKEN
    # GITHUB_TOKEN is an installation's and may not GET /user; a person's token may.
    login: str | None = None
    url: str = ""
    comments: list[Comment] = field(default_factory=list)
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[tuple[str, str], str] = field(default_factory=dict)  # (branch, path) → text
    compared: dict[tuple[str, str], str] = field(default_factory=dict)  # (base, head) → status
    attested: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # digest → entries
    asked: list[Asked] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unauthorized: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_pull(
        self, number: int, sha: str, *, base: str = "staging", repository: str = "", head: str = ""
    ) -> None:
        """A pull request that GitHub lists for a commit; merged by it unless `head` is it."""
        self.pulls.setdefault(sha, []).append(
            {
                "number": number,
                "url": f"{self.url}/repos/{self.repository}/pulls/{number}",
                "merge_commit_sha": None if head else sha,
                "head": {"sha": head or "f" * 40, "ref": "feature"},
                "base": {
                    "ref": base,
                    "sha": "e" * 40,
                    "repo": {"full_name": repository or self.repository},
                },
            }
        )

    def add_comment(self, number: int, body: str, *, login: str = BOT, kind: str = "Bot") -> None:
        self.comments.append(
            Comment(id=len(self.comments) + 1, number=number, body=body, login=login, kind=kind)
        )

    def refuse(self, method: str) -> None:
        """As for a token without `pull-requests: write`."""
        self.refused.add(method)

    def bodies(self, number: int) -> list[str]:
        return [comment.body for comment in self.comments if comment.number == number]

    def writes(self) -> list[str]:
        return [f"{a.method} {a.path}" for a in self.asked if a.method != "GET"]


@contextmanager
def serve_github_api(api: GithubApi | None = None) -> Iterator[GithubApi]:
    state = api or GithubApi()
    with serve(_handler(state)) as state.url:
        yield state


def _handler(api: GithubApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}") if length else {}
            with api.lock:
                status, answer, headers = _route(api, self.command, self.path, body, self.headers)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    return Handler


Answer = tuple[HTTPStatus, Any, dict[str, str]]


def _route(api: GithubApi, method: str, target: str, body: dict[str, Any], headers: Any) -> Answer:
    parts = urlsplit(target)
    api.asked.append(Asked(method=method, path=parts.path, body=body))
    if headers.get("Authorization") not in {f"token {api.token}", f"Bearer {api.token}"}:
        api.unauthorized.append(target)
        return HTTPStatus.UNAUTHORIZED, {"message": "Bad credentials"}, {}
    if method in api.refused:
        return HTTPStatus.FORBIDDEN, {"message": "Resource not accessible by integration"}, {}
    page = int(parse_qs(parts.query).get("page", ["1"])[0])
    repository = re.escape(f"/repos/{api.repository}")
    routes: list[tuple[str, str, Callable[[re.Match[str]], Answer]]] = [
        ("GET", r"/user", lambda _: _user(api)),
        ("GET", rf"{repository}/commits/(\w+)/pulls", lambda m: _pulls(api, m[1], page, target)),
        (
            "GET",
            rf"{repository}/issues/(\d+)/comments",
            lambda m: _comments(api, int(m[1]), page, target),
        ),
        (
            "POST",
            rf"{repository}/issues/(\d+)/comments",
            lambda m: _create(api, int(m[1]), body),
        ),
        ("GET", rf"{repository}/contents/(.+)", lambda m: _file(api, m[1], target)),
        ("GET", rf"{repository}/attestations/(.+)", lambda m: _attested(api, m[1], target)),
        ("GET", rf"{repository}/compare/(\w+)\.\.\.(\w+)", lambda m: _compared(api, m[1], m[2])),
        ("PATCH", rf"{repository}/issues/comments/(\d+)", lambda m: _edit(api, int(m[1]), body)),
    ]
    for wanted, pattern, answer in routes:
        match = re.fullmatch(pattern, parts.path)
        if match and method == wanted:
            return answer(match)
    api.unknown.append(f"{method} {target}")
    return HTTPStatus.NOT_FOUND, {"message": "Not Found"}, {}


def _user(api: GithubApi) -> Answer:
    if api.login is None:
        return HTTPStatus.FORBIDDEN, {"message": "Resource not accessible by integration"}, {}
    return HTTPStatus.OK, {"login": api.login, "type": "User", "url": f"{api.url}/user"}, {}


def _file(api: GithubApi, path: str, target: str) -> Answer:
    """As the raw media type has it."""
    branch = parse_qs(urlsplit(target).query).get("ref", [""])[0]
    text = api.files.get((branch, path))
    if text is None:
        return HTTPStatus.NOT_FOUND, {"message": "Not Found"}, {}
    return HTTPStatus.OK, text.encode(), {}


def _compared(api: GithubApi, base: str, head: str) -> Answer:
    status = api.compared.get((base, head))
    if status is None:
        return HTTPStatus.NOT_FOUND, {"message": "Not Found"}, {}
    return HTTPStatus.OK, {"status": status, "commits": [], "files": []}, {}


def _attested(api: GithubApi, digest: str, target: str) -> Answer:
    """With a cursor, where other lists have numbers."""
    bundles = api.attested.get(digest)
    if bundles is None:
        return HTTPStatus.NOT_FOUND, {"message": "Not Found"}, {}
    parts = urlsplit(target)
    at = int(parse_qs(parts.query).get("after", ["0"])[0])
    headers = {}
    if len(bundles) > at + PAGE:
        headers["Link"] = f'<{api.url}{parts.path}?after={at + PAGE}>; rel="next"'
    return HTTPStatus.OK, {"attestations": bundles[at : at + PAGE]}, headers


def _pulls(api: GithubApi, sha: str, page: int, target: str) -> Answer:
    return _page(api, api.pulls.get(sha, []), page, target)


def _comments(api: GithubApi, number: int, page: int, target: str) -> Answer:
    items = [_comment_json(api, c) for c in api.comments if c.number == number]
    return _page(api, items, page, target)


def _page(api: GithubApi, items: list[dict[str, Any]], page: int, target: str) -> Answer:
    parts = urlsplit(target)
    headers = {}
    if len(items) > page * PAGE:
        query = {key: value[0] for key, value in parse_qs(parts.query).items()}
        query["page"] = str(page + 1)
        headers["Link"] = f'<{api.url}{parts.path}?{urlencode(query)}>; rel="next"'
    return HTTPStatus.OK, items[(page - 1) * PAGE : page * PAGE], headers


def _create(api: GithubApi, number: int, body: dict[str, Any]) -> Answer:
    if len(body["body"]) > 65_536:
        return HTTPStatus.UNPROCESSABLE_ENTITY, {"message": "Validation Failed"}, {}
    kind = "Bot" if api.login is None else "User"
    api.add_comment(number, body["body"], login=api.login or BOT, kind=kind)
    return HTTPStatus.CREATED, _comment_json(api, api.comments[-1]), {}


def _edit(api: GithubApi, comment_id: int, body: dict[str, Any]) -> Answer:
    for comment in api.comments:
        if comment.id != comment_id:
            continue
        if comment.login != (api.login or BOT):
            return HTTPStatus.FORBIDDEN, {"message": "Must have admin rights"}, {}
        comment.body = body["body"]
        comment.edits += 1
        return HTTPStatus.OK, _comment_json(api, comment), {}
    return HTTPStatus.NOT_FOUND, {"message": "Not Found"}, {}


def _comment_json(api: GithubApi, comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "url": f"{api.url}/repos/{api.repository}/issues/comments/{comment.id}",
        "html_url": f"https://github.com/{api.repository}/pull/{comment.number}#{comment.id}",
        "body": comment.body,
        "user": {"login": comment.login, "type": comment.kind, "url": f"{api.url}/users/x"},
    }
