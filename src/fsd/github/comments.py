"""The comment on a pull request: found again by its marker and its author, and kept up to date.

One comment for each service and environment. Only ours is touched: anybody may write our marker
into a comment of their own.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fsd.errors import CallFailedError, ErrorCode
from fsd.github.deadline import within

if TYPE_CHECKING:
    from github import Github
    from github.IssueComment import IssueComment
    from github.NamedUser import NamedUser
    from github.Organization import Organization
    from github.PullRequest import PullRequest
    from github.Repository import Repository

# https://docs.github.com/en/rest/issues/comments refuses more with 422.
LIMIT = 65_536
CUT = "\n\n… cut: too long for a comment; the job summary has all of it"

_TIMEOUT = 10  # seconds, between two bytes
_WHOLE = 30.0  # seconds, for all that one thing to tell needs
# A rollout must not wait for a comment: one more try, and no rate limit that is longer than this.
_TRIES = 1
_LONGEST_WAIT = 5  # seconds
# What PyGithub raises where an answer has another shape than GitHub documents: HTML, `null` or a
# list where an object was, a field that is missing or of another type.
# https://github.com/PyGithub/PyGithub/issues/2872
_OTHER_SHAPE = (
    AttributeError,
    TypeError,
    ValueError,
    LookupError,
    AssertionError,
    RecursionError,
)


class Comments:
    """A repository's pull requests, as one token sees them. Every method raises CallFailedError."""

    def __init__(
        self,
        repository: str,
        *,
        token: str,
        api_url: str,
        timeout: int = _TIMEOUT,
        whole: float = _WHOLE,
    ) -> None:
        self._repository = repository
        self._timeout = timeout  # seconds, as `whole`
        self._whole = whole
        self._token = token
        self._api_url = api_url
        self._client: Github | None = None
        self._author: str | None = None

    def find_pull_request(self, sha: str, *, branch: str) -> int | None:
        """The pull request that brought a commit to a branch; None where none did.

        A merge leaves its commit as `merge_commit_sha`, of whatever kind it was; a fast-forward
        leaves the head's. Commits of other repositories' pull requests are listed too.
        https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
        """
        where = f"pull requests of {sha[:7]}"
        return within(self._whole, lambda: self._search(sha, branch, where), where=where)

    def _search(self, sha: str, branch: str, where: str) -> int | None:
        with _translated(where):
            found = [
                pull
                for pull in self._repo().get_commit(sha).get_pulls()
                if pull.base.repo.full_name.lower() == self._repository.lower()
                and sha in (pull.merge_commit_sha, pull.head.sha)
            ]
        found.sort(key=lambda pull: _rank(pull, sha, branch), reverse=True)
        return _number(found[0]) if found else None

    def publish(self, number: int, body: str, *, marker: str) -> str:
        """Write the comment that starts with `marker`, or bring it up to date; returns its URL."""
        where = f"comment on #{number}"
        return within(
            self._whole, lambda: self._publish(number, fit(body), marker, where), where=where
        )

    def _publish(self, number: int, body: str, marker: str, where: str) -> str:
        with _translated(where):
            found = self._find(number, marker)
            if found is None:
                return self._create(number, body)
            if _same(found.body, body):
                return _url(found)
            return self._edit(found, body, number=number)

    def _edit(self, comment: IssueComment, body: str, *, number: int) -> str:
        from github import GithubException

        try:
            comment.edit(body)
        except GithubException as error:
            # Another app's comment, or one that was deleted meanwhile.
            if error.status not in (403, 404):
                raise
            return self._create(number, body)
        return _url(comment)

    def _create(self, number: int, body: str) -> str:
        return _url(self._repo().get_issue(number).create_comment(body))

    def _find(self, number: int, marker: str) -> IssueComment | None:
        """The oldest of ours, over all pages."""
        for comment in self._repo().get_issue(number).get_comments():
            if (comment.body or "").startswith(marker) and self._is_ours(comment.user):
                return comment
        return None

    def _is_ours(self, user: NamedUser | Organization | None) -> bool:
        if user is None:  # a ghost
            return False
        login = self._login()
        return user.login == login if login else user.type == "Bot"

    def _login(self) -> str:
        """Whose token it is; "" for an app's, like GITHUB_TOKEN: it may not ask, and is a bot."""
        from github import GithubException

        if self._author is None and self._token.startswith("ghs_"):
            self._author = ""
        if self._author is None:
            try:
                self._author = self._github().get_user().login
            except GithubException as error:
                if error.status not in (401, 403, 404):
                    raise
                self._author = ""
        return self._author

    def _repo(self) -> Repository:
        return self._github().get_repo(self._repository)

    def _github(self) -> Github:
        if self._client is None:
            from github import Auth, Github, GithubRetry

            # It warns of what is answered here, on stderr and past the runner's stop-commands.
            logging.getLogger("github").addHandler(logging.NullHandler())
            self._client = Github(
                auth=Auth.Token(self._token),
                base_url=self._api_url,
                timeout=self._timeout,
                per_page=100,
                lazy=True,
                seconds_between_requests=0,
                seconds_between_writes=0,
                retry=GithubRetry(
                    total=_TRIES,
                    # A 429 may ask for an hour: the deployment would stand still meanwhile.
                    respect_retry_after_header=False,
                    secondary_rate_wait=_LONGEST_WAIT,
                    max_rate_limit_wait=_LONGEST_WAIT,
                ),
            )
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def fit(body: str, limit: int = LIMIT) -> str:
    """Cut between paragraphs where GitHub would refuse the whole, and say so."""
    if len(body) <= limit:
        return body
    kept = body[: limit - len(CUT)]
    head = kept.rpartition("\n\n")[0]
    while head:
        if _is_whole(head):
            return head + CUT
        head = head.rpartition("\n\n")[0]
    return kept + CUT


