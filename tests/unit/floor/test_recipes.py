"""The recipes of docs/service-yaml.md are manifests that load and deploy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from fsd.lint.run import lint
from fsd.manifest.load import load_manifest
from tests.unit.floor.test_floor import document

PAGE = Path(__file__).parents[3] / "docs" / "service-yaml.md"
BLOCK = re.compile(r"^```yaml\n((?:kind: Job\n)?service:\n.*?)^```$", re.MULTILINE | re.DOTALL)
RECIPES = BLOCK.findall(PAGE.read_text().partition("## Recipes")[2])


@pytest.mark.parametrize(
    "recipe", RECIPES, ids=lambda text: text.partition("service:")[2].split()[0]
)
def test_recipe__service_of_a_small_manifest__loads_without_an_error(recipe: str) -> None:
    tree = yaml.safe_load(recipe)
    service = tree.pop("service")
    if "ports" in service:
        service |= {"port": None, "healthCheck": service.get("healthCheck", {"interval": 30})}
    if "logs" in service:  # short for what the small manifest has
        service |= {"observability": None}
    text = document(yaml.safe_dump(service), tree.pop("kind", "Service"))
    loaded = load_manifest(text + (yaml.safe_dump(tree) if tree else ""), path="service.yml")

    errors = [item for item in lint(loaded, "dev") if str(item.severity) == "error"]
    assert (loaded.findings, errors) == ((), [])
