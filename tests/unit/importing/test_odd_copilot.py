"""Copilot manifests with texts that nobody expects: an answer, and both sides of a check agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fsd.cli.main import run
from fsd.importing.files import read_files
from fsd.importing.fit import fit
from fsd.importing.reader import ANY_ENVIRONMENT
from fsd.importing.values import listed, mapping

START = "name: api\ntype: Backend Service\nimage: {location: 'a/b:1'}\n"


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("""command: "echo it's"\n""", "command"),
        ("""entrypoint: "echo it's"\n""", "entrypoint"),
        ("""sidecars: {x: {image: 'a/c:1', command: "echo it's"}}\n""", "sidecars.x.command"),
    ],
)
def test_read_files__quotation_without_an_end__is_not_compared(more: str, where: str) -> None:
    (found,), _ = read_files({"manifest.yml": START + more}, pack="team", folder="shop")

    (lost,) = found.originals[ANY_ENVIRONMENT].uncompared
    assert (lost.where, lost.value) == (where, "echo it's")
    assert lost.reason == "a quotation in it has no end, and Copilot refuses it"


def test_read_files__backslash_in_names__is_a_backslash() -> None:
    names = "variables: {A: $COPILOT_ENVIRONMENT_NAME, B: $COPILOT_APPLICATION_NAME}\n"
    text = f"{START}{names}environments: {{'p\\1': {{}}}}\n"
    texts = {"copilot/api/manifest.yml": text, "copilot/.workspace": "application: 'a\\1\\g<x>'\n"}
    (found,), _ = read_files(texts, pack="team", folder="shop")

    (container,) = listed(found.originals["p\\1"].definition["containerDefinitions"])
    variables = [{"name": "A", "value": "p\\1"}, {"name": "B", "value": "a\\1\\g<x>"}]
    assert mapping(container)["environment"] == variables
    service = mapping(found.tree["service"])
    assert service["environment"] == {"A": "${ENV}", "B": "a\\1\\g<x>"}


def test_import__json_that_is_nested_too_deep__says_where_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deep = "[" * 900 + "]" * 900
    start = {"name": "api", "type": "Backend Service", "variables": {"A": 0}}
    (tmp_path / "manifest.yml").write_text(json.dumps(start).replace("0", deep))

    code = run(["import", str(tmp_path / "manifest.yml"), "--dry-run"])

    err = capsys.readouterr().err
    assert code == 2
    assert "nested more than 100 levels deep" in err
    assert "manifest.yml:1:" in err
    assert "fix: " in err


def test_read_files__patch_that_appends__leaves_the_manifest_as_it_is() -> None:
    first, second = (
        f"{{Name: {name}, SoftLimit: 1, HardLimit: 2}}" for name in ("nofile", "nproc")
    )
    text = f"""{START}taskdef_overrides:
  - {{path: 'ContainerDefinitions[0].Ulimits', value: [{first}]}}
  - {{path: 'ContainerDefinitions[0].Ulimits[-]', value: {second}}}
environments: {{prod: {{cpu: 512, memory: 1024}}}}
"""
    (found,), _ = read_files({"manifest.yml": text}, pack="team", folder="shop")

    tree = fit(found).imported.tree
    names = [mapping(each)["name"] for each in listed(mapping(tree["service"])["ulimits"])]
    assert names == ["nofile", "nproc"]
    assert mapping(tree["environments"]) == {"prod": {"resources": {"cpu": 512, "memory": 1024}}}


def test_read_files__environment_called_imported__is_one_beside_the_others() -> None:
    text = f"{START}cpu: 256\nenvironments: {{imported: {{cpu: 512}}}}\n"
    (found,), _ = read_files({"manifest.yml": text}, pack="team", folder="shop")

    sizes = [(name, each.definition["cpu"]) for name, each in found.originals.items()]
    assert sizes == [(ANY_ENVIRONMENT, 256), ("imported", 512)]