def _is_whole(text: str) -> bool:
    """Nothing is open: neither a fold nor a block of code."""
    fences = sum(1 for line in text.splitlines() if line.startswith("```"))
    return text.count("<details>") == text.count("</details>") and fences % 2 == 0


def _rank(pull: PullRequest, sha: str, branch: str) -> tuple[bool, bool, int]:
    """How well a pull request explains a commit on a branch."""
    return pull.merge_commit_sha == sha, pull.base.ref == branch, pull.number


def _number(pull: PullRequest) -> int:
    """PyGithub gives what it was given, whatever its types promise."""
    number: object = pull.number
    if not isinstance(number, int):
        raise TypeError(f"a pull request's number is {number!r}")
    return number


def _url(comment: IssueComment) -> str:
    url: object = comment.html_url
    if not isinstance(url, str) or not re.fullmatch(r"https?://[!-~]+", url):
        raise TypeError(f"a comment's URL is {url!r}")
    return url


def _same(old: str, new: str) -> bool:
    """GitHub stores other line ends than it is given."""
    return [line.rstrip() for line in old.strip().splitlines()] == [
        line.rstrip() for line in new.strip().splitlines()
    ]


@contextmanager
def _translated(where: str) -> Iterator[None]:
    from github import BadAttributeException, GithubException

    try:
        yield
    except GithubException as error:
        raise _refused(error, where) from error
    except (BadAttributeException, *_OTHER_SHAPE) as error:
        raise CallFailedError(
            f"GitHub's answer has not the documented shape: {type(error).__name__}: {error}",
            where=where,
            fix="nothing was changed by it; see https://www.githubstatus.com",
            code=ErrorCode.GITHUB_CALL_FAILED,
        ) from error
    except OSError as error:  # requests' errors are OSErrors
        raise CallFailedError(
            f"GitHub does not answer: {error}",
            where=where,
            fix="run the job again; see https://www.githubstatus.com where it stays",
            code=ErrorCode.GITHUB_UNREACHABLE,
        ) from error


def _refused(error: Exception, where: str) -> CallFailedError:
    status = getattr(error, "status", 0)
    message = getattr(error, "message", None) or str(error)
    fixes = {
        401: "give a token that is valid: `github-token: ${{ github.token }}`",
        403: "permit the job to write comments: `permissions: pull-requests: write`",
        404: "give the token access to the repository: `permissions: pull-requests: write`",
    }
    return CallFailedError(
        f"GitHub answered {status}: {message}",
        where=where,
        fix=fixes.get(status, "run the job again"),
        code=ErrorCode.GITHUB_CALL_FAILED,
    )
