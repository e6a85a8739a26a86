"""Compose files as Docker Compose itself reads them: variables, `extends`, names."""

from __future__ import annotations

import pytest

from fsd.importing.compose_extends import extended
from fsd.importing.compose_variables import resolve, unset_variables
from fsd.importing.files import read_files
from fsd.importing.fit import fit
from fsd.importing.reader import Imported, Loss
from fsd.importing.values import Value, mapping, read_values


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
        ("{{{ ${A:-x} ${B:-y} }}}", "{{{ x y }}}", []),
        ("${A:-${B:-x}_data}", "x_data", []),
        ("${A:+${A},}b", "b", []),
        ("${A:-${B:?no version}}", "", ["B"]),
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


EXTENDS = """services:
  base:
    build: {context: ./app, args: [A=1, B=2]}
    command: run base
    environment: {A: "1", B: "2", C: "3"}
    ports: ["8000:8000"]
    env_file: base.env
    labels: [team=offers, tier=web]
    sysctls: {net.a: 1}
    cap_drop: [ALL]
    ulimits: {nofile: 1024, nproc: {soft: 1, hard: 2}}
    healthcheck: {test: [CMD, old, -v], interval: 10s, retries: 4}
    deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 1g}}}
    stop_grace_period: 30s
  web:
    extends: {file: ./compose.yml, service: base}
    build: {args: {B: "3", D: "4"}}
    command: run web
    environment: [C=4, D=5, B]
    ports: ["8000:8000", "9000:9000"]
    env_file: [web.env]
    labels: {tier: front}
    sysctls: [net.b=2]
    cap_drop: [ALL, NET_RAW]
    ulimits: {nproc: {hard: 9}, core: 0}
    healthcheck: {test: [CMD, new], interval: 20s}
    deploy: {resources: {limits: {memory: 2g}}}
  worker: {extends: web, ports: null, command: run worker, init: true}
"""


def test_read_compose__extends__sections_merged_and_lists_joined() -> None:
    (_, web, worker), _ = of_compose(EXTENDS)

    service = mapping(web.tree["service"])
    assert service == {
        "type": "ecs",
        "build": {
            "context": "app",
            "dockerfile": "app/Dockerfile",
            "args": {"A": "1", "B": "3", "D": "4"},
        },
        "command": ["run", "web"],
        "ports": [{"port": 8000}, {"port": 9000, "protocol": "tcp"}],
        "environment": {"A": "1", "B": "2", "C": "4", "D": "5"},
        "healthCheck": {"command": ["new"], "interval": 20, "unhealthyThreshold": 4},
        "resources": {"desiredCount": 2, "cpu": 512, "memory": 2048},
        "dockerLabels": {"team": "offers", "tier": "front"},
        "capabilities": {"drop": ["ALL", "NET_RAW"]},
        "ulimits": [
            {"name": "nofile", "softLimit": 1024, "hardLimit": 1024},
            {"name": "nproc", "softLimit": 1, "hardLimit": 9},
            {"name": "core", "softLimit": 0, "hardLimit": 0},
        ],
        "systemControls": [
            {"namespace": "net.a", "value": "1"},
            {"namespace": "net.b", "value": "2"},
        ],
        "stopTimeout": 30,
        "networking": {"loadBalancer": {"internal": True}, "connect": {"name": "web"}},
    }
    assert [loss.value for loss in web.losses] == ["base.env", "web.env"]
    other = mapping(worker.tree["service"])
    assert other["command"] == ["run", "worker"]
    assert other["init"] is True
    assert other["environment"] == service["environment"]
    assert other["ports"] == service["ports"]


