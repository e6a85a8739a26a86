"""The policy `requireProvenance`: an image that a workflow attests to have built. Pure.

What a signature shows is handed in; nothing else that comes with an image is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fsd.errors import ErrorCode, RefusedError
from fsd.manifest.environments import Provenance
from fsd.quoted import Quoted

# The issuer of the tokens that jobs on github.com have.
# https://docs.github.com/en/actions/concepts/security/openid-connect
ISSUER = "https://token.actions.githubusercontent.com"
_GITHUB = "https://github.com/"
_SHORT = 12  # characters of a commit
_ACTION = "actions/attest-build-provenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """Of the image's very digest, with a signature that holds."""

    issuer: str
    repository: str  # https://github.com/ORG/REPO
    commit: str
    workflow: str  # https://github.com/ORG/REPO/.github/workflows/FILE@REF


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprovedAttestation:
    """One that proves nothing, and why not."""

    why: Quoted | None = None  # None where it is of something else
    subjects: tuple[str, ...] = ()  # digests
    most_read: int = 0  # there are more than these, and the rest was not read


def require_provenance(
    image: str,
    found: Iterable[Attestation | UnprovedAttestation],
    *,
    policy: Provenance,
    commit: str,
    contains: Callable[[str], bool],
) -> Attestation:
    """The attestation that the environment asks for, by the repository's workflow and of the commit
    that is deployed or of one that it contains: the image of unchanged content is not built again.

    `contains` says the latter of an attested commit. No more of `found` is asked for than it takes.
    Raises RefusedError with what was found.
    """
    seen: list[Attestation | UnprovedAttestation] = []
    for one in found:
        if (
            isinstance(one, Attestation)
            and _is_by(one, policy)
            and one.commit
            and (one.commit == commit or contains(one.commit))
        ):
            return one
        seen.append(one)
    proved = [one for one in seen if isinstance(one, Attestation)]
    if not proved:
        raise _unproved(image, seen, policy)
    if not any(_is_by(one, policy) for one in proved):
        raise _by_others(image, seen, policy)
    raise _of_other_commits(image, seen, policy=policy, commit=commit)


def _by_others(
    image: str, found: Sequence[Attestation | UnprovedAttestation], policy: Provenance
) -> RefusedError:
    builders = _listed(_builder(one) for one in found if isinstance(one, Attestation))
    return RefusedError(
        f"{image} was built by {builders}, and not by {_wanted(policy)}{_cut(found)}",
        where=_where(policy),
        fix="deploy an image that this workflow built, or correct requireProvenance",
        code=ErrorCode.PROVENANCE_WRONG,
    )


def _of_other_commits(
    image: str,
    found: Sequence[Attestation | UnprovedAttestation],
    *,
    policy: Provenance,
    commit: str,
) -> RefusedError:
    theirs = (one for one in found if isinstance(one, Attestation) and _is_by(one, policy))
    commits = _listed(one.commit[:_SHORT] or "no commit" for one in theirs)
    return RefusedError(
        f"{image} was built from {commits}, and {commit[:_SHORT] or 'no known commit'} is deployed"
        f"{_cut(found)}",
        where=_where(policy),
        fix="deploy the commit that the image was built from, or build and attest this commit; a "
        "shallow checkout does not know which commits it contains",
        code=ErrorCode.PROVENANCE_WRONG,
    )


def not_built_yet(image: str, policy: Provenance) -> RefusedError:
    return RefusedError(
        f"{image} is yet to be built, and an image that FSD builds has no attestation",
        where=_where(policy),
        fix="build, push and attest the image in steps before this one "
        "(actions/attest-build-provenance), and deploy its digest with --image",
        code=ErrorCode.PROVENANCE_MISSING,
    )


def no_digest(image: str, policy: Provenance) -> RefusedError:
    return RefusedError(
        f"the digest of {image} is not known, and an attestation is of a digest",
        where=_where(policy),
        fix="deploy the image by its digest: REPOSITORY@sha256:…",
        code=ErrorCode.PROVENANCE_MISSING,
    )


def _unproved(
    image: str, found: Sequence[Attestation | UnprovedAttestation], policy: Provenance
) -> RefusedError:
    reasons = [
        one.why.text if one.why else f"it concerns {', '.join(one.subjects)}"
        for one in found
        if isinstance(one, UnprovedAttestation) and not one.most_read
    ]
    if reasons:
        return RefusedError(
            f"no attestation of {image} holds: {'; '.join(dict.fromkeys(reasons))}{_cut(found)}",
            where=_where(policy),
            fix="find out who pushed it; attest the image in the workflow that builds it, by "
            f"{_ACTION} with `push-to-registry: true`, and deploy that digest",
            code=ErrorCode.PROVENANCE_WRONG,
        )
    return RefusedError(
        f"{image} has no attestation, neither in its registry nor on GitHub as far as this run may "
        f"look{_cut(found)}",
        where=_where(policy),
        fix=f"attest it in the workflow that builds it, by {_ACTION} with `push-to-registry: "
        "true`, and deploy that digest; for an attestation on GitHub, permit the job to read it: "
        "`permissions: attestations: read`",
        code=ErrorCode.PROVENANCE_MISSING,
    )


def _cut(found: Iterable[Attestation | UnprovedAttestation]) -> str:
    most = max((one.most_read for one in found if isinstance(one, UnprovedAttestation)), default=0)
    return f"; it has more than {most} attestations, and FSD read no more of them" if most else ""


def _is_by(one: Attestation, policy: Provenance) -> bool:
    """GitHub's names of repositories are equal in whatever case, and those of files are not."""
    home = f"{_GITHUB}{policy.repository}".lower()
    if one.issuer != ISSUER or one.repository.lower() != home:
        return False
    file = one.workflow.partition("@")[0]
    theirs, path = file[: len(home)], file[len(home) :]
    return policy.workflow is None or (theirs.lower() == home and path == f"/{policy.workflow}")


def _builder(one: Attestation) -> str:
    built = one.workflow.removeprefix(_GITHUB) or one.repository.removeprefix(_GITHUB)
    return built if one.issuer == ISSUER else f"{built} (issuer {one.issuer or 'unknown'})"


def _wanted(policy: Provenance) -> str:
    return f"{policy.repository}/{policy.workflow}" if policy.workflow else policy.repository


def _listed(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))


def _where(policy: Provenance) -> str:
    return f"requireProvenance: {_wanted(policy)}"
