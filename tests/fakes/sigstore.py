"""A Sigstore of the tests' own: an authority of certificates, their log, and a log of entries.

It signs bundles as GitHub attests an image with them, and `trusted_root` vouches for these.
https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

AT = datetime(2026, 11, 22, 14, tzinfo=UTC)
GITHUB = "https://token.actions.githubusercontent.com"
PROVENANCE = "https://slsa.dev/provenance/v1"
IN_TOTO = "application/vnd.in-toto+json"
_OIDS = "1.3.6.1.4.1.57264.1."  # https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
_SHA256 = ec.ECDSA(hashes.SHA256())


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _utf8(text: str) -> bytes:
    """DER, of up to 65,535 bytes."""
    data = text.encode()
    size = bytes([len(data)]) if len(data) < 128 else b"\x82" + struct.pack("!H", len(data))
    return b"\x0c" + size + data


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """What the certificate of a workflow's job says."""

    repository: str = "org/offers"
    commit: str = "a" * 40
    workflow: str = ".github/workflows/deploy.yml"
    ref: str = "refs/heads/main"
    issuer: str = GITHUB


SIGNER = Signer()


@dataclass(slots=True, kw_only=True)
class PrivateSigstore:
    authority: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    certificates: ec.EllipticCurvePrivateKey = field(default_factory=_key)  # their log
    entries: ec.EllipticCurvePrivateKey = field(default_factory=_key)  # their log
    root: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        self.root = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.authority.public_key())
            .serial_number(1)
            .not_valid_before(AT - timedelta(days=1))
            .not_valid_after(AT + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.authority.public_key()),
                critical=False,
            )
            .sign(self.authority, hashes.SHA256())
        )

    def trusted_root(self) -> str:
        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [_log(self.entries)],
                "ctlogs": [_log(self.certificates)],
                "certificateAuthorities": [
                    {
                        "subject": {"organization": "tests", "commonName": "tests"},
                        "uri": "https://authority.invalid",
                        "certChain": {
                            "certificates": [
                                {"rawBytes": _b64(self.root.public_bytes(Encoding.DER))}
                            ]
                        },
                        "validFor": {"start": _stamp(AT - timedelta(days=1))},
                    }
                ],
                "timestampAuthorities": [],
            }
        )

    def bundle(
        self, digest: str, signer: Signer = SIGNER, *, predicate_type: str = PROVENANCE
    ) -> dict[str, Any]:
        """Of an image, by its digest; as GitHub's API and a registry's referrers have it."""
        key = _key()
        certificate = self._certificate(key, signer)
        payload = json.dumps(_statement(digest, signer, predicate_type)).encode()
        signature = key.sign(_pae(payload), _SHA256)
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": _b64(certificate.public_bytes(Encoding.DER))},
                "tlogEntries": [self._entry(certificate, payload, signature)],
                "timestampVerificationData": {},
            },
            "dsseEnvelope": {
                "payload": _b64(payload),
                "payloadType": IN_TOTO,
                "signatures": [{"sig": _b64(signature)}],
            },
        }

    def _certificate(self, key: ec.EllipticCurvePrivateKey, signer: Signer) -> x509.Certificate:
        """Signed twice: the log of certificates has signed what it is without that signature."""
        draft = self._builder(key, signer)
        before = draft.sign(self.authority, hashes.SHA256())
        listed = x509.UnrecognizedExtension(
            ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), self._logged(before)
        )
        return draft.add_extension(listed, critical=False).sign(self.authority, hashes.SHA256())

    def _builder(self, key: ec.EllipticCurvePrivateKey, signer: Signer) -> x509.CertificateBuilder:
        repository = f"https://github.com/{signer.repository}"
        workflow = f"{repository}/{signer.workflow}@{signer.ref}"
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(AT - timedelta(minutes=1))
            .not_valid_after(AT + timedelta(minutes=9))
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(workflow)]),
                critical=True,
            )
        )
        said = {"8": signer.issuer, "9": workflow, "12": repository, "13": signer.commit}
        for number, value in said.items():
            extension = x509.UnrecognizedExtension(ObjectIdentifier(_OIDS + number), _utf8(value))
            builder = builder.add_extension(extension, critical=False)
        return builder

    def _logged(self, before: x509.Certificate) -> bytes:
        """A list of one signed timestamp. https://www.rfc-editor.org/rfc/rfc6962#section-3.2"""
        stamp = int(AT.timestamp() * 1000)
        tbs = before.tbs_certificate_bytes
        issuer = hashlib.sha256(_spki(self.authority)).digest()
        entry = issuer + struct.pack("!I", len(tbs))[1:] + tbs
        signed = struct.pack("!BBQH", 0, 0, stamp, 1) + entry + struct.pack("!H", 0)
        signature = self.certificates.sign(signed, _SHA256)
        sct = struct.pack("!B32sQH", 0, hashlib.sha256(_spki(self.certificates)).digest(), stamp, 0)
        sct += struct.pack("!BBH", 4, 3, len(signature)) + signature
        listed = struct.pack("!HH", len(sct) + 2, len(sct)) + sct
        size = bytes([len(listed)]) if len(listed) < 128 else b"\x81" + bytes([len(listed)])
        return b"\x04" + size + listed

    def _entry(
        self, certificate: x509.Certificate, payload: bytes, signature: bytes
    ) -> dict[str, Any]:
        """The only one of its log. https://github.com/sigstore/rekor/tree/main/pkg/types/dsse"""
        body = _canonical(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
                    "payloadHash": {
                        "algorithm": "sha256",
                        "value": hashlib.sha256(payload).hexdigest(),
                    },
                    "signatures": [
                        {
                            "signature": _b64(signature),
                            "verifier": _b64(certificate.public_bytes(Encoding.PEM)),
                        }
                    ],
                },
            }
        )
        id_ = hashlib.sha256(_spki(self.entries)).digest()
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"log.invalid - 1\n1\n{_b64(root)}\n"
        stamp = id_[:4] + self.entries.sign(note.encode(), _SHA256)
        at = int(AT.timestamp())
        promise = _canonical(
            {"body": _b64(body), "integratedTime": at, "logID": id_.hex(), "logIndex": 0}
        )
        return {
            "logIndex": "0",
            "logId": {"keyId": _b64(id_)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": _b64(self.entries.sign(promise, _SHA256))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 log.invalid {_b64(stamp)}\n"},
            },
            "canonicalizedBody": _b64(body),
        }


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    spki = _spki(key)
    return {
        "baseUrl": "https://log.invalid",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _b64(spki),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": _stamp(AT - timedelta(days=1))},
        },
        "logId": {"keyId": _b64(hashlib.sha256(spki).digest())},
    }


def _statement(digest: str, signer: Signer, predicate_type: str) -> dict[str, Any]:
    """https://slsa.dev/spec/v1.0/provenance"""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "registry", "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": predicate_type,
        "predicate": {"buildDefinition": {}, "runDetails": {"builder": {"id": signer.workflow}}},
    }


def _pae(payload: bytes) -> bytes:
    """https://github.com/secure-systems-lab/dsse/blob/master/protocol.md"""
    kind = IN_TOTO.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _canonical(value: dict[str, Any]) -> bytes:
    """As RFC 8785 has it, of ASCII text and whole numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
