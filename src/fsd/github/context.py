"""Whose code a run of a workflow is about, from the runner's variables and the event's file.

Pure over a mapping and the event's text; what a runner (or `act`) leaves out reads as "".

https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from fsd_files.user_files import read_user_text

# GitHub caps the payload of a webhook at 25 MB.
# https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap
_LONGEST_EVENT = 25 * 1024 * 1024  # bytes
Payload: TypeAlias = Mapping[str, object]

DEFAULT_API = "https://api.github.com"
DEFAULT_SERVER = "https://github.com"


# https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions
DEPENDABOT = "dependabot[bot]"
# The temporary branches of a merge queue: what is queued is not merged yet, and a push to one
# starts workflows like any other push.
# https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue
QUEUE = "gh-readonly-queue/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    number: int
    head_sha: str  # what the author pushed; GITHUB_SHA is a merge that nobody wrote
    is_fork: bool
    base: str = ""  # the branch that it is for
    is_closed: bool = False
    is_merged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """What is checked out where the Service YAML is."""

    head: str = ""  # full SHA; "" where git cannot say
    is_dirty: bool = False
    problem: str = ""  # why git cannot say


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRun:
    """The run of another workflow that a `workflow_run` event is about."""

    event: str
    conclusion: str
    is_own: bool  # of a branch of this repository, and not of a fork


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Whose code a run of a workflow is about. Decided here, once; nothing else asks again.

    `ref`, `sha`, `branch` and `tag` are those of the code: for `workflow_run` the ones that the
    other workflow ran for, since GITHUB_REF and GITHUB_SHA are the default branch's there, whoever
    pushed.
    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflow_run
    """

    event: str  # push, pull_request, workflow_dispatch …
    repository: str  # owner/name
    ref: str
    sha: str  # the commit that this run is about
    actor: str
    run_url: str
    server_url: str
    api_url: str
    branch: str = ""  # "" for a tag, and for a pull request
    tag: str = ""
    action: str = ""  # of the event: published, closed …
    merge_sha: str = ""  # of a pull request: the merge with its base, which is checked out
    is_deletion: bool = False  # the push removed the branch
    is_dependabot: bool = False
    can_have_credentials: bool = True  # the job may prove who it is, or has keys
    dispatch_inputs: Mapping[str, str] = field(default_factory=dict)
    pull_request: PullRequest | None = None
    queued_for: str = ""  # the base branch of a merge group
    checked_run: CheckedRun | None = None
    checkout: Checkout | None = None  # None before it was looked at
    attempt: int = 1  # more for a re-run
    default_branch: str = ""
    is_public: bool = True  # the repository; also where the event does not say

    @property
    def blob_url(self) -> str:
        """Where files of this commit are shown."""
        return f"{self.server_url}/{self.repository}/blob/{self.sha}"

    @property
    def commit(self) -> str:
        """The commit of the code that is here: what is checked out, whatever the event names."""
        head = self.checkout.head if self.checkout else ""
        return head if head and not self.is_as_named else self.sha

    @property
    def is_as_named(self) -> bool:
        """Whether what is checked out is the commit that the event names."""
        head = self.checkout.head if self.checkout else ""
        return bool(head) and head in (self.sha, self.merge_sha)


def read_context(environ: Mapping[str, str], *, event_text: str = "") -> Context:
    """`event_text` is the content of GITHUB_EVENT_PATH; unreadable JSON counts as none."""
    payload = _payload(event_text)
    event = environ.get("GITHUB_EVENT_NAME", "")
    repository = environ.get("GITHUB_REPOSITORY", "")
    server = (environ.get("GITHUB_SERVER_URL") or DEFAULT_SERVER).rstrip("/")
    actors = (environ.get("GITHUB_TRIGGERING_ACTOR", ""), environ.get("GITHUB_ACTOR", ""))
    context = Context(
        event=event,
        repository=repository,
        ref=environ.get("GITHUB_REF", "") or _text(payload, "ref"),
        sha=environ.get("GITHUB_SHA", ""),
        actor=actors[0] or actors[1],
        run_url=_run_url(environ, server, repository),
        server_url=server,
        api_url=(environ.get("GITHUB_API_URL") or DEFAULT_API).rstrip("/"),
        action=_text(payload, "action"),
        is_deletion=payload.get("deleted") is True,
        attempt=_attempt(environ.get("GITHUB_RUN_ATTEMPT", "")),
        default_branch=_text(_section(payload, "repository"), "default_branch"),
        is_public=_is_public(_section(payload, "repository")),
        is_dependabot=DEPENDABOT in actors,
        can_have_credentials=_can_have_credentials(environ),
    )
    return _with_names(_of_event(context, payload, environ))


