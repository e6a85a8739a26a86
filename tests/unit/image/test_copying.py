"""A copy between two registries over real HTTP ends with the same bytes, or says why not."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fsd.errors import CallFailedError
from fsd.image.copying import ImageCopy
from fsd.image.push_retries import PushRetries
from fsd.image.registry_api import PIECE, RegistryApi
from tests.fakes.oci_registry import INDEX, MANIFEST, OciRegistry, digest_of, serve

LAYERS = (b"first layer " * 1000, b"second layer " * 200_000)
LARGE = digest_of(LAYERS[1])


@dataclass
class Two:
    source: OciRegistry
    target: OciRegistry
    digest: str

    def copy(self, *, same: bool = False) -> ImageCopy:
        target = self.source if same else self.target
        made = ImageCopy(
            source=api(self.source, "hello"),
            target=api(target, "other" if same else "hello"),
            retries=PushRetries(wait=lambda _: None, jitter=lambda: 0.0),
        )
        made.run(self.digest)
        return made


def api(registry: OciRegistry, repository: str) -> RegistryApi:
    return RegistryApi(
        endpoint=registry.endpoint,
        repository=repository,
        log_in=lambda: ("AWS", registry.password),
    )


@pytest.fixture
def two() -> Iterator[Two]:
    with serve(OciRegistry()) as source, serve(OciRegistry(password="other")) as target:
        yield Two(source=source, target=target, digest=source.add_image("hello", *LAYERS))


def is_whole(two: Two) -> bool:
    """Whether the target has every byte of the source."""
    return two.target.blobs == two.source.blobs and two.target.manifests == two.source.manifests


def test_copy__one_image__every_byte_and_the_same_digest(two: Two) -> None:
    copy = two.copy()

    assert is_whole(two)
    assert copy.sent == sum(map(len, two.source.blobs.values()))
    assert two.target.count("PATCH", "uploads") == 3


@pytest.mark.parametrize("status", [201, 204])
def test_copy__registry_takes_bytes_with_another_status__is_whole(two: Two, status: int) -> None:
    """https://github.com/aws/containers-roadmap/issues/2831 (201, ECR);
    https://github.com/pulp/pulp_container/issues/2199 (204)"""
    two.target.patch_status = status

    two.copy()

    assert is_whole(two)


def test_copy__there_already__nothing_is_sent(two: Two) -> None:
    two.copy()
    before = two.target.counts()

    again = two.copy()

    assert (again.sent, again.manifests) == (0, 0)
    assert set(two.target.counts() - before) == {"HEAD"}


