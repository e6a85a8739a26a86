"""A role's trust policy → the workflows that it takes. Pure; the other direction of `trust`.

What only a token shows (its other claims, an id that is not known) is taken to be right, as is a
condition operator that is not known here: what is not certain must not be reported as a trouble.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fsd.account.issuer import AUDIENCE, ISSUER
from fsd.account.statements import fits, is_about, statements, texts
from fsd.compile.desired import Json

_ASSUME, _CHAIN = "sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"
_STAR = "*"  # in a `sub`: an id that is not known, where it follows @; else the rest of a branch
# Operator → whether it has wildcards, whether it ignores case, whether it is negated.
_OPERATORS = {
    "stringequals": (False, False, False),
    "stringnotequals": (False, False, True),
    "stringequalsignorecase": (False, True, False),
    "stringnotequalsignorecase": (False, True, True),
    "stringlike": (True, False, False),
    "stringnotlike": (True, False, True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """What a token has. Of the first `loose` characters the case is not known: a folder's `origin`
    may write the names of owner and repository as it likes, and a token has GitHub's."""

    text: str
    loose: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    operator: str  # in small letters, without ForAnyValue:, ForAllValues: and IfExists
    claim: str
    values: tuple[str, ...]


def trusts_any(policy: Json, subs: Sequence[str], *, repository: str) -> bool:
    """Whether a workflow of the repository with one of these `sub` may assume the role, as far as
    can be told. In a `sub` a `*` stands for an id that is not known, or for some of a branch."""
    return any(
        _decides(policy, "Allow", claims) is not False
        and _decides(policy, "Deny", claims) is not True
        for claims in _tokens(subs, repository)
    )


def denies_all(policy: Json, subs: Sequence[str], *, repository: str) -> bool:
    """Whether it would take such a workflow, and a Deny statement keeps every one of them out."""
    taken = [
        claims
        for claims in _tokens(subs, repository)
        if _decides(policy, "Allow", claims) is not False
    ]
    return bool(taken) and all(_decides(policy, "Deny", claims) is True for claims in taken)


def is_for_others(policy: Json) -> bool:
    """Whether it is assumed in another way than with a token of GitHub's: by a principal of AWS
    (from another role, from a runner's own), or with a token of somebody else's (of the cluster
    that a runner is in, of an enterprise's own issuer).

    https://github.com/aws-actions/configure-aws-credentials/issues/403
    https://docs.github.com/en/actions/reference/security/oidc#customizing-the-issuer-value-for-an-enterprise
    """
    allowing = [one for one in statements(policy) if one.get("Effect") == "Allow"]
    return not any(_is_of_github(one) for one in allowing) and any(
        is_about(one, _CHAIN) or is_about(one, _ASSUME) for one in allowing
    )


def trusted_subs(policy: Json) -> tuple[str, ...]:
    """Values and patterns of `sub`, sorted; () where no workflow of GitHub's may assume the role.
    Without a condition any `sub` is taken: an old policy, from before IAM asked for one."""
    found: set[str] = set()
    for conditions in _of_github(policy, "Allow"):
        named = [one for one in conditions if one.claim == "sub"]
        found |= {value for one in named if not _is_negated(one) for value in one.values}
        found |= set() if named else {"*"}
    return tuple(sorted(found))


def literal_stars(policy: Json) -> tuple[str, ...]:
    """Values of `sub` whose `*` stands for nothing but itself, so that no token has them."""
    return tuple(
        sorted(
            {
                value
                for conditions in _of_github(policy, "Allow")
                for one in conditions
                if one.claim == "sub" and _OPERATORS.get(one.operator) == (False, False, False)
                for value in one.values
                if "*" in value
            }
        )
    )


def other_audiences(policy: Json) -> tuple[str, ...]:
    """What it asks of `aud`, if no statement takes the audience of AWS."""
    asked = [
        [one for one in conditions if one.claim == "aud"]
        for conditions in _of_github(policy, "Allow")
    ]
    aud = {"aud": _Claim(text=AUDIENCE)}
    if any(_all_hold(one, aud) is not False for one in asked):
        return ()
    return tuple(sorted({value for named in asked for one in named for value in one.values}))


# ---- statements


def _tokens(subs: Sequence[str], repository: str) -> Iterator[dict[str, _Claim]]:
    for sub in subs:
        names = sub.find(":", len("repo:"))  # behind owner and repository
        yield {
            "sub": _Claim(text=sub, loose=max(names, 0)),
            "aud": _Claim(text=AUDIENCE),
            "repository": _Claim(text=repository, loose=len(repository)),
        }


