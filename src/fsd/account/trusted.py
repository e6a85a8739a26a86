"""A role's trust policy → the workflows that it takes. Pure; the other direction of `trust`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fsd.account.statements import fits, is_about, statements, texts
from fsd.account.trust import ISSUER
from fsd.compile.desired import Json

_ASSUME = "sts:AssumeRoleWithWebIdentity"


def trusts_any(policy: Json, subs: Sequence[str], *, repository: str) -> bool:
    """Whether a workflow of the repository with one of these `sub` may assume the role. In a `sub`
    a `*` stands for an id that is not known.

    Other claims, such as `job_workflow_ref`, are taken to be right.
    """
    return any(
        _takes_repository(conditions, repository)
        and any(fits(known, sub) or fits(sub, known) for known in _subs(conditions) for sub in subs)
        for conditions in _of_github(policy)
    )


def trusted_subs(policy: Json) -> tuple[str, ...]:
    """Patterns of `sub`, sorted; () where no workflow of GitHub's may assume the role."""
    return tuple(sorted({sub for one in _of_github(policy) for sub in _subs(one)}))


def _of_github(policy: Json) -> Iterator[tuple[tuple[str, tuple[str, ...]], ...]]:
    """Of each statement that lets GitHub's tokens in, its conditions: (claim, values)."""
    for statement in statements(policy):
        principal = statement.get("Principal")
        providers = texts(principal.get("Federated")) if isinstance(principal, dict) else ()
        is_github = any(one.endswith(f"/{ISSUER}") for one in providers)
        if statement.get("Effect") == "Allow" and is_github and is_about(statement, _ASSUME):
            yield tuple(_claims(statement))


def _claims(statement: Json) -> Iterator[tuple[str, tuple[str, ...]]]:
    conditions = statement.get("Condition")
    for operands in conditions.values() if isinstance(conditions, dict) else ():
        for key, value in operands.items() if isinstance(operands, dict) else ():
            if key.lower().startswith(f"{ISSUER}:"):
                yield key.rpartition(":")[2].lower(), texts(value)


def _subs(claims: Sequence[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    """Without a condition, any: an old policy, from before IAM asked for one."""
    named = [values for claim, values in claims if claim == "sub"]
    return tuple(one for values in named for one in values) if named else ("*",)


def _takes_repository(claims: Sequence[tuple[str, tuple[str, ...]]], repository: str) -> bool:
    named = [values for claim, values in claims if claim == "repository"]
    return all(any(fits(one, repository) for one in values) for values in named)
