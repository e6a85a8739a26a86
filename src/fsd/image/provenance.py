"""Attestations of an image: where they are, and what their signatures prove.

Sigstore's library is an extra, imported here alone and only where an environment asks for it.
https://docs.github.com/en/actions/concepts/security/artifact-attestations
https://github.com/sigstore/sigstore-python
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fsd.errors import CallFailedError, ErrorCode, RefusedError
from fsd.quoted import Quoted
from fsd.release.provenance import ISSUER, Attestation, UnprovedAttestation

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import Bundle
    from sigstore.verify import Verifier

    from fsd.image.registry_api import RegistryApi

_BUNDLE = "application/vnd.dev.sigstore.bundle"
_IN_TOTO = "application/vnd.in-toto+json"
_PROVENANCE = "https://slsa.dev/provenance/"
_MOST = 30  # attestations of one image; GitHub gives as many on a page
_MOST_BYTES = 4 << 20  # of a bundle
# https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
_OIDS = "1.3.6.1.4.1.57264.1"
_ISSUER, _WORKFLOW, _REPOSITORY, _COMMIT = 8, 9, 12, 13
_UTF8 = 0x0C
_LONG = 0x80
_LONGEST = 300  # characters of what Sigstore says
_SHOWN, _SHORT = 3, 12  # digests, and characters of each


def open_verifier() -> Verifier:
    """With the keys of Sigstore's public instance, which it fetches.

    Raises RefusedError without the library, CallFailedError where the keys cannot be fetched.
    """
    try:
        from sigstore.errors import Error
        from sigstore.verify import Verifier
    except ImportError as error:
        raise RefusedError(
            "the image's attestation cannot be verified: sigstore is not installed",
            where="requireProvenance",
            fix="install FSD with its extra: fsd-deploy[provenance]",
            code=ErrorCode.PROVENANCE_UNCHECKED,
        ) from error
    try:
        return Verifier.production()
    except (Error, OSError) as error:
        raise CallFailedError(
            f"the keys of Sigstore could not be fetched: {error}",
            where="https://tuf-repo-cdn.sigstore.dev",
            fix="let this machine reach that host, and run it again",
            code=ErrorCode.PROVENANCE_UNCHECKED,
        ) from error


def read_attestation(
    bundle: str, digest: str, *, verifier: Verifier
) -> Attestation | UnprovedAttestation | None:
    """What a Sigstore bundle proves of the image with that digest. None where it is of something
    else than how the image was built: a list of its parts, a signature."""
    from sigstore.errors import Error
    from sigstore.models import Bundle
    from sigstore.verify.policy import OIDCIssuerV2

    try:
        parsed = Bundle.from_json(bundle)
        kind, payload = verifier.verify_dsse(parsed, OIDCIssuerV2(ISSUER))
        statement = json.loads(payload)
        subjects = [one["digest"].get("sha256") for one in statement["subject"]]
    except (Error, ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        return UnprovedAttestation(why=Quoted(text=why[:_LONGEST]))
    if kind != _IN_TOTO or not str(statement.get("predicateType")).startswith(_PROVENANCE):
        return None
    if digest.removeprefix("sha256:") not in subjects:
        named = tuple(f"sha256:{str(one)[:_SHORT]}…" for one in subjects[:_SHOWN])
        return UnprovedAttestation(subjects=named or ("sha256:",))
    return _signed(parsed)


def _signed(bundle: Bundle) -> Attestation:
    certificate = bundle.signing_certificate
    return Attestation(
        issuer=_said(certificate, _ISSUER),
        repository=_said(certificate, _REPOSITORY),
        commit=_said(certificate, _COMMIT),
        workflow=_said(certificate, _WORKFLOW),
    )


def _said(certificate: Certificate, number: int) -> str:
    """An extension's text; "" without it. DER's UTF8String, of up to 127 bytes or with its length
    in the bytes that follow."""
    for one in certificate.extensions:
        if one.oid.dotted_string == f"{_OIDS}.{number}":
            data: bytes = one.value.public_bytes()
            if data[:1] != bytes([_UTF8]):
                return ""
            start = 2 + (data[1] & ~_LONG if data[1] & _LONG else 0)
            return data[start:].decode("utf-8", "replace")
    return ""


def find_bundles(api: RegistryApi, digest: str) -> Iterator[str]:
    """Those that refer to the image in its registry.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
    """
    for named in _referrers(api, digest)[:_MOST]:
        found = api.find_manifest(named)
        layers = _tree(found.content).get("layers") if found else None
        for layer in layers[:1] if isinstance(layers, list) else []:
            if isinstance(layer, dict) and str(layer.get("mediaType")).startswith(_BUNDLE):
                yield _blob(api, str(layer.get("digest")))


def _referrers(api: RegistryApi, digest: str) -> list[str]:
    pages = [_tree(page).get("manifests") for page in api.find_referrers(digest)]
    return [
        str(one.get("digest"))
        for page in pages
        for one in (page if isinstance(page, list) else [])
        if isinstance(one, dict) and str(one.get("artifactType")).startswith(_BUNDLE)
    ]


def _blob(api: RegistryApi, digest: str) -> str:
    content = b""
    with api.open_blob(digest, start=0) as pieces:
        for piece in pieces:
            content += piece
            if len(content) > _MOST_BYTES:
                break
    return content[:_MOST_BYTES].decode("utf-8", "replace")


def _tree(content: bytes) -> dict[str, object]:
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}
