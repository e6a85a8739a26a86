from __future__ import annotations

import pytest
import yaml

from fsd.errors import Location
from fsd.lint.run import lint
from fsd.manifest.finding import Finding
from fsd.manifest.load import Loaded, load_manifest
from fsd.manifest.models import Service
from fsd.manifest.schema import manifest_schema

MANIFEST = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: offer-api, pack: offers, owners: ["@a"]}
service:
  type: ecs
  port: 8000
  command: [serve, --fast]
  resources: {cpu: 512, memory: 1024, desiredCount: 1}
  environment: {LOG_LEVEL: DEBUG, REGION: "${AWS_REGION}"}
  networking: {loadBalancer: {}}
environments:
"""


def load(values: str, env: str = "", **more: object) -> Loaded:
    variables = {"ENV": env} if env else {}
    return load_manifest(MANIFEST + values, path="service.yml", variables=variables, **more)  # type: ignore[arg-type] # keywords


def service(values: str, env: str, **more: object) -> Service:
    loaded = load(values, env, **more)
    assert loaded.findings == ()
    assert loaded.manifest is not None
    return loaded.manifest.service


def place(finding: Finding) -> tuple[str, int, int]:
    assert isinstance(finding.where, Location)
    return finding.id, finding.where.line, finding.where.column


VALUES = """\
  prod:
    command: [serve]
    resources: {desiredCount: 3}
    environment: {LOG_LEVEL: WARNING, EXTRA: no}
    metadata: {owners: ["@b", "@c"]}
  dev: ~
"""


def test_environment__chosen__sections_merge_and_lists_are_replaced() -> None:
    found = service(VALUES, "prod")

    assert found.command == ("serve",)
    assert (found.resources.cpu, found.resources.desired) == (512, 3)
    assert found.environment == {"LOG_LEVEL": "WARNING", "REGION": "us-east-1", "EXTRA": "no"}
    assert found.networking.load_balancer is not None
    prod = load(VALUES, "prod").manifest
    assert prod is not None
    assert prod.metadata.owners == ("@b", "@c")


@pytest.mark.parametrize("env", ["", "dev", "staging"])
def test_environment__another_or_none__the_service_as_it_is(env: str) -> None:
    found = service(VALUES, env)

    assert (found.command, found.resources.desired) == (("serve", "--fast"), 1)
    assert found.environment["LOG_LEVEL"] == "DEBUG"


def test_environment__precedence__file_then_environments_file_then_option() -> None:
    values = "  prod: {resources: {desiredCount: 3, cpu: 1024, memory: 2048}}\n"

    found = service(
        values,
        "prod",
        environment_overrides={"resources.cpu": 2048, "resources.memory": 4096},
        overrides=["resources.memory=8192"],
    )

    resources = found.resources
    assert (resources.desired, resources.cpu, resources.memory) == (3, 2048, 8192)


@pytest.mark.parametrize("env", ["", "dev", "prod"])
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("  prod: {resources: {cpu: x}}\n", ("wrong-type", 12, 27)),
        ("  prod: {prot: 80}\n", ("unknown-key", 12, 10)),
        ("  prod: {service: {port: 80}}\n", ("unknown-key", 12, 10)),
        ("  prod: {metadata: {name: x}}\n", ("unknown-key", 12, 21)),
        ("  prod: {dependencies: []}\n", ("unknown-key", 12, 10)),
        ("  Prod: {port: 80}\n", ("wrong-value", 12, 3)),
        ("  prod: 5\n", ("wrong-type", 12, 3)),
        ("  prod: {command: ['${NOPE}']}\n", ("unknown-variable", 12, 21)),
    ],
)
def test_environment__mistake__found_in_its_line_whichever_is_chosen(
    values: str, said: tuple[str, int, int], env: str
) -> None:
    assert [place(finding) for finding in load(values, env).findings] == [said]


@pytest.mark.parametrize(("env", "is_found"), [("", True), ("prod", True), ("dev", False)])
def test_lint__wrong_combination_in_one_environment__at_the_line_that_wins(
    env: str, is_found: bool
) -> None:
    loaded = load("  prod: {resources: {memory: 1000}}\n", env)

    found = [place(item) for item in lint(loaded, env or None) if item.id == "fargate-size"]

    assert found == ([("fargate-size", 12, 30)] if is_found else [])


def test_lint__nothing_chosen__what_is_said_of_every_environment_is_said_once() -> None:
    loaded = load("  prod: {resources: {desiredCount: 2}}\n  dev: {stopTimeout: 5}\n")

    assert [item.id for item in lint(loaded, None)].count("health-check-missing") == 1


def test_lint__value_of_an_environment__is_not_repaired_at_the_services_key() -> None:
    loaded = load("  prod: {observability: {logs: {retention: 31}}}\n", "prod")

    (found,) = (item for item in lint(loaded, "prod") if item.id == "log-retention-value")

    assert found.edit is None


def test_environments__very_many__refused_and_not_all_checked() -> None:
    values = "".join(f"  e{number}: {{prot: 1}}\n" for number in range(60))

    ids = [finding.id for finding in load(values).findings]

    assert (ids.count("out-of-range"), ids.count("unknown-key")) == (1, 50)


@pytest.mark.parametrize(
    ("values", "is_valid"),
    [
        (VALUES, True),
        ("  prod: {deployment: {circuitBreaker: {}}}\n", True),  # the service's own has a threshold
        ("  prod: {prot: 80}\n", False),
        ("  prod: {resources: {cpu: x}}\n", False),
        ("  prod: {secrets: [{name: A}]}\n", False),
        ("  Prod: {port: 80}\n", False),
        ("  prod: {metadata: {name: x}}\n", False),
    ],
)
def test_manifest_schema__environments__takes_part_of_a_service(
    values: str, is_valid: bool
) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(manifest_schema())

    assert validator.is_valid(yaml.safe_load(MANIFEST + values)) is is_valid
