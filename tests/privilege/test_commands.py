"""Every command, of every example, with the roles of `fsd bootstrap` and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.cli import Fsd
from tests.privilege.account import DEV, EXAMPLES, Site, bootstrapped, embedded_aws
from tests.privilege.commands import commands

NAMES = sorted(folder.name for folder in EXAMPLES.iterdir())
_accounts = itertools.count(333_333_333_333)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fsd]:
    with embedded_aws(tmp_path_factory.mktemp("privilege")) as found:
        yield found


@pytest.fixture
def site(cloud: Fsd, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    account = str(next(_accounts))
    name = str(request.param)
    with bootstrapped(cloud, name, folder=tmp_path / name, account=account) as found:
        yield found


@pytest.mark.parametrize("site", NAMES, indirect=True, ids=NAMES)
def test_commands__roles_of_bootstrap_alone__suffice(site: Site) -> None:
    wrong = []
    for command in commands(site):
        ended = site.workflow(command.role, command.environment).run(*command.words)
        if ended.code != command.code or command.says not in ended.text:
            wrong.append(f"fsd {' '.join(command.words)}: {ended.text}")
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("site", ["public-web"], indirect=True, ids=["public-web"])
def test_doctor__as_the_deploy_role__says_what_it_could_not_check(site: Site) -> None:
    """What only an administrator may look at is said as such, and stops nobody."""
    doctor = ("doctor", "--env", DEV, "--file", "service.yml", "--format", "json")

    ended = site.workflow("deploy").run(*doctor)

    findings = ended.json()["findings"]
    assert {(one["id"], one["severity"]) for one in findings} == {("doctor-not-seen", "info")}
    says = [one["message"].partition(": ")[0] for one in findings]
    # Its own permissions too: the deploy role may not ask for them, and nothing is said of them.
    assert "FSD could not check the deploy role" in says, ended.text
