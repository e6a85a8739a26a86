from __future__ import annotations

import pytest

from fsd.compile.desired import Image
from fsd.errors import RefusedError
from fsd.release.promotion import require_promotion
from tests.unit.release.test_ledger import HISTORY, release


def check(digest: str, tag: str = "") -> None:
    image = Image(repository="repo", digest=digest, tag=tag)
    require_promotion(image, HISTORY, service="web", environment="prod", source="staging")


def test_require_promotion__succeeded_there__allowed() -> None:
    check(release(43, version="v1.3.0", commit="c").digest)


def test_require_promotion__rolled_back_there__refused_with_what_runs() -> None:
    with pytest.raises(RefusedError) as error:
        check(release(44, version="v1.3.0", commit="d").digest)

    assert error.value.code == "promotion-required"
    assert "the newest that did is v1.3.0 sha256:cccccccccccc" in error.value.what


def test_require_promotion__never_seen__refused() -> None:
    with pytest.raises(RefusedError):
        check("sha256:" + "e" * 64)


def test_require_promotion__not_built_yet__refused_by_its_tag() -> None:
    with pytest.raises(RefusedError) as error:
        check("", tag="4f2c1e9")

    assert "web:4f2c1e9 has not" in error.value.what
