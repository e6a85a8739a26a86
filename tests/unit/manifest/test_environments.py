from __future__ import annotations

import pytest
from pydantic_core import ValidationError

from fsd.errors import Location
from fsd.manifest.environments import (
    Environment,
    Vpc,
    default_environment,
    find_document,
    load_environments,
    override_places,
)

TWO = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: dev}
spec:
  account: 123456789012
  region: eu-west-1
  vpc: {id: vpc-1, privateSubnets: [subnet-a, subnet-b]}
  branches: [staging]
  overrides:
    resources.cpu: 256
    environment.DEBUG: no
    resources: {memory: 512}
---
apiVersion: fsd/v1
kind: Environment
metadata: {name: prod}
spec: {account: "012345678901", promoteFrom: dev, protected: true}
"""


def test_load_environments__two_documents__both_by_name() -> None:
    environments, findings = load_environments(TWO, path="e.yml")

    assert findings == ()
    assert environments == {
        "dev": Environment(
            name="dev",
            account="123456789012",
            region="eu-west-1",
            vpc=Vpc(id="vpc-1", private_subnets=("subnet-a", "subnet-b")),
            branches=("staging",),
            overrides={
                "resources.cpu": "256",
                "environment.DEBUG": "no",
                "resources.memory": "512",
            },
        ),
        "prod": Environment(
            name="prod", account="012345678901", promote_from="dev", protected=True
        ),
    }


def test_load_environments__no_spec__defaults() -> None:
    text = "apiVersion: fsd/v1\nkind: Environment\nmetadata: {name: dev}\n"

    assert load_environments(text, path="e.yml") == ({"dev": Environment(name="dev")}, ())


def test_load_environments__empty__none() -> None:
    assert load_environments("# nothing\n", path="e.yml") == ({}, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWO.replace("region:", "regoin:"), ("unknown-key", 6, 3)),
        (TWO.replace("kind: Environment", "kind: Service", 1), ("wrong-value", 2, 7)),
        (TWO.replace("name: dev", "name: Dev"), ("wrong-value", 3, 18)),
        (TWO.replace("name: prod", "name: dev"), ("duplicate-environment", 16, 18)),
        (TWO.replace("promoteFrom: dev", "promoteFrom: stage"), ("unknown-environment", 17, 46)),
        (TWO.replace("123456789012", "1234"), ("wrong-value", 5, 12)),
        (TWO.replace("resources.cpu: 256", "command: [a]"), ("wrong-type", 10, 5)),
        (TWO.replace("[staging]", "[staging, 'v[']"), ("wrong-pattern", 8, 23)),
        (TWO.replace("branches: [staging]", "tags: ['!v1']"), ("wrong-pattern", 8, 10)),
        ("- a\n", ("not-an-environment", 1, 1)),
        ("a: b: c\n", ("yaml-syntax", 1, 5)),
    ],
)
def test_load_environments__mistake__a_finding_at_its_place(
    text: str, expected: tuple[str, int, int]
) -> None:
    _, findings = load_environments(text, path="e.yml")

    (finding,) = findings
    assert isinstance(finding.where, Location)
    assert (finding.id, finding.where.line, finding.where.column) == expected


def test_override_places__every_value__where_it_is_written() -> None:
    document = find_document(TWO, path="e.yml", name="dev")

    assert document is not None
    assert override_places(document) == {
        "resources.cpu": (Location(path="e.yml", line=10, column=20), 3),
        "environment.DEBUG": (Location(path="e.yml", line=11, column=24), 2),
        "resources.memory": (Location(path="e.yml", line=12, column=25), 3),
    }


def test_override_places__no_overrides__none() -> None:
    document = find_document(TWO, path="e.yml", name="prod")

    assert document is not None
    assert override_places(document) == {}


def test_find_document__unknown_name__none() -> None:
    assert find_document(TWO, path="e.yml", name="stage") is None


def test_default_environment__name__cluster_of_the_same_name() -> None:
    environment = default_environment("local")

    assert (environment.name, environment.cluster_name, environment.account) == (
        "local",
        "local",
        None,
    )


@pytest.mark.parametrize("name", ["", "Prod", "dev-", "1st", "a" * 32, "a b"])
def test_default_environment__bad_name__refused(name: str) -> None:
    with pytest.raises(ValidationError):
        default_environment(name)