FAULTS: dict[str, tuple[list[tuple[str, str, object]], list[tuple[str, str, object]]]] = {
    "source cut in mid-blob": ([("GET", LARGE, ("cut", PIECE + 17))], []),
    "source cut twice": ([("GET", LARGE, ("cut", 17)), ("GET", LARGE, ("cut", 400_000))], []),
    "source reset": ([("GET", LARGE, "reset")], []),
    "source 429": ([("GET", "manifests", 429), ("GET", LARGE, 429)], []),
    "source 503": ([("GET", "manifests", 503)], []),
    "source token expires": ([("GET", LARGE, "expire")], []),
    "source says 403 to an expired token": ([("GET", "manifests", "expired")], []),
    "target reset in an upload": ([], [("PATCH", "uploads", "reset")]),
    "target 429": ([], [("POST", "uploads", 429), ("PUT", "manifests", 429)]),
    "target 500 at the end": ([], [("PUT", "uploads", 500)]),
    "target token expires": ([], [("POST", "uploads", "expire")]),
    "target token expires in an upload": ([], [("PATCH", "uploads", "expire")]),
    "target token expires before the manifest": ([], [("PUT", "manifests", "expire")]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_copy__a_fault_that_passes__is_whole_all_the_same(two: Two, name: str) -> None:
    two.source.faults, two.target.faults = (list(faults) for faults in FAULTS[name])

    two.copy()

    assert is_whole(two)
    assert two.source.faults == two.target.faults == []


def test_copy__source_ends_in_mid_blob__goes_on_from_there(two: Two) -> None:
    two.source.faults = [("GET", LARGE, ("cut", 1_000_000))]

    copy = two.copy()

    ranges = [where for _, path, where in two.source.asked if LARGE in path and where]
    assert ranges == ["bytes=1000000-"]
    assert copy.sent == sum(map(len, two.source.blobs.values()))


def test_copy__source_without_ranges__skips_what_it_has(two: Two) -> None:
    two.source.knows_ranges = False
    two.source.faults = [("GET", LARGE, ("cut", 1_000_000))]

    two.copy()

    assert is_whole(two)


def test_copy__same_registry__mounts_and_sends_nothing(two: Two) -> None:
    copy = two.copy(same=True)

    assert (copy.sent, copy.mounted) == (0, 3)
    assert ("other", two.digest) in two.source.manifests


def test_copy__mount_refused__streams(two: Two) -> None:
    two.source.allows_mount = False

    copy = two.copy(same=True)

    assert (copy.mounted, copy.sent > 0) == (0, True)
    assert ("other", two.digest) in two.source.manifests


def test_copy__blobs_are_elsewhere__the_password_stays(two: Two) -> None:
    with serve(OciRegistry(blobs=two.source.blobs)) as s3:
        two.source.elsewhere = f"{s3.endpoint}/elsewhere"

        two.copy()

    assert is_whole(two)
    assert s3.strangers == []


def test_copy__index__with_every_platform_and_what_refers_to_it(two: Two) -> None:
    source = two.source
    arm = source.add_image("hello", b"another platform")
    children = [source.describe("hello", one) for one in (two.digest, arm)]
    two.digest = source.put("hello", INDEX, {"manifests": children})
    subject = source.describe("hello", two.digest)
    signature = source.add_image("hello", b"signature", subject=subject)
    source.referrers["hello", two.digest] = [source.describe("hello", signature)]

    copy = two.copy()

    assert is_whole(two)
    assert copy.manifests == 4


def sign(source: OciRegistry, digest: str, *contents: bytes) -> list[str]:
    """Each refers to the image."""
    subject = source.describe("hello", digest)
    made = [source.add_image("hello", content, subject=subject) for content in contents]
    source.referrers["hello", digest] = [source.describe("hello", one) for one in made]
    return made


def test_copy__what_refers_to_it_is_on_two_pages__all_of_it(two: Two) -> None:
    two.source.referrers_a_page = 1
    sign(two.source, two.digest, b"signature", b"attestation")

    copy = two.copy()

    assert is_whole(two)
    assert (copy.manifests, copy.left) == (3, [])


def test_copy__target_refuses_what_refers_to_it__the_image_is_there_and_it_is_told(
    two: Two,
) -> None:
    """As ECR does: https://github.com/aws/containers-roadmap/issues/2783"""
    first, second = sign(two.source, two.digest, b"signature", b"attestation")
    two.target.faults = [("PUT", f"manifests/{first}", 405)]

    copy = two.copy()

    assert set(two.target.manifests) == {("hello", two.digest), ("hello", second)}
    assert [(digest, "405 to take the manifest" in str(why)) for digest, why in copy.left] == [
        (first, True)
    ]


def test_copy__what_refers_to_it_cannot_be_listed__the_image_is_there_and_it_is_told(
    two: Two,
) -> None:
    two.source.faults = [("GET", "referrers", 403)]

    copy = two.copy()

    assert is_whole(two)
    assert [digest for digest, _ in copy.left] == [two.digest]


def test_copy__signature_by_a_tag_of_the_digest__goes_with_its_tag(two: Two) -> None:
    """As cosign does where a registry has no referrers API."""
    source, stem = two.source, two.digest.replace(":", "-")
    for ending in ("sig", "att", "sbom"):
        made = source.add_image("hello", ending.encode())
        source.manifests["hello", f"{stem}.{ending}"] = source.manifests["hello", made]

    copy = two.copy()
    asked = len(two.target.asked)
    again = two.copy()

    assert is_whole(two)
    assert (copy.manifests, copy.left) == (4, [])
    assert (again.manifests, again.left) == (0, [])
    assert {method for method, _, _ in two.target.asked[asked:]} <= {"GET", "HEAD"}


def test_copy__left_before__goes_when_it_is_copied_again(two: Two) -> None:
    (signature,) = sign(two.source, two.digest, b"signature")
    two.target.faults = [("PUT", f"manifests/{signature}", 405)]

    first, again = two.copy(), two.copy()

    assert [digest for digest, _ in first.left] == [signature]
    assert (again.left, is_whole(two)) == ([], True)


BROKEN: dict[str, tuple[tuple[str, str, object], str]] = {
    "other manifest": (("GET", "manifests", ("swap", b'{"layers": []}')), "has the digest sha256:"),
    "other bytes": (("GET", LARGE, ("swap", b"x" * len(LAYERS[1]))), "has other bytes"),
    "more bytes": (("GET", LARGE, ("swap", LAYERS[1] + b"x")), "is larger than it says"),
    "denied": (("GET", "manifests", 403), "403 to read the manifest"),
    "target denied": (("POST", "uploads", 403), "403 to begin an upload"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_copy__what_does_not_pass__is_said_and_no_manifest_is_left(two: Two, name: str) -> None:
    fault, says = BROKEN[name]
    (two.target if fault[0] == "POST" else two.source).faults = [fault]

    with pytest.raises(CallFailedError) as caught:
        two.copy()

    assert says in caught.value.what
    assert "secret" not in str(caught.value)
    assert two.target.manifests == {}
    two.copy()  # once it is over, the copy goes on
    assert is_whole(two)


@pytest.mark.parametrize(
    "tree",
    [
        {"layers": [{"digest": "sha256:../../etc/passwd", "size": 1}]},
        {"layers": [{"digest": "md5:" + "0" * 64, "size": 1}]},
        {"layers": [{"digest": "sha256:" + "0" * 64, "size": -1}]},
        {"layers": [{"digest": "sha256:" + "0" * 64, "size": True}]},
        {"layers": ["x"]},
    ],
    ids=["path", "algorithm", "negative", "boolean", "text"],
)
def test_copy__a_manifest_that_names_nonsense__asks_for_none_of_it(
    two: Two, tree: dict[str, Any]
) -> None:
    two.digest = two.source.put("hello", MANIFEST, tree)

    with pytest.raises(CallFailedError, match="a manifest"):
        two.copy()

    assert two.source.count("GET", "blobs") == 0


def test_copy__image_is_gone__said(two: Two) -> None:
    two.digest = digest_of(b"gone")

    with pytest.raises(CallFailedError, match="is not there any more"):
        two.copy()


def test_copy__large_layer__is_never_whole_in_memory(two: Two) -> None:
    """The source alone, as the fake target keeps what it gets."""
    content = b"0123456789abcdef" * (2 << 20)  # 32 MiB
    entry = two.source.add_blob("hello", content)
    source = api(two.source, "hello")
    hashed = hashlib.sha256()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    with source.open_blob(entry["digest"], start=0) as pieces:
        for piece in pieces:
            hashed.update(piece)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()

    assert f"sha256:{hashed.hexdigest()}" == entry["digest"]
    assert peak < 8 * PIECE
