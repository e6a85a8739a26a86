from __future__ import annotations

import pytest

from fsd.errors import ErrorCode, RefusedError
from fsd.manifest.environments import Provenance
from fsd.quoted import Quoted
from fsd.release.provenance import (
    ISSUER,
    Attestation,
    UnprovedAttestation,
    require_provenance,
)

COMMIT, OLDER, OTHER = "a" * 40, "b" * 40, "c" * 40
POLICY = Provenance(repository="org/offers")
FILE = ".github/workflows/deploy.yml"


def attestation(repository: str = "org/offers", commit: str = COMMIT, **more: str) -> Attestation:
    home = f"https://github.com/{repository}"
    workflow = f"{home}/{more.get('file', FILE)}@refs/heads/main"
    issuer = more.get("issuer", ISSUER)
    return Attestation(issuer=issuer, repository=home, commit=commit, workflow=workflow)


def judge(
    *found: Attestation | UnprovedAttestation, policy: Provenance = POLICY, commit: str = COMMIT
) -> Attestation:
    return require_provenance(
        "web@sha256:0a", found, policy=policy, commit=commit, contains=lambda one: one == OLDER
    )


@pytest.mark.parametrize(
    "taken",
    [attestation(), attestation(commit=OLDER), attestation("Org/Offers")],
    ids=["commit", "contained", "case"],
)
def test_require_provenance__built_by_the_repository__is_taken(taken: Attestation) -> None:
    others = (
        UnprovedAttestation(why=Quoted(text="x")),
        attestation("org/fork"),
        attestation(commit=OTHER),
    )

    assert judge(*others, taken) == taken


@pytest.mark.parametrize(
    ("found", "code", "what", "fix"),
    [
        ((), "provenance-missing", "has no attestation", "actions/attest-build-provenance"),
        (
            (UnprovedAttestation(subjects=("sha256:1…",)),),
            "provenance-wrong",
            "no attestation of web@sha256:0a holds: it concerns sha256:1…",
            "find out who pushed it",
        ),
        (
            (attestation("org/fork"),),
            "provenance-wrong",
            f"was built by org/fork/{FILE}@refs/heads/main, and not by org/offers",
            "an image that this workflow built",
        ),
        (
            (attestation(issuer="https://gitlab.com"),),
            "provenance-wrong",
            "(issuer https://gitlab.com), and not by org/offers",
            "an image that this workflow built",
        ),
        (
            (attestation(commit=OTHER), attestation(commit="")),
            "provenance-wrong",
            "was built from cccccccccccc, no commit, and aaaaaaaaaaaa is deployed",
            "build and attest this commit",
        ),
    ],
    ids=["none", "broken", "repository", "issuer", "commit"],
)
def test_require_provenance__anything_else__is_refused_with_what_was_found(
    found: tuple[Attestation | UnprovedAttestation, ...], code: str, what: str, fix: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        judge(*found)

    assert (caught.value.code, what in caught.value.what) == (code, True), caught.value
    assert fix in caught.value.fix


def test_require_provenance__another_workflow__is_refused() -> None:
    policy = Provenance(repository="org/offers", workflow=FILE)

    assert judge(attestation(), policy=policy) == attestation()
    assert judge(attestation("Org/Offers"), policy=policy) == attestation("Org/Offers")
    for other in (FILE.replace("deploy", "DEPLOY"), FILE.replace("workflows", "Workflows")):
        with pytest.raises(RefusedError, match="and not by org/offers/"):
            judge(attestation(file=other), policy=policy)
    with pytest.raises(RefusedError, match=r"/test.yml@refs/heads/main, and not by org/offers/"):
        judge(attestation(file=".github/workflows/test.yml"), policy=policy)


def test_require_provenance__no_known_commit__is_refused() -> None:
    with pytest.raises(RefusedError, match="no known commit is deployed") as caught:
        judge(attestation(), commit="")

    assert caught.value.code is ErrorCode.PROVENANCE_WRONG


def test_require_provenance__first_that_satisfies__ends_the_search() -> None:
    found = iter((attestation("org/fork"), attestation(), attestation("org/last")))

    taken = require_provenance("web", found, policy=POLICY, commit=COMMIT, contains=lambda _: False)

    assert taken == attestation()
    assert [*found] == [attestation("org/last")]


@pytest.mark.parametrize(
    "others",
    [
        (),
        (UnprovedAttestation(why=Quoted(text="x")),),
        (attestation("org/fork"),),
        (attestation(commit=OTHER),),
    ],
    ids=["none", "broken", "repository", "commit"],
)
def test_require_provenance__more_than_were_read__says_so(
    others: tuple[Attestation | UnprovedAttestation, ...],
) -> None:
    with pytest.raises(RefusedError, match="it has more than 300 attestations, and FSD read no"):
        judge(*others, UnprovedAttestation(most_read=300))
