"""The way of a digest through environments, as each promoted release keeps it in a tag.

The other environment may be in an account that nobody who reads this one's history can open, and
its service may be deleted by then. A stage is `environment=revision=instant=who`; stages stand
from the nearest to the farthest, with a space between.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fsd.compile.tags import VALUE_LIMIT
from fsd.release.result import PromotionStage, ReleaseInfo

PROMOTED_FROM = "fsd:promoted-from"


def write_path(environment: str, release: ReleaseInfo) -> str:
    """Of a release that is promoted out of `environment`. The farthest stages are left out if they
    do not fit into a tag."""
    first = PromotionStage(
        environment=environment, revision=release.revision, at=release.at, run=release.run
    )
    written = [_write(stage) for stage in (first, *release.promoted_from)]
    while len(written) > 1 and len(" ".join(written)) > VALUE_LIMIT:
        written.pop()
    return " ".join(written)


def read_path(text: str) -> tuple[PromotionStage, ...]:
    """What `write_path` wrote; what is no stage is left out."""
    return tuple(
        PromotionStage(environment=parts[0], revision=parts[1], at=_instant(parts[2]), run=parts[3])
        for parts in (one.split("=", 3) for one in text.split())
        if len(parts) == len(PromotionStage.__dataclass_fields__)
    )


def _write(stage: PromotionStage) -> str:
    at = f"{stage.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if stage.at else ""
    return "=".join((stage.environment, stage.revision, at, "_".join(stage.run.split())))


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
