"""A role's trust policy → the workflows that it takes. Pure; the other direction of `trust`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fsd.account.statements import fits, is_about, statements, texts
from fsd.account.trust import AUDIENCE, ISSUER
from fsd.compile.desired import Json

_ASSUME = "sts:AssumeRoleWithWebIdentity"


def trusts_any(policy: Json, subs: Sequence[str], *, repository: str) -> bool:
    """Whether a workflow of the repository with one of these `sub` may assume the role. In a `sub`
    a `*` stands for an id that is not known.

    Other claims, such as `job_workflow_ref`, are taken to be right.
    """
    return any(
        _takes(conditions, "repository", repository)
        and _takes(conditions, "aud", AUDIENCE)
        and any(fits(known, sub) or fits(sub, known) for known in _subs(conditions) for sub in subs)
        for conditions in _of_github(policy)
    )


def trusted_subs(policy: Json) -> tuple[str, ...]:
    """Patterns of `sub`, sorted; () where no workflow of GitHub's may assume the role."""
    return tuple(sorted({sub for one in _of_github(policy) for sub in _subs(one)}))


def other_audiences(policy: Json) -> tuple[str, ...]:
    """What it asks of `aud`, if no statement takes the audience of AWS."""
    found = [*_of_github(policy)]
    if any(_takes(one, "aud", AUDIENCE) for one in found):
        return ()
    return tuple(
        sorted({aud for one in found for claim, auds in one if claim == "aud" for aud in auds})
    )


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


def _takes(claims: Sequence[tuple[str, tuple[str, ...]]], claim: str, value: str) -> bool:
    """Whether what it asks of the claim, if anything, has this value."""
    named = [values for name, values in claims if name == claim]
    return all(any(fits(one, value) for one in values) for values in named)
