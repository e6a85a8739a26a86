"""Which workflow may assume a role: the condition is the border, and everything else is comfort.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

from fsd.account.issuer import AUDIENCE, ISSUER
from fsd.account.joined import GitHubRepository, Joined
from fsd.compile.desired import Json, JsonValue

PULL_REQUEST = "pull_request"


def trust_deployments(joined: Joined, *, provider: JsonValue) -> Json:
    """Of jobs in the GitHub environment, or of the branches where there is none; and of those
    environments of other accounts that take what has succeeded here, to look and to copy it."""
    contexts = dict.fromkeys((*deploying_contexts(joined), *_following_contexts(joined)))
    return _trust(joined, tuple(contexts), provider=provider, workflow=joined.workflow)


def deploying_contexts(joined: Joined) -> tuple[str, ...]:
    """How the `sub` of a job that may deploy ends."""
    if joined.github_environment:
        return (f"environment:{joined.github_environment}",)
    return tuple(f"ref:refs/heads/{branch}" for branch in joined.branches)


def _following_contexts(joined: Joined) -> tuple[str, ...]:
    """None beside branches: a workflow on any other branch could name the GitHub environment."""
    if not joined.github_environment:
        return ()
    return tuple(f"environment:{github}" for _, github in joined.named.following)


def trust_plans(joined: Joined, *, provider: JsonValue) -> Json:
    """Of pull requests; a fork's have no token at all."""
    return _trust(joined, (PULL_REQUEST,), provider=provider, workflow="")


def subjects(repository: GitHubRepository, context: str) -> tuple[str, ...]:
    """Both forms of `sub`: repositories that were made, renamed or moved since July 2026 send their
    ids in it.

    Without the ids a wildcard stands for them. Alone it could be met by another repository of the
    owner, whose environment's name is as it likes; the condition on `repository` closes that.
    """
    owner_id, id_ = repository.owner_id or "*", repository.id or "*"
    return (
        f"repo:{repository}:{context}",
        f"repo:{repository.owner}@{owner_id}/{repository.name}@{id_}:{context}",
    )


def _trust(
    joined: Joined, contexts: tuple[str, ...], *, provider: JsonValue, workflow: str
) -> Json:
    repository = joined.repository
    exact: Json = {f"{ISSUER}:aud": AUDIENCE}
    if repository.id:
        exact[f"{ISSUER}:repository_id"] = repository.id
    else:
        exact[f"{ISSUER}:repository"] = str(repository)
    subs: list[JsonValue] = [sub for one in contexts for sub in subjects(repository, one)]
    like: Json = {f"{ISSUER}:sub": subs}
    if workflow:
        like[f"{ISSUER}:job_workflow_ref"] = workflow
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": exact, "StringLike": like},
            }
        ],
    }


def trust_cloudformation() -> Json:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "cloudformation.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
