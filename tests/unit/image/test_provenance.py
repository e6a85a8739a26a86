"""A bundle proves what its signature does, by a Sigstore of the tests' own; nothing else does."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sigstore.models import TrustedRoot
from sigstore.verify import Verifier

from fsd.image.provenance import find_bundles, read_attestation
from fsd.release.provenance import Attestation, UnprovedAttestation
from tests.fakes.oci_registry import OciRegistry, serve
from tests.fakes.sigstore import PrivateSigstore, Signer
from tests.unit.image.test_copying import api

DIGEST = f"sha256:{'b' * 64}"
SIGNER = Signer()
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
OLD = "application/vnd.dev.sigstore.bundle+json;version=0.2"


@pytest.fixture(scope="module")
def sigstore() -> PrivateSigstore:
    return PrivateSigstore()


@pytest.fixture(scope="module")
def verifier(sigstore: PrivateSigstore, tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    return verifier_of(sigstore, tmp_path_factory.mktemp("root"))


def verifier_of(sigstore: PrivateSigstore, folder: Path) -> Verifier:
    file = folder / "trusted_root.json"
    file.write_text(sigstore.trusted_root())
    return Verifier(trusted_root=TrustedRoot.from_file(str(file)))


def test_read_attestation__signed_by_a_workflow__says_whose_and_of_which_commit(
    sigstore: PrivateSigstore, verifier: Verifier
) -> None:
    long = replace(SIGNER, workflow=f".github/workflows/{'a' * 200}.yml")

    found = read_attestation(json.dumps(sigstore.bundle(DIGEST)), DIGEST, verifier=verifier)
    longer = read_attestation(json.dumps(sigstore.bundle(DIGEST, long)), DIGEST, verifier=verifier)

    assert found == Attestation(
        issuer=SIGNER.issuer,
        repository="https://github.com/org/offers",
        commit="a" * 40,
        workflow="https://github.com/org/offers/.github/workflows/deploy.yml@refs/heads/main",
    )
    assert isinstance(longer, Attestation)
    assert longer.workflow.startswith("https://github.com/org/offers/.github/workflows/aaa")


def changed(bundle: dict[str, Any], **statement: Any) -> dict[str, Any]:
    """With another statement, and the signature of the first."""
    envelope = bundle["dsseEnvelope"]
    before = json.loads(base64.b64decode(envelope["payload"]))
    payload = base64.b64encode(json.dumps(before | statement).encode()).decode()
    return {**bundle, "dsseEnvelope": {**envelope, "payload": payload}}


def test_read_attestation__changed_or_of_others__proves_nothing(
    sigstore: PrivateSigstore, verifier: Verifier
) -> None:
    bundle, other = sigstore.bundle(DIGEST), f"sha256:{'c' * 64}"
    moved = changed(bundle, subject=[{"name": "x", "digest": {"sha256": "c" * 64}}])
    gitlab = replace(SIGNER, issuer="https://gitlab.com")
    tries = {
        json.dumps(sigstore.bundle(DIGEST, gitlab)): (DIGEST, "got https://gitlab.com"),
        json.dumps(bundle): (other, "sha256:bbbbbbbbbbbb…"),
        json.dumps(moved): (other, "Signature"),
        json.dumps(PrivateSigstore().bundle(DIGEST)): (DIGEST, ""),
        json.dumps({**bundle, "mediaType": "text/plain"}): (DIGEST, "failed to load bundle"),
        "{}": (DIGEST, ""),
        "not JSON": (DIGEST, ""),
        "[" * 100_000: (DIGEST, ""),
    }

    for text, (digest, why) in tries.items():
        found = read_attestation(text, digest, verifier=verifier)
        assert isinstance(found, UnprovedAttestation), text[:80]
        said = found.why.text if found.why else found.subjects[0]
        assert why.lower() in said.lower(), found
        assert said
        assert "\n" not in said


def test_read_attestation__of_something_else_than_the_build__is_none(
    sigstore: PrivateSigstore, verifier: Verifier
) -> None:
    sbom = sigstore.bundle(DIGEST, predicate_type="https://spdx.dev/Document/v2.3")

    assert read_attestation(json.dumps(sbom), DIGEST, verifier=verifier) is None


def damaged(bundle: dict[str, Any], old: bytes, new: bytes) -> str:
    """With other bytes in the certificate."""
    bundle = json.loads(json.dumps(bundle))
    certificate = bundle["verificationMaterial"]["certificate"]
    data = base64.b64decode(certificate["rawBytes"])
    assert old in data
    certificate["rawBytes"] = base64.b64encode(data.replace(old, new, 1)).decode()
    return json.dumps(bundle)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x2e"),  # its version
        (b"\x55\x1d\x23", b"\x55\x1d\x25"),  # an extension twice
        (b"\x2a\x86\x48\xce\x3d\x02\x01", b"\x2a\x86\x48\xce\x3d\x02\x09"),  # its key's kind
        (b"\x30", b"\x31"),
    ],
    ids=["version", "extension", "algorithm", "no certificate"],
)
def test_read_attestation__certificate_that_nobody_can_read__proves_nothing(
    sigstore: PrivateSigstore, verifier: Verifier, old: bytes, new: bytes
) -> None:
    found = read_attestation(damaged(sigstore.bundle(DIGEST), old, new), DIGEST, verifier=verifier)

    assert isinstance(found, UnprovedAttestation)
    assert found.why is not None
    assert found.why.text


def test_find_bundles__types_that_begin_alike__hide_none() -> None:
    with serve(OciRegistry()) as registry:
        digest = registry.add_image("hello", b"layer")
        named = []
        for number, kind in enumerate((*[f"{BUNDLE}.junk"] * 40, BUNDLE, OLD)):
            blob = registry.add_blob("hello", json.dumps({"n": number}).encode())
            layer = {**blob, "mediaType": kind}
            manifest = {"schemaVersion": 2, "artifactType": kind, "layers": [layer]}
            at = registry.put("hello", "application/vnd.oci.image.manifest.v1+json", manifest)
            named.append({"digest": at, "artifactType": kind})
        registry.referrers["hello", digest] = named

        found = [*find_bundles(api(registry, "hello"), digest)]

    assert found == ['{"n": 40}', '{"n": 41}']


def test_find_bundles__referrers__those_of_sigstore_alone() -> None:
    with serve(OciRegistry()) as registry:
        digest = registry.add_image("hello", b"layer")
        layer = {**registry.add_blob("hello", b'{"a": 1}'), "mediaType": BUNDLE}
        manifest = {"schemaVersion": 2, "artifactType": BUNDLE, "layers": [layer]}
        named = registry.put("hello", "application/vnd.oci.image.manifest.v1+json", manifest)
        registry.referrers["hello", digest] = [
            {"digest": named, "artifactType": BUNDLE},
            {"digest": named, "artifactType": "application/vnd.example.sbom"},
            {"digest": f"sha256:{'0' * 64}", "artifactType": BUNDLE},
        ]

        assert [*find_bundles(api(registry, "hello"), digest)] == ['{"a": 1}']
        assert [*find_bundles(api(registry, "hello"), f"sha256:{'1' * 64}")] == []
