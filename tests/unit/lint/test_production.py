"""What counts as production is the same for manifests and workflows."""

from __future__ import annotations

import pytest

from fsd.lint.production import is_production


@pytest.mark.parametrize(
    "name", ["prod", "production", "prd", "live", "prod-eu", "web_prod", "PROD"]
)
def test_is_production__named_so__is(name: str) -> None:
    assert is_production(name)


@pytest.mark.parametrize(
    "name", [None, "", "dev", "staging", "pre-prod", "preprod", "non-prod", "product", "delivery"]
)
def test_is_production__before_it_or_another__is_not(name: str | None) -> None:
    assert not is_production(name)
