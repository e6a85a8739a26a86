"""Attestations of an image: where they are, and what their signatures prove.

Sigstore's library is an extra, imported here alone and only where an environment asks for it.
https://docs.github.com/en/actions/concepts/security/artifact-attestations
https://github.com/sigstore/sigstore-python
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fsd.errors import CallFailedError, ErrorCode, RefusedError
from fsd.quoted import Quoted
from fsd.release.provenance import ISSUER, Attestation, UnprovedAttestation

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import Bundle
    from sigstore.verify import Verifier

    from fsd.image.registry_api import RegistryApi

# As Sigstore's libraries write them, and not what begins alike.
# https://github.com/sigstore/sigstore-python/blob/main/sigstore/models.py
_BUNDLES = frozenset(
    {
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
    }
)
_IN_TOTO = "application/vnd.in-toto+json"
_PROVENANCE = "https://slsa.dev/provenance/"
_MOST_BYTES = 4 << 20  # of a bundle
# https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
_OIDS = "1.3.6.1.4.1.57264.1"
_ISSUER, _WORKFLOW, _REPOSITORY, _COMMIT = 8, 9, 12, 13
_UTF8 = 0x0C
_LONG = 0x80
_LONGEST = 300  # characters of what Sigstore says
_SHOWN, _SHORT = 3, 12  # digests, and characters of each
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


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
    from sigstore.models import Bundle
    from sigstore.verify.policy import OIDCIssuerV2

    try:
        parsed = Bundle.from_json(bundle)
        kind, payload = verifier.verify_dsse(parsed, OIDCIssuerV2(ISSUER))
        statement = _tree(payload)
        subjects = [one["digest"].get("sha256") for one in statement["subject"]]
        signed = _signed(parsed)
    except _malformed() as error:
        why = " ".join(str(error).split()) or type(error).__name__
        return UnprovedAttestation(why=Quoted(text=why[:_LONGEST]))
    if kind != _IN_TOTO or not str(statement.get("predicateType")).startswith(_PROVENANCE):
        return None
    if digest.removeprefix("sha256:") not in subjects:
        named = tuple(f"sha256:{str(one)[:_SHORT]}…" for one in subjects[:_SHOWN])
        return UnprovedAttestation(subjects=named or ("sha256:",))
    return signed


def _malformed() -> tuple[type[Exception], ...]:
    """What the libraries raise for a bundle that is not as it should be: whoever may push to the
    registry writes it, and one such bundle must not hide another that holds.

    Those of cryptography derive from Exception alone.
    https://cryptography.io/en/latest/x509/reference/#exceptions
    """
    from cryptography import exceptions, x509
    from sigstore.errors import Error

    of_libraries = (
        Error,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.AttributeNotFound,
        x509.UnsupportedGeneralNameType,
        exceptions.UnsupportedAlgorithm,
        exceptions.InvalidSignature,
        exceptions.InternalError,
    )
    # RuntimeError is also that of too many brackets, ArithmeticError and OSError of a date.
    of_values = (ValueError, LookupError, TypeError, AttributeError, AssertionError)
    return (*of_libraries, *of_values, RuntimeError, ArithmeticError, OSError)


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
    """Those that refer to the image in its registry, each fetched when it is asked for.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
    """
    for named in dict.fromkeys(_referrers(api, digest)):
        found = api.find_manifest(named)
        layers = _tree(found.content).get("layers") if found else None
        for layer in layers[:1] if isinstance(layers, list) else []:
            if isinstance(layer, dict) and str(layer.get("mediaType")) in _BUNDLES:
                at = str(layer.get("digest"))
                if _DIGEST.fullmatch(at):
                    yield _blob(api, at)


def _referrers(api: RegistryApi, digest: str) -> list[str]:
    pages = [_tree(page).get("manifests") for page in api.find_referrers(digest)]
    return [
        str(one.get("digest"))
        for page in pages
        for one in (page if isinstance(page, list) else [])
        if isinstance(one, dict) and str(one.get("artifactType")) in _BUNDLES
    ]


def _blob(api: RegistryApi, digest: str) -> str:
    content = b""
    with api.open_blob(digest, start=0) as pieces:
        for piece in pieces:
            content += piece
            if len(content) > _MOST_BYTES:
                break
    return content[:_MOST_BYTES].decode("utf-8", "replace")


def _tree(content: bytes) -> dict[str, Any]:
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}