def _decides(policy: Json, effect: str, claims: dict[str, _Claim]) -> bool | None:
    """Whether a statement with this effect is about the token; None where that is not certain."""
    return _any(_all_hold(one, claims) for one in _of_github(policy, effect))


def _of_github(policy: Json, effect: str) -> Iterator[tuple[_Condition, ...]]:
    """Of each such statement about GitHub's tokens, its conditions."""
    for statement in statements(policy):
        if statement.get("Effect") != effect:
            continue
        is_everybody = effect == "Deny" and statement.get("Principal") == "*"
        if is_about(statement, _ASSUME) and (is_everybody or _is_of_github(statement)):
            yield tuple(_conditions(statement))


def _is_of_github(statement: Json) -> bool:
    return any(one.endswith(f"/{ISSUER}") for one in _providers(statement))


def _providers(statement: Json) -> tuple[str, ...]:
    principal = statement.get("Principal")
    return texts(principal.get("Federated")) if isinstance(principal, dict) else ()


def _conditions(statement: Json) -> Iterator[_Condition]:
    """One claim has one value, so that what is asked of any or of all of its values is one."""
    conditions = statement.get("Condition")
    for written, operands in conditions.items() if isinstance(conditions, dict) else ():
        operator = written.lower().rpartition(":")[2].removesuffix("ifexists")
        for key, value in operands.items() if isinstance(operands, dict) else ():
            is_claim = key.lower().startswith(f"{ISSUER}:")
            claim = key.rpartition(":")[2].lower() if is_claim else ""
            yield _Condition(operator=operator, claim=claim, values=texts(value))


# ---- conditions: True, False, or None for what cannot be told


def _all_hold(conditions: Iterable[_Condition], claims: dict[str, _Claim]) -> bool | None:
    return _not(_any(_not(_holds(one, claims.get(one.claim))) for one in conditions))


def _holds(condition: _Condition, claim: _Claim | None) -> bool | None:
    if claim is None or condition.operator not in _OPERATORS:
        return None
    found = _any(_is(value, claim, condition.operator) for value in condition.values)
    return _not(found) if _is_negated(condition) else found


def _is(value: str, claim: _Claim, operator: str) -> bool | None:
    has_wildcards, ignores_case, _ = _OPERATORS[operator]
    loose = len(claim.text) if ignores_case else 0
    if _meets(value, claim.text, has_wildcards=has_wildcards, loose=loose):
        # A pattern that fits the star fits all that it stands for.
        is_certain = _STAR not in claim.text or (has_wildcards and fits(value, claim.text))
        return True if is_certain else None
    if _meets(value, claim.text, has_wildcards=has_wildcards, loose=max(loose, claim.loose)):
        return None  # only the case differs
    return False


def _meets(value: str, text: str, *, has_wildcards: bool, loose: int) -> bool:
    """Whether they can be the same, with something for each star of the text; of its first `loose`
    characters in whatever case. Reads the value from left to right, and knows all places of the
    text where it may be by then."""
    places = _with_nothing({0}, text)
    for one in value:
        if has_wildcards and one == "*":
            places = {*range(min(places), len(text) + 1)} if places else places
            continue
        is_any = has_wildcards and one == "?"
        onward: set[int] = set()
        for place in places - {len(text)}:
            known = text[place]
            if known == _STAR:
                is_fit = one.isdigit() if _is_id(text, place) else one != "*"
                onward |= {place, place + 1} if is_any or is_fit else set()
            elif is_any or one == known or (place < loose and one.lower() == known.lower()):
                onward.add(place + 1)
        places = _with_nothing(onward, text)
    return len(text) in places


def _with_nothing(places: set[int], text: str) -> set[int]:
    """With those behind a star that stands for nothing, which an id does not."""
    for place, known in enumerate(text):
        if known == _STAR and place in places and not _is_id(text, place):
            places = places | {place + 1}
    return places


def _is_id(text: str, place: int) -> bool:
    return text[place - 1 : place] == "@"


def _is_negated(condition: _Condition) -> bool:
    return _OPERATORS.get(condition.operator, (False, False, False))[2]


def _any(found: Iterable[bool | None]) -> bool | None:
    seen = {*found}
    return True if True in seen else None if None in seen else False


def _not(found: bool | None) -> bool | None:
    return None if found is None else not found
