from __future__ import annotations

import pytest

from fsd.errors import Location
from fsd.manifest.environments import find_document
from fsd.manifest.load import Loaded, load_manifest
from fsd.manifest.models import Service
from tests.unit.manifest.manifests import SMALL, manifest

SECRETS = manifest("""
    secrets:
      - {name: A, valueFrom: a}
      - {name: B, valueFrom: b}
""")


def load(*overrides: str, text: str = SMALL, **environment: str) -> Loaded:
    return load_manifest(
        text, path="service.yml", overrides=overrides, environment_overrides=environment
    )


def service(*overrides: str, text: str = SMALL) -> Service:
    loaded = load(*overrides, text=text)
    assert loaded.findings == ()
    assert loaded.manifest is not None
    return loaded.manifest.service


def the_finding(*overrides: str, text: str = SMALL) -> tuple[str, str, str, str]:
    loaded = load(*overrides, text=text)
    (finding,) = loaded.findings
    assert loaded.manifest is None
    return finding.id, str(finding.where), finding.message, finding.fix


def test_override__path_below_service__typed_like_the_field() -> None:
    found = service("resources.cpu=2048", "service.resources.memory=4096", "networking.vpc=false")

    assert (found.resources.cpu, found.resources.memory) == (2048, 4096)
    assert found.networking.vpc is False


def test_override__metadata__from_the_top() -> None:
    loaded = load("metadata.name=other", "environment.NAME=${SERVICE}")

    assert loaded.manifest is not None
    assert loaded.manifest.metadata.name == "other"
    assert loaded.manifest.service.environment == {"NAME": "other"}


def test_override__environment_variable__taken_as_text() -> None:
    found = service("environment.A=no", "environment.B=0512", "environment.C=a=b")

    assert found.environment == {"A": "no", "B": "0512", "C": "a=b"}


@pytest.mark.parametrize("path", ["secrets.1.name", "secrets[1].name", "service.secrets[1].name"])
def test_override__item_of_a_list__that_item(path: str) -> None:
    assert [secret.name for secret in service(f"{path}=X", text=SECRETS).secrets] == ["A", "X"]


def test_override__dependency__by_index() -> None:
    text = manifest(
        dependencies="- {type: aws_sqs_queue, name: q, permissions: ['sqs:SendMessage']}"
    )

    loaded = load("dependencies[0].name=other", text=text)

    assert loaded.manifest is not None
    assert loaded.manifest.dependencies[0].name == "other"


def test_override__list_and_section__one_line_of_yaml() -> None:
    found = service('command=["python", "-m", app]', "networking.loadBalancer={internal: false}")

    assert found.command == ("python", "-m", "app")
    assert found.networking.load_balancer is not None
    assert found.networking.load_balancer.internal is False


def test_override__null__removes_an_optional_key() -> None:
    assert service("port=null", text=manifest("port: 8000")).port is None


def test_override__later_one__wins_over_earlier_environment_and_file() -> None:
    text = manifest("resources: {cpu: 256, memory: 512}")

    loaded = load(
        "resources.cpu=1024",
        "resources.cpu=2048",
        text=text,
        **{"resources.cpu": "512", "resources.memory": "4096"},
    )

    assert loaded.manifest is not None
    resources = loaded.manifest.service.resources
    assert (resources.cpu, resources.memory) == (2048, 4096)


@pytest.mark.parametrize(
    ("override", "id_", "message", "fix"),
    [
        (
            "resources.cpu=abc",
            "wrong-type",
            "`service.resources.cpu` is `abc`, not a whole number",
            "write a whole number (CPU units, 1024 is one vCPU)",
        ),
        (
            "port=99999",
            "out-of-range",
            "`service.port` is 99999, which is out of range",
            "use a value from 1 to 65535 (the container's port)",
        ),
        (
            "resources.cpus=1",
            "override-unknown-path",
            "there is no `resources.cpus` in a Service YAML",
            "use `service.resources.cpu`: in CPU units, 1024 is one vCPU",
        ),
        (
            "resource.cpu=512",
            "override-unknown-path",
            "there is no `resource.cpu` in a Service YAML",
            "did you mean `resources.cpu`?",
        ),
        (
            "service.resource.memoy=512",
            "override-unknown-path",
            "there is no `service.resource.memoy` in a Service YAML",
            "did you mean `service.resources.memory`?",
        ),
        (
            "command=",
            "override-malformed",
            "the override has no value",
            'write the value as YAML on one line: `["a", "b"]` or `{key: value}`',
        ),
        (
            "memory=1",
            "override-unknown-path",
            "there is no `memory` in a Service YAML",
            "did you mean `service.resources.memory`?",
        ),
        (
            "resources.cpu",
            "override-malformed",
            "`resources.cpu` has no `=`",
            "write `--override resources.cpu=VALUE`",
        ),
        (
            "resources..cpu=1",
            "override-malformed",
            "`resources..cpu` is not a path",
            "write keys with dots between them, `resources.cpu`, and `[0]` for an item of a list",
        ),
        (
            "command=[a",
            "override-malformed",
            "`[a` is not a list",
            'write the value as YAML on one line: `["a", "b"]` or `{key: value}`',
        ),
        (
            "secrets[2].name=X",
            "override-unknown-path",
            "there is no item 2 for `secrets[2].name`; the list has 2 items",
            "items count from 0; set the whole list to add one",
        ),
        (
            "environment.A=${NOPE}",
            "unknown-variable",
            "there is no variable `${NOPE}`",
            "known: ${ENV}, ${AWS_REGION}, ${AWS_ACCOUNT_ID}, ${SERVICE}, ${VERSION}, ${COMMIT}; "
            "`$$` is a dollar",
        ),
    ],
)
def test_override__mistake__points_at_the_override(
    override: str, id_: str, message: str, fix: str
) -> None:
    assert the_finding(override, text=SECRETS) == (id_, f"--override {override}", message, fix)


def test_override__of_the_environment__named_as_such() -> None:
    (finding,) = load(**{"resources.cpu": "x"}).findings

    assert finding.where == "the environment's override resources.cpu"


@pytest.mark.parametrize(
    ("path", "id_", "column"),
    [("resources.cpu", "wrong-type", 20), ("resources.cpus", "override-unknown-path", 21)],
)
def test_override__of_the_environments_file__points_into_it(
    path: str, id_: str, column: int
) -> None:
    text = f"metadata: {{name: dev}}\nspec:\n  overrides:\n    {path}: x\n"

    (finding,) = load_manifest(
        SMALL,
        path="service.yml",
        environment_overrides={path: "x"},
        environment_document=find_document(text, path="e.yml", name="dev"),
    ).findings

    assert (finding.id, finding.where) == (id_, Location(path="e.yml", line=4, column=column))
