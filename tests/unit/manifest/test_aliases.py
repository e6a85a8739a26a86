"""What is written once and used twice is found where it is written."""

from __future__ import annotations

import pytest

from fsd.errors import Location
from fsd.lint.run import lint
from fsd.manifest.load import load_manifest

HEAD = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: offer-api, pack: offers, owners: ["@org/offers"]}
service:
  type: ecs
  observability: {logs: {retention: 30}}
"""
# Line 7 is the first below it.


def found(text: str, *overrides: str) -> list[tuple[str, str]]:
    loaded = load_manifest(HEAD + text, path="f.yml", overrides=overrides)
    return [
        (finding.id, str(finding.where).removeprefix("f.yml:"))
        for finding in (*loaded.findings, *lint(loaded, None))
    ]


SECRETS = """\
  secrets:
    - &db
      name: DB
      valueFrom: arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1B2c3
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "  command: [&serve 5, x]\n  entryPoint: [*serve]\n",
            [("wrong-type", "7:13"), ("wrong-type", "7:13")],
            id="a value, in both places that have it",
        ),
        pytest.param(
            "  command: &serve\n    - a\n    - 5\n  entryPoint: *serve\n",
            [("wrong-type", "9:7"), ("wrong-type", "9:7")],
            id="an item of a list that is used again",
        ),
        pytest.param(
            SECRETS + "    - <<: *db\n      name: 1st\n",
            [("wrong-value", "12:13")],
            id="beside a merge, at its own place",
        ),
        pytest.param(
            "  healthCheck: &check\n    interval: 3000\n  resources:\n    <<: *check\n",
            [("out-of-range", "8:15"), ("unknown-key", "8:5")],
            id="a merged key, at the key that is merged",
        ),
        pytest.param(
            "  healthCheck:\n    <<: [&one {interval: 1}, &two {interval: 10, timeout: 1}]\n",
            [("out-of-range", "8:26"), ("out-of-range", "8:59")],
            id="a list of merges: the first that has the key",
        ),
        pytest.param(
            SECRETS + "    - *db\n",
            [("duplicate-secret-name", "9:13")],
            id="what a rule finds",
        ),
        pytest.param(
            SECRETS.replace(":secret:", ":secret:db/") + "    - {<<: *db, name: OTHER}\n",
            [],
            id="good",
        ),
        pytest.param(
            "  environment: &all\n    A: ${NOPE}\n  healthCheck: *all\n",
            [("unknown-key", "8:5"), ("unknown-variable", "8:8")],
            id="a variable",
        ),
    ],
)
def test_load_manifest__alias_or_merge__found_where_it_is_written(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert sorted(found(text)) == sorted(expected)


def test_load_manifest__override_of_what_is_merged__there_alone() -> None:
    text = SECRETS + "    - {<<: *db, name: OTHER}\n"

    loaded = load_manifest(
        HEAD + text, path="f.yml", overrides=["secrets.1.valueFrom=arn:aws:ssm:x"]
    )

    assert loaded.manifest is not None
    first, second = loaded.manifest.service.secrets
    assert (first.value_from[:12], second.value_from) == ("arn:aws:secr", "arn:aws:ssm:x")
    assert (first.name, second.name) == ("DB", "OTHER")
    assert loaded.place(("service", "secrets", 0, "valueFrom"))[0] == Location(
        path="f.yml", line=10, column=18
    )
    where, _ = loaded.place(("service", "secrets", 1, "valueFrom"))
    assert where == "--override secrets.1.valueFrom=arn:aws:ssm:x"


def test_lint__suppression_where_it_is_written__for_every_use() -> None:
    text = SECRETS.replace("-a1B2c3\n", "  # fsd: ignore[secret-arn-partial] on purpose\n")

    assert found(text + "    - {<<: *db, name: OTHER}\n") == []
