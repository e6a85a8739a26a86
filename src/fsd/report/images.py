"""What `fsd build` and `fsd push` made."""

from __future__ import annotations

from dataclasses import dataclass

from fsd.release.notes import Note
from fsd.release.phase_facts import ImageOrigin
from fsd.report.notes import note_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReport:
    """`image` is by digest once a registry has it; before that, by the tag in the engine."""

    service: str
    environment: str
    image: str
    tag: str
    content_tag: str
    origin: ImageOrigin
    platform: str  # linux/amd64
    version: str
    commit: str = ""
    digest: str = ""
    image_id: str = ""  # of the Docker engine
    seconds: float = 0.0  # building and pushing
    notes: tuple[Note, ...] = ()


def image_text(report: ImageReport) -> str:
    """The image alone, so that a shell can take it for the next command."""
    return report.image


def image_json(report: ImageReport) -> dict[str, object]:
    """`fsd/image/v1`."""
    return {
        "schema": "fsd/image/v1",
        "service": report.service,
        "environment": report.environment,
        "image": report.image,
        "digest": report.digest,
        "imageId": report.image_id,
        "tag": report.tag,
        "contentTag": report.content_tag,
        "origin": str(report.origin),
        "durationSeconds": round(report.seconds, 3),
        "platform": report.platform,
        "version": report.version,
        "commit": report.commit,
        "notes": list(note_texts(report.notes)),
    }
