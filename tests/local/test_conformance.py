"""The conformance kit on the embedded AWS: it records, compares, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from conformance.__main__ import ask_all, command
from conformance.recording import Answer, differences, read, without_names
from conformance.scenarios import Site, stacks

from tests.local.cli import Fsd
from tests.local.conftest import own_aws

REGION = "us-east-1"
RECORDED = Path(__file__).parent.parent.parent / "conformance" / "recordings" / "embedded.json"


@pytest.fixture
def fsd(tmp_path: Path) -> Iterator[Fsd]:
    with own_aws(Fsd(state=tmp_path / "state", cwd=tmp_path)) as client:
        yield client


def names_of_stacks(fsd: Fsd) -> list[str]:
    with fsd.client("cloudformation") as cloudformation:
        found = cloudformation.describe_stacks()["Stacks"]
    return [one["StackName"] for one in found if one["StackStatus"] != "DELETE_COMPLETE"]


def test_conformance__embedded_aws__answers_as_recorded_and_is_left_empty(
    fsd: Fsd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in fsd.extra.items():
        monkeypatch.setenv(name, value)
    with fsd.client("ecs") as ecs:
        ecs.create_cluster(clusterName="trial")
    before, record = names_of_stacks(fsd), tmp_path / "now.json"
    where = ["--endpoint", fsd.extra["AWS_ENDPOINT_URL"], "--region", REGION, "--cluster", "trial"]

    refused = CliRunner().invoke(command, where, input="n\n")
    ended = CliRunner().invoke(
        command, [*where, "--yes", "--record", str(record), "--compare", str(RECORDED)]
    )

    assert refused.exit_code == 1
    assert "AWS charges nothing for it" in refused.output
    assert ended.exit_code == 0, ended.output
    assert json.loads(record.read_text())["source"] == "embedded AWS"
    assert fsd.extra["AWS_ACCESS_KEY_ID"] not in record.read_text()
    assert names_of_stacks(fsd) == before


def test_conformance__interrupted__what_was_made_is_removed(fsd: Fsd) -> None:
    def interrupted(site: Site) -> Iterator[Answer]:
        yield next(stacks(site))
        raise KeyboardInterrupt

    before = names_of_stacks(fsd)
    site = Site(client=partial(_client, fsd), cluster="trial", name="conformance-0a1b2c3d")

    with pytest.raises(KeyboardInterrupt):
        ask_all(site, [interrupted])

    assert names_of_stacks(fsd) == before


def _client(fsd: Fsd, service: str) -> object:
    import boto3

    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=fsd.extra["AWS_ENDPOINT_URL"],
        aws_access_key_id=fsd.extra["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=fsd.extra["AWS_SECRET_ACCESS_KEY"],
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


def test_without_names__ids_and_names__are_replaced() -> None:
    text = "arn:aws:ecs:eu-west-1:123456789012:service/trial/conformance-0a1b2c3d-missing"

    assert without_names(text, "trial") == "arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME-missing"
    assert without_names("subnet-0a1b of trials\n", "trial") == "subnet-ID of trials"