@pytest.mark.parametrize(
    ("base", "own", "found"),
    [
        ("build: ./a", "build: {dockerfile: D}", {"build": {"context": "./a", "dockerfile": "D"}}),
        ("depends_on: [a]", "depends_on: {b: {condition: c}}",
         {"depends_on": {"a": None, "b": {"condition": "c"}}}),
        ("dns: 8.8.8.8", "dns: [1.1.1.1]", {"dns": ["8.8.8.8", "1.1.1.1"]}),
        ("ulimits: {a: 1}", "ulimits: {a: {soft: 1, hard: 2}}",
         {"ulimits": {"a": {"soft": 1, "hard": 2}}}),
        ("volumes: [./a:/a]", "volumes: [./b:/b]", {"volumes": ["./a:/a", "./b:/b"]}),
        ("extends: {file: other.yml, service: x}", "image: y",
         {"extends": {"file": "other.yml", "service": "x"}, "image": "y"}),
        ("environment: [A=1]", "environment: [[A]]", {"environment": [["A"]]}),
        ("command: null", "command: []", {"command": []}),
    ],
    ids=["build", "depends_on", "dns", "ulimit", "volumes", "other-file", "wrong", "no-command"],
)  # fmt: skip
def test_extended__each_spelling__as_docker_merges_it(base: str, own: str, found: Value) -> None:
    text = f"services:\n  a: {{{base}}}\n  b: {{extends: {{service: a}}, {own}}}\n"
    services = mapping(mapping(read_values(text, path="compose.yml")).get("services"))

    assert extended(services, path="compose.yml")["b"] == found


def test_extended__services_that_extend_each_other__each_read() -> None:
    text = "services: {a: {extends: b, image: x}, b: {extends: a, image: y}, c: {extends: c}}"
    services = mapping(mapping(read_values(text, path="compose.yml")).get("services"))

    found = extended(services, path="compose.yml")

    assert [each.get("image") for each in found.values()] == ["y", "x", None]


def test_read_compose__names_that_a_service_yaml_cannot_tell_apart__numbered() -> None:
    services = "".join(
        f"  {name}: {{image: me/a, ports: ['1']}}\n" for name in ("a-1", "a_1", "A.1")
    )

    found, _ = of_compose(f"services:\n{services}")

    named = [mapping(each.tree["metadata"])["name"] for each in found]
    assert named == ["a-1", "a-1-2", "a-1-3"] == [each.name for each in found]
    connect = mapping(mapping(found[1].tree["service"])["networking"])["connect"]
    assert connect == {"name": "a-1-2"}
    assert [each.notes for each in found[:2]] == [
        (),
        ("it is named `a-1-2`: another service is `a-1`",),
    ]


@pytest.mark.parametrize(
    ("build", "lost"),
    [
        ("'https://github.com/org/a.git#main:sub'", "build"),
        ("{context: 'git@github.com:org/a.git'}", "build.context"),
        ("github.com/org/a", "build"),
    ],
    ids=["url", "ssh", "short"],
)
def test_read_compose__built_from_a_repository__lost(build: str, lost: str) -> None:
    (imported,), _ = of_compose(f"services: {{a: {{build: {build}}}}}\n")

    assert "build" not in mapping(imported.tree["service"])
    assert [loss.where for loss in imported.losses] == [f"services.a.{lost}"]
    assert "clone the repository" in imported.losses[0].reason


def test_read_compose__step_with_settings_of_its_own__each_lost() -> None:
    text = """services:
  migrate: {image: me/a, command: migrate, user: root, init: true, working_dir: /a}
  web:
    image: me/a
    working_dir: /a
    depends_on: {migrate: {condition: service_completed_successfully}}
"""

    (web,), _ = of_compose(text)

    lost = [(loss.where, loss.value) for loss in web.losses if "migrate" in loss.where]
    assert lost == [("services.migrate, user", "root"), ("services.migrate, init", "true")]


def test_read_compose__second_document_and_second_key__said_with_their_line() -> None:
    web = "  web: {image: me/a}\n"

    _, losses = of_compose(f"services:\n{web}{web}---\nservices: {{b: {{image: me/b}}}}\n")

    assert [(loss.where.partition(":")[2], loss.reason.partition(":")[0]) for loss in losses] == [
        ("3:3", "`web` appears twice; the first is in line 2"),
        ("5:1", "another YAML document"),
    ]


def test_read_compose__platform_that_fargate_lacks__lost() -> None:
    (imported,), _ = of_compose("services: {a: {image: me/a, platform: linux/s390x}}\n")

    assert [loss.where for loss in imported.losses] == ["services.a.platform"]
