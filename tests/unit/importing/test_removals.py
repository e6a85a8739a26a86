"""What an environment of a Copilot manifest takes away from what all environments have."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsd.cli.main import run
from fsd.importing.files import read_files
from fsd.importing.fit import ImportedManifest, fit
from fsd.importing.reader import Imported, Loss
from fsd.importing.values import Value, mapping

SUBNETS = """name: api
type: Load Balanced Web Service
image: {location: "me/api:1", port: 8080}
http: {path: /}
network: {vpc: {placement: {subnets: [subnet-0123456789abcdef0]}}}
environments: {prod: {network: {vpc: {placement: private}}}}
"""
JOB = """name: api
type: Scheduled Job
image: {location: "a/b:1"}
on: {schedule: "@daily"}
nlb: {port: 80}
environments: {test: {http: {path: /}}}
"""


def fitted(text: str) -> ImportedManifest:
    (found,), _ = read_files({"manifest.yml": text}, pack="team", folder="shop")
    return fit(found)


def test_fit__environment_removes_a_list__an_empty_one_and_nothing_is_lost() -> None:
    found = fitted(SUBNETS)

    service = mapping(found.imported.tree["service"])
    prod = mapping(mapping(found.imported.tree["environments"])["prod"])
    assert mapping(service["networking"])["subnets"] == ["subnet-0123456789abcdef0"]
    assert prod == {"networking": {"subnets": [], "vpc": True}}
    assert found.imported.losses == ()
    assert found.errors == ()


def imported(environment: dict[str, Value]) -> Imported:
    service: dict[str, Value] = {
        "type": "ecs",
        "image": "a/b:1",
        "port": 80,
        "environment": {"A": "b", "B": "c"},
        "networking": {"subnets": ["subnet-0123456789abcdef0"], "vpc": True},
        "resources": {"cpu": 256, "memory": 512},
    }
    tree: dict[str, Value] = {
        "apiVersion": "fsd/v1",
        "kind": "Service",
        "metadata": {"name": "api", "pack": "team"},
        "service": service,
        "environments": {"staging": {}, "prod": environment},
    }
    return Imported(name="api", source="x", tree=tree, losses=())


@pytest.mark.parametrize(
    ("environment", "where"),
    [
        ({"environment": {"A": None}}, ["environments.prod.environment.A"]),
        (
            {"environment": None},
            ["environments.prod.environment.A", "environments.prod.environment.B"],
        ),
        ({"networking": {"vpc": None}}, ["environments.prod.networking.vpc"]),
    ],
    ids=["a key", "a section", "a flag"],
)
def test_fit__null_that_an_environment_cannot_have__is_lost_and_the_service_keeps_its_value(
    environment: dict[str, Value], where: list[str]
) -> None:
    before = imported(environment)

    found = fit(before)

    reason = "an environment cannot remove this key: it keeps the value of `service`"
    assert found.errors == ()
    assert [*found.imported.losses] == [Loss(where=each, value="", reason=reason) for each in where]
    assert found.imported.tree["service"] == before.tree["service"]


def test_fit__wrong_value_of_an_environment__goes_there_and_not_from_the_service() -> None:
    before = imported({"resources": {"cpu": 300}})

    found = fit(before)

    assert found.errors == ()
    assert [each.where for each in found.imported.losses] == ["environments.prod.resources.cpu"]
    assert found.imported.tree["service"] == before.tree["service"]


def test_import__check_of_an_import_that_removes_keys__compares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.yml").write_text(SUBNETS)

    assert run(["import", str(tmp_path), "--check"]) == 0
    assert "api in prod: 7 of 7 fields are the same\n" in capsys.readouterr().out


def test_import__job_with_what_only_services_have__every_key_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.yml").write_text(JOB)

    code = run(["import", str(tmp_path), "--check"])

    assert code == 3
    assert "api: 3 of 3 fields are the same\n" in capsys.readouterr().out
    assert fitted(JOB).errors == ()


# More wrong names than an import takes out one by one.
WRONG = "".join(f"  A {number}: x\n" for number in range(45))
TOO_MUCH = f"name: api\ntype: Backend Service\nimage: {{location: 'a/b:1'}}\nvariables:\n{WRONG}"


@pytest.mark.parametrize("option", ["--check", "--dry-run"])
def test_import__an_error_that_nothing_can_be_done_about__is_said(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.yml").write_text(TOO_MUCH)

    code = run(["import", str(tmp_path), option, "--output", str(tmp_path)])

    out, err = capsys.readouterr()
    said = [f"{each.message}; {each.fix}" for each in fitted(TOO_MUCH).errors]
    assert said
    assert code == 3
    if option == "--check":
        assert f"api: does not compare: {said[0]}\n" in out
    else:
        assert err == "".join(f" ✘ {tmp_path / 'service.yml'}: {each}\n" for each in said)


def test_import__an_error_that_nothing_can_be_done_about__written_and_not_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.yml").write_text(TOO_MUCH)

    code = run(["import", str(tmp_path), "--output", str(tmp_path)])

    assert code == 3
    assert (tmp_path / "service.yml").is_file()
    assert "✘ `A 40` is not" in capsys.readouterr().out
