"""What started the workflow, from the runner's variables and the event's file.

Pure over a mapping and the event's text; what a runner (or `act`) leaves out reads as "".

https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Payload: TypeAlias = Mapping[str, object]

DEFAULT_API = "https://api.github.com"
DEFAULT_SERVER = "https://github.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    number: int
    head_sha: str  # what the author pushed; GITHUB_SHA is a merge that nobody wrote
    is_fork: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One run of a workflow."""

    event: str  # push, pull_request, workflow_dispatch …
    repository: str  # owner/name
    ref: str
    sha: str  # the commit that this run is about
    actor: str
    run_url: str
    server_url: str
    api_url: str
    branch: str = ""  # "" for a tag, and for a pull request
    is_deletion: bool = False  # the push removed the branch
    is_foreign: bool = False  # a workflow_run that a fork's workflow started
    pull_request: PullRequest | None = None
    attempt: int = 1  # more for a re-run

    @property
    def blob_url(self) -> str:
        """Where files of this commit are shown."""
        return f"{self.server_url}/{self.repository}/blob/{self.sha}"


def read_context(environ: Mapping[str, str], *, event_text: str = "") -> Context:
    """`event_text` is the content of GITHUB_EVENT_PATH; unreadable JSON counts as none."""
    payload = _payload(event_text)
    repository = environ.get("GITHUB_REPOSITORY", "")
    server = (environ.get("GITHUB_SERVER_URL") or DEFAULT_SERVER).rstrip("/")
    ref = environ.get("GITHUB_REF", "") or _text(payload, "ref")
    pull_request = _pull_request(payload, repository)
    return Context(
        event=environ.get("GITHUB_EVENT_NAME", ""),
        repository=repository,
        ref=ref,
        branch="" if pull_request else _branch(ref),
        sha=pull_request.head_sha if pull_request else environ.get("GITHUB_SHA", ""),
        actor=environ.get("GITHUB_TRIGGERING_ACTOR") or environ.get("GITHUB_ACTOR", ""),
        run_url=_run_url(environ, server, repository),
        server_url=server,
        api_url=(environ.get("GITHUB_API_URL") or DEFAULT_API).rstrip("/"),
        is_deletion=payload.get("deleted") is True,
        is_foreign=_is_foreign(payload, repository),
        pull_request=pull_request,
        attempt=_attempt(environ.get("GITHUB_RUN_ATTEMPT", "")),
    )


def read_event(environ: Mapping[str, str]) -> str:
    """The text of the event's file; "" where there is none."""
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        return Path(path).read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _payload(text: str) -> Payload:
    try:
        loaded: object = json.loads(text)
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _pull_request(payload: Payload, repository: str) -> PullRequest | None:
    """None where the event has none, as for a push."""
    found = _section(payload, "pull_request")
    number = found.get("number", payload.get("number"))
    if not found or not isinstance(number, int):
        return None
    head, base = _section(found, "head"), _section(found, "base")
    # A fork that was deleted meanwhile is null.
    head_repository = _text(_section(head, "repo"), "full_name")
    base_repository = _text(_section(base, "repo"), "full_name") or repository
    return PullRequest(
        number=number,
        head_sha=_text(head, "sha"),
        is_fork=head_repository.lower() != base_repository.lower(),
    )


def _is_foreign(payload: Payload, repository: str) -> bool:
    run = _section(payload, "workflow_run")
    if not run:
        return False
    head = _text(_section(run, "head_repository"), "full_name")
    return head.lower() != repository.lower()


def _branch(ref: str) -> str:
    prefix = "refs/heads/"
    return ref.removeprefix(prefix) if ref.startswith(prefix) else ""


def _attempt(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _run_url(environ: Mapping[str, str], server: str, repository: str) -> str:
    run = environ.get("GITHUB_RUN_ID", "")
    return f"{server}/{repository}/actions/runs/{run}" if run and repository else ""


def _section(payload: Payload, key: str) -> Payload:
    found = payload.get(key)
    return found if isinstance(found, dict) else {}


def _text(payload: Payload, key: str) -> str:
    found = payload.get(key)
    return found if isinstance(found, str) else ""
