"""Compose files as Docker Compose itself reads them: variables, `extends`, names."""

from __future__ import annotations

import pytest

from fsd.importing.compose_variables import resolve, unset_variables
from fsd.importing.files import read_files
from fsd.importing.fit import fit
from fsd.importing.reader import Imported, Loss
from fsd.importing.values import mapping


def of_compose(text: str) -> tuple[list[Imported], list[Loss]]:
    found, losses = read_files({"compose.yml": text}, pack="team", folder="shop")
    return [fit(each).imported for each in found], losses


@pytest.mark.parametrize(
    ("text", "found", "unset"),
    [
        ("a", "a", []),
        ("$$b", "$b", []),
        ("$$$${b}", "$${b}", []),
        ("${A:-1}", "1", []),
        ("${A-1}:${B:-2}", "1:2", []),
        ("${TAG:-${OTHER:-latest}}", "latest", []),
        ("x${A:-${B:-${C-c}}y}z", "xcyz", []),
        ("${A:-${B}}", "", ["B"]),
        ("${A:-$$x}", "$x", []),
        ("${A:+x}", "", []),
        ("${A:?say it}", "", ["A"]),
        ("$A/${B}", "/", ["A", "B"]),
        ('{"a": "${A:-1}"}', '{"a": "1"}', []),
        ("$(date)", "$(date)", []),
        ("${A:-1", "${A:-1", []),
        ("${1}", "${1}", []),
        ("5$", "5$", []),
    ],
)
def test_resolve__each_spelling__as_compose_reads_it(
    text: str, found: str, unset: list[str]
) -> None:
    assert resolve(text) == found
    assert [*unset_variables(text)] == unset


@pytest.mark.parametrize("text", ["${A:-" * 30 + "x" + "}" * 30, "${A:-" + "x" * 1_001 + "}"])
def test_resolve__deeper_or_longer_than_anybody_writes__stays(text: str) -> None:
    assert "$" in str(resolve(text))


VARIABLES = """services:
  web:
    image: "me/web:${TAG:-${OTHER:-latest}}"
    user: "${UID:-1000}:${GID:-1000}"
    working_dir: ${HOME_DIR:-/app}
    init: ${INIT:-true}
    read_only: ${FIXED:-false}
    cap_drop: ["${DROPPED:-ALL}"]
    ulimits: {nofile: "${FILES:-1024}"}
    labels: {team: "${TEAM:-offers}", price: "$$5"}
    stop_grace_period: ${GRACE:-40s}
    deploy: {replicas: "${REPLICAS:-3}", resources: {limits: {memory: "${MEMORY:-1g}"}}}
    command: run --name ${NAME:-a b} $$HOME
    environment: {SELF: "$$b", TAG: "${TAG:-1}"}
    healthcheck: {test: "curl -f localhost:${PORT:-80}", interval: "${EVERY:-10s}"}
"""


def test_read_compose__variables_with_defaults__in_every_key() -> None:
    (imported,), _ = of_compose(VARIABLES)

    assert imported.tree["service"] == {
        "type": "ecs",
        "image": "me/web:latest",
        "command": ["run", "--name", "a", "b", "$$HOME"],
        "environment": {"SELF": "$$b", "TAG": "1"},
        "healthCheck": {"command": "curl -f localhost:80", "interval": 10},
        "resources": {"desiredCount": 3, "cpu": 256, "memory": 1024},
        "dockerLabels": {"team": "offers", "price": "$$5"},
        "user": "1000:1000",
        "workingDirectory": "/app",
        "init": True,
        "capabilities": {"drop": ["ALL"]},
        "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 1024}],
        "stopTimeout": 40,
    }
    assert imported.losses == ()
    assert imported.notes == ()


def test_read_compose__variables_without_a_value__named_whatever_the_key() -> None:
    text = "services: {a: {image: me/a, user: '$WHO', labels: [b=$TEAM], scale: '$COUNT'}}\n"

    (imported,), _ = of_compose(text)

    assert imported.notes == ("no value in the file: WHO, TEAM, COUNT",)


def test_read_compose__dollar_that_is_no_variable__kept_and_said() -> None:
    text = "services: {a: {image: me/a, command: [sh, '$(date)'], labels: {b: 'c$'}}}\n"

    (imported,), _ = of_compose(text)

    service = mapping(imported.tree["service"])
    assert service["command"] == ["sh", "$$(date)"]
    reason = "it is no variable of compose, and kept as it is: a dollar is written `$$`"
    assert [*imported.losses] == [
        Loss(where="services.a.command[1]", value="$(date)", reason=reason),
        Loss(where="services.a.labels.b", value="c$", reason=reason),
    ]
