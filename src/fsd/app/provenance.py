"""The policy `requireProvenance`: before anything changes, the image's attestation is verified.

What cannot be shown is refused, as with every policy of an environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fsd.app.deployment import Chosen, DeployOptions, Prepared
from fsd.app.image import find_known_image
from fsd.app.registries import open_registry
from fsd.release.concurrency.in_flight import CommitOrder
from fsd.release.notes import Note, ProvenanceVerified
from fsd.release.provenance import (
    Attestation,
    UnprovedAttestation,
    no_digest,
    not_built_yet,
    require_provenance,
)

_MOST = 300  # attestations of one image, in its registry and on GitHub
_CONTAINS = {CommitOrder.SAME, CommitOrder.NEWER}


def require_attested(
    options: DeployOptions, prepared: Prepared, chosen: Chosen
) -> tuple[Note, ...]:
    """() where the environment asks for none.

    Raises RefusedError for an image whose attestation is missing, of somebody else or of another
    commit, and CallFailedError where its registry does not answer.
    """
    policy = prepared.connection.environment.require_provenance
    if policy is None:
        return ()
    image = chosen.image
    if not chosen.is_there:
        raise not_built_yet(image.uri, policy)
    if not image.digest:
        raise no_digest(image.uri, policy)
    attestation = require_provenance(
        f"{image.repository}@{image.digest[:19]}…",
        _attestations(options, prepared, chosen),
        policy=policy,
        commit=prepared.release.commit,
        contains=lambda other: _order(options, prepared, other) in _CONTAINS,
    )
    verified = ProvenanceVerified(
        repository=policy.repository,
        workflow=attestation.workflow.partition("@")[0].rpartition("/")[2],
        commit=attestation.commit,
    )
    return (verified,)


def _attestations(
    options: DeployOptions, prepared: Prepared, chosen: Chosen
) -> Iterator[Attestation | UnprovedAttestation]:
    """Each fetched and verified when it is asked for."""
    from fsd.image.provenance import open_verifier, read_attestation

    verifier = None
    for bundle in _bundles(options, prepared, chosen):
        if isinstance(bundle, UnprovedAttestation):
            yield bundle
            continue
        verifier = verifier or open_verifier()
        read = read_attestation(bundle, chosen.image.digest, verifier=verifier)
        if read is not None:
            yield read


def _bundles(
    options: DeployOptions, prepared: Prepared, chosen: Chosen
) -> Iterator[str | UnprovedAttestation]:
    """In the account's own registry, then on GitHub, where this run has a token for it."""
    from fsd.image.provenance import find_bundles

    aws, image = prepared.connection.aws, chosen.image
    repository, _ = find_known_image(aws, image.uri) or (None, "")
    if repository is not None:
        api = open_registry(aws.registry, repository)
        yield from _up_to(_MOST, find_bundles(api, image.digest))
    policy = prepared.connection.environment.require_provenance
    if policy is not None and options.find_attestations is not None:
        yield from _up_to(_MOST, options.find_attestations(policy.repository, image.digest))


def _up_to(most: int, bundles: Iterable[str]) -> Iterator[str | UnprovedAttestation]:
    for count, bundle in enumerate(bundles):
        if count == most:
            yield UnprovedAttestation(most_read=most)
            return
        yield bundle


def _order(options: DeployOptions, prepared: Prepared, other: str) -> CommitOrder:
    from fsd.image.context import order_commits

    ours = prepared.release.commit
    found = order_commits(prepared.source.folder, ours, other)
    if found is CommitOrder.UNKNOWN and options.order_commits is not None:
        return options.order_commits(ours, other)
    return found
