"""The conformance kit on the embedded AWS: it records, compares, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from click.testing import CliRunner
from conformance.__main__ import ask_all, command
from conformance.endpoint import clients
from conformance.permissions import of_role, permissions
from conformance.recording import (
    Answer,
    NameRemainsError,
    differences,
    read,
    without_names,
    write,
)
from conformance.scenarios import Left, Made, Scenario, Site, stacks
from conformance.tasks import of_service, rollout

from tests.local.cli import Fsd
from tests.local.conftest import own_aws

REGION = "us-east-1"
RECORDED = Path(__file__).parent.parent.parent / "conformance" / "recordings" / "embedded.json"


@pytest.fixture
def fsd(tmp_path: Path) -> Iterator[Fsd]:
    with own_aws(Fsd(state=tmp_path / "state", cwd=tmp_path), "--enforce-iam") as client:
        with client.client("ecs", REGION) as ecs:
            ecs.create_cluster(clusterName="trial")
        yield client


def what_is_there(fsd: Fsd) -> list[str]:
    """Stacks, roles, services and active task definitions."""
    with fsd.client("cloudformation") as cloudformation:
        stacks = cloudformation.describe_stacks()["Stacks"]
    with fsd.client("iam") as iam:
        roles = iam.list_roles()["Roles"]
    with fsd.client("ecs") as ecs:
        services = ecs.list_services(cluster="trial")["serviceArns"]
        revisions = ecs.list_task_definitions()["taskDefinitionArns"]
    names = [one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"]
    return [*names, *(one["RoleName"] for one in roles), *services, *revisions]


def test_conformance__embedded_aws__answers_as_recorded_and_is_left_empty(
    fsd: Fsd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in fsd.extra.items():
        monkeypatch.setenv(name, value)
    before, record = what_is_there(fsd), tmp_path / "now.json"
    where = where_of(fsd)

    refused = CliRunner().invoke(command, where, input="n\n")
    ended = CliRunner().invoke(
        command, [*where, "--yes", "--record", str(record), "--compare", str(RECORDED)]
    )

    assert refused.exit_code == 1
    assert "charges less than 0.05 USD" in refused.output
    assert ended.exit_code == 0, ended.output
    assert json.loads(record.read_text())["source"] == "embedded AWS"
    assert fsd.extra["AWS_ACCESS_KEY_ID"] not in record.read_text()
    assert what_is_there(fsd) == before


def where_of(fsd: Fsd) -> list[str]:
    return ["--endpoint", fsd.extra["AWS_ENDPOINT_URL"], "--region", REGION, "--cluster", "trial"]


@pytest.mark.parametrize("scenario", [stacks, permissions, rollout])
def test_conformance__interrupted__what_was_made_is_removed(fsd: Fsd, scenario: Scenario) -> None:
    made: list[str] = []

    def interrupted(site: Site) -> Iterator[Answer]:
        yield next(scenario(site))
        made.extend(what_is_there(fsd))
        raise KeyboardInterrupt

    before = what_is_there(fsd)

    with pytest.raises(KeyboardInterrupt):
        ask_all(make_site(client=partial(_client, fsd)), [interrupted])

    assert len(made) > len(before)
    assert what_is_there(fsd) == before


def test_conformance__stopped_before_anything_is_made__leaves_nothing(fsd: Fsd) -> None:
    """What is not there, since it was never made, is not a removal that failed."""
    site = make_site(client=partial(_client, fsd))
    ecs, iam = site.client("ecs"), site.client("iam")
    site.undo += [of_service(site, ecs), of_role(site, iam, "conformance-0a1b2c3d-caller")]

    assert [*site.remove_all()] == []


def test_conformance__terminated__what_was_made_is_removed(fsd: Fsd) -> None:
    """A real process gets a real SIGTERM as soon as it has made a stack."""
    before = what_is_there(fsd)
    kit = replace(fsd, module="conformance", cwd=RECORDED.parent.parent.parent)

    with kit.start(*where_of(fsd), "--yes") as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line.startswith("stacks:"):
                program.send_signal(signal.SIGTERM)
                break
        ended = program.end()

    assert line == "stacks: stack that is made: CREATE_COMPLETE\n"
    assert (ended.code, ended.err) == (1, "\nAborted!\n")
    assert what_is_there(fsd) == before


def make_site(*made: Made, client: Callable[..., object] | None = None) -> Site:
    """What was made is removed from the last to the first."""
    return Site(
        client=client or (lambda service: pytest.fail(service)),
        cluster="trial",
        name="conformance-0a1b2c3d",
        options=f"--region {REGION}",
        undo=[*made],
    )


def test_remove_all__failures_and_signals__go_on_and_list_what_is_left() -> None:
    removed: list[str] = []

    def unreachable() -> None:
        raise EndpointConnectionError(endpoint_url="https://ecs.example")

    def interrupted() -> None:
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("the signal did not end this removal")

    def between(what: str) -> None:
        removed.append(what)

    site = make_site(
        Made(what="one", command="remove one", remove=lambda: between("one")),
        Made(what="two", command="remove two", remove=unreachable),
        Made(what="three", command="remove three", remove=interrupted),
        Made(what="four", command="remove four", remove=lambda: between("four")),
    )
    before = signal.signal(signal.SIGTERM, site.interrupts)
    try:
        left = []
        for one in site.remove_all():
            left.append(one)
            signal.raise_signal(signal.SIGTERM)  # between two removals
    finally:
        signal.signal(signal.SIGTERM, before)

    assert removed == ["four", "one"]
    assert left == [
        Left(what="three", reason="interrupted", command="remove three"),
        Left(
            what="two",
            reason='Could not connect to the endpoint URL: "https://ecs.example"',
            command="remove two",
        ),
    ]


def test_remove_all__of_a_stack_that_stays__gives_its_state_and_the_command() -> None:
    class Stays:
        def delete_stack(self, **_: str) -> None:
            """Accepted."""

        def describe_stacks(self, **_: str) -> dict[str, list[dict[str, str]]]:
            return {"Stacks": [{"StackStatus": "DELETE_FAILED"}]}

        def create_stack(self, **_: object) -> None:
            raise KeyboardInterrupt

    site = make_site(client=lambda _: Stays())

    with pytest.raises(KeyboardInterrupt):
        next(stacks(site))

    assert [*site.remove_all()] == [
        Left(
            what="stack conformance-0a1b2c3d-good",
            reason="its state is DELETE_FAILED",
            command="aws cloudformation delete-stack --stack-name conformance-0a1b2c3d-good "
            f"--region {REGION}",
        )
    ]


@pytest.mark.parametrize(
    ("variable", "config", "said"),
    [
        ("AWS_ENDPOINT_URL", "", "the variable AWS_ENDPOINT_URL (http://127.0.0.1:1)"),
        ("AWS_ENDPOINT_URL_ECS", "", "the variable AWS_ENDPOINT_URL_ECS (http://127.0.0.1:1)"),
        (
            "",
            "[default]\nendpoint_url = http://127.0.0.1:2\n",
            "endpoint_url of the AWS profile (http://127.0.0.1:2)",
        ),
        (
            "",
            "[default]\nservices = ours\n[services ours]\necs =\n"
            "  endpoint_url = http://127.0.0.1:3\n",
            "ecs in the services section ours (http://127.0.0.1:3)",
        ),
    ],
    ids=["variable", "variable of a service", "profile", "services section"],
)
def test_conformance__aws_with_an_endpoint_configured__is_refused(
    variable: str, config: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "config").write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    if variable:
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    record = tmp_path / "aws.json"

    ended = CliRunner().invoke(
        command,
        ["--endpoint", "aws", "--region", REGION, "--cluster", "c", "--record", str(record)],
        input="n\n",
    )

    assert ended.exit_code == 1
    assert f"an endpoint is configured: {said}\nfix: " in ended.output
    assert "Go on" not in ended.output
    assert not record.exists()


def test_clients__of_aws__are_of_aws_whatever_is_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    made = clients(region=REGION, url=None)("ecs")

    assert made.meta.endpoint_url == f"https://ecs.{REGION}.amazonaws.com"
    made.close()


def _client(fsd: Fsd, service: str, **credentials: str) -> object:
    root = {key.lower(): fsd.extra[key] for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=fsd.extra["AWS_ENDPOINT_URL"],
        **root | credentials,
    )


def test_recording__of_the_embedded_aws__says_so() -> None:
    assert json.loads(RECORDED.read_text())["source"] == "embedded AWS"


def test_differences__another_answer_and_one_that_is_gone__a_line_each() -> None:
    one = Answer(scenario="s", question="q", said=("A",))
    other = Answer(scenario="s", question="r", said=("B", "C"))

    assert [*differences([one, other], [Answer(scenario="s", question="q", said=("Z",))])] == [
        "s: q: A became Z",
        "s: r: B → C became nothing",
    ]
    assert [*differences(read(RECORDED.read_text()), read(RECORDED.read_text()))] == []


PLANTED = {
    "account": ("x_123456789012", "x_ACCOUNT"),
    "account within a number": ("n1234567890123n", "nACCOUNTn"),
    "account with hyphens": ("account 1234-5678-9012.", "account ACCOUNT."),
    "registry": (
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web",
        "ACCOUNT.dkr.ecr.REGION.amazonaws.com/web",
    ),
    "cluster": ("trial, trials, trial_b", "CLUSTER, trials, CLUSTER_b"),
    "cluster's ARN": (
        "arn:aws:ecs:eu-west-1:123456789012:service/trial/conformance-0a1b2c3d-missing",
        "arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME-missing",
    ),
    "person": (
        "User: arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_PowerUser_ab12/"
        "jane.doe@corp.example is not authorized to perform: ecs:ListServices",
        "User: arn:aws:sts::ACCOUNT:assumed-role/PRINCIPAL is not authorized to perform: "
        "ecs:ListServices",
    ),
    "instance": ("sts::1:assumed-role/web/i-e68888 is", "sts::1:assumed-role/PRINCIPAL is"),
    "session without an ARN": ("assumed-role/web/jane, again", "assumed-role/PRINCIPAL, again"),
    "user with a path": ("arn:aws:iam::1:user/eu/jane.", "arn:aws:iam::1:user/PRINCIPAL."),
    "role without arn": (
        "aws:iam::1:role/jane_role (Service:",
        "aws:iam::1:role/PRINCIPAL (Service:",
    ),
    "boundary": ("'arn:aws-cn:iam::1:policy/b'", "'arn:aws-cn:iam::1:policy/PRINCIPAL'"),
    "email": ("by jane.doe+aws@corp.example.", "by EMAIL."),
    "service control policy": (
        "policy: arn:aws:organizations::123456789012:policy/o-a1b2c3d4e5/service_control_policy/"
        "p-1a2b3c4d",
        "policy: arn:aws:organizations::ACCOUNT:policy/ORGANIZATION/service_control_policy/POLICY",
    ),
    "unit": ("in ou-ab12-c3d4e5f6 of r-ab12", "in ORGANIZATION of ORGANIZATION"),
    "principal's ID": ("AROAEXAMPLE1234567890:jane.doe may not", "ID may not"),
    "token": (
        "Encoded authorization failure message: abc-DEF_9",
        "Encoded authorization failure message: TOKEN",
    ),
    "zone": ("us-gov-west-1a us-west-2-lax-1a use1-az1", "ZONE ZONE ZONE"),
    "Regions": ("us-gov-west-1, eu-west-1", "REGION, REGION"),
    "digest": ("sha256:" + "12345678" * 8, "sha256:ID"),
    "UUID": ("0a1b2c3d-0000-1111-2222-123456789012", "UUID"),
    "network": ("subnet-0a1b of sg-0a1b\n at 10.0.1.2", "subnet-ID of sg-ID at ADDRESS"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_without_names__of_an_account__are_replaced(what: str) -> None:
    text, expected = PLANTED[what]
    replaced = without_names(text, "arn:aws:ecs:eu-west-1:123456789012:cluster/trial")

    assert replaced == expected
    assert without_names(replaced) == replaced


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("of 123456789012", "12 digits"),
        ("x1234567890123", "12 digits"),
        ("by jane@corp.example", "a name or an ID"),
        ("in eu-west-1b", "a name or an ID"),
    ],
)
def test_write__an_answer_that_names_an_account__is_refused(said: str, reason: str) -> None:
    clean = Answer(scenario="s", question="q", said=("account ACCOUNT",))

    with pytest.raises(NameRemainsError, match=f"`s: r` still has .*{reason}"):
        write(
            [clean, Answer(scenario="s", question="r", said=("A", said))],
            source="aws",
            recorded="2026-11-30",
        )
    assert read(write([clean], source="aws", recorded="2026-11-30")) == (clean,)
