from __future__ import annotations

import pytest

from fsd.errors import RefusedError
from fsd.release.promotion import require_promotion
from tests.unit.release.test_ledger import HISTORY, release


def check(digest: str) -> None:
    require_promotion(digest, HISTORY, service="web", environment="prod", source="staging")


def test_require_promotion__succeeded_there__allowed() -> None:
    check(release(43, version="v1.3.0", commit="c").digest)


def test_require_promotion__rolled_back_there__refused_with_what_runs() -> None:
    with pytest.raises(RefusedError) as error:
        check(release(44, version="v1.3.0", commit="d").digest)

    assert error.value.id == "promotion-required"
    assert "staging last succeeded with sha256:cccccccccccc… (v1.3.0)" in error.value.what


def test_require_promotion__never_seen__refused() -> None:
    with pytest.raises(RefusedError):
        check("sha256:" + "e" * 64)