def _is_public(repository: Payload) -> bool:
    """`internal` repositories are private too. What is not said counts as public."""
    visibility = repository.get("visibility")
    if isinstance(visibility, str) and visibility:
        return visibility not in {"private", "internal"}
    return repository.get("private") is not True


def _of_event(context: Context, payload: Payload, environ: Mapping[str, str]) -> Context:
    """Only what belongs to the event: a payload of another kind says nothing here."""
    match context.event:
        case "pull_request":
            base = environ.get("GITHUB_BASE_REF", "")
            found = _pull_request(payload, context.repository, base=base)
            sha = found.head_sha if found else ""
            return replace(context, pull_request=found, sha=sha, merge_sha=context.sha)
        case "merge_group":
            return replace(context, queued_for=_queued_for(payload, context.ref))
        case "workflow_run":
            return _of_checked_run(context, payload)
        case "workflow_dispatch":
            return replace(context, dispatch_inputs=_inputs(payload))
    return context


def _with_names(context: Context) -> Context:
    if context.event == "pull_request":
        return context
    branch, tag = _after("refs/heads/", context.ref), _after("refs/tags/", context.ref)
    return replace(context, branch=branch, tag=tag)


def _of_checked_run(context: Context, payload: Payload) -> Context:
    run = _section(payload, "workflow_run")
    branch, sha = _text(run, "head_branch"), _text(run, "head_sha")
    if not (run and branch and sha):
        return replace(context, ref="", sha="")
    head = _text(_section(run, "head_repository"), "full_name")
    checked = CheckedRun(
        event=_text(run, "event"),
        conclusion=_text(run, "conclusion"),
        is_own=bool(head) and head.lower() == context.repository.lower(),
    )
    return replace(context, ref=f"refs/heads/{branch}", sha=sha, checked_run=checked)


def _queued_for(payload: Payload, ref: str) -> str:
    """refs/heads/gh-readonly-queue/BASE/pr-7-SHA, where the event does not say it."""
    said = _after("refs/heads/", _text(_section(payload, "merge_group"), "base_ref"))
    queue, _, _ = ref.removeprefix(f"refs/heads/{QUEUE}").rpartition("/pr-")
    return said or (queue if ref.startswith(f"refs/heads/{QUEUE}") else "")


def _inputs(payload: Payload) -> Mapping[str, str]:
    """What the dispatch declares, given or not."""
    found = _section(payload, "inputs")
    return {name: "" if value is None else str(value) for name, value in found.items()}


def _can_have_credentials(environ: Mapping[str, str]) -> bool:
    """GitHub withholds the identity token from a job without `id-token: write`, and the secrets
    from Dependabot's."""
    names = (
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    )
    return any(environ.get(name) for name in names)


def read_event(environ: Mapping[str, str]) -> str:
    """The text of the event's file; "" where there is none."""
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        return read_user_text(Path(path), most=_LONGEST_EVENT) if path else ""
    except (OSError, ValueError):
        return ""


def _payload(text: str) -> Payload:
    try:
        loaded: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _pull_request(payload: Payload, repository: str, *, base: str) -> PullRequest | None:
    """None where the event does not say which, and of whom."""
    found = _section(payload, "pull_request")
    number = found.get("number", payload.get("number"))
    head, base_section = _section(found, "head"), _section(found, "base")
    head_sha = _text(head, "sha")
    if not found or not isinstance(number, int) or not head_sha:
        return None
    # A fork that was deleted meanwhile is null.
    head_repository = _text(_section(head, "repo"), "full_name")
    base_repository = _text(_section(base_section, "repo"), "full_name") or repository
    return PullRequest(
        number=number,
        head_sha=head_sha,
        is_fork=head_repository.lower() != base_repository.lower(),
        base=_text(base_section, "ref") or base,
        is_closed=_text(payload, "action") == "closed",
        is_merged=found.get("merged") is True,
    )


def _after(prefix: str, ref: str) -> str:
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
