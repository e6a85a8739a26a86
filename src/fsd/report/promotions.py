"""What a report says of where a release was promoted from."""

from __future__ import annotations

from datetime import UTC

from fsd.release.result import PromotionStage, ReleaseInfo
from fsd.report.words import who_text
from fsd.streams import printable


def path_text(release: ReleaseInfo) -> str:
    """`dev hello-dev:3 (2026-11-30 02:44 UTC, run 42) → here`, the farthest environment first; ""
    for a release that was not promoted."""
    stages = [_stage(stage, before=" (", after=")") for stage in reversed(release.promoted_from)]
    return " → ".join([*stages, "here"]) if stages else ""


def promoted_text(release: ReleaseInfo) -> str:
    """`Promoted from dev hello-dev:3, released 2026-11-30 02:44 UTC, run 42`; "" for a release that
    was not promoted."""
    if not release.promoted_from:
        return ""
    return f"Promoted from {_stage(release.promoted_from[0], before=', released ', after='')}"


def _stage(stage: PromotionStage, *, before: str, after: str) -> str:
    at = f"{stage.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if stage.at else ""
    facts = ", ".join(filter(None, (at, who_text(printable(stage.run)))))
    name = printable(f"{stage.environment} {stage.revision}")
    return f"{name}{before}{facts}{after}" if facts else name
