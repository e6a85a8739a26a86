from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from fsd.action.inputs import Inputs, Said, find_service_files, read_inputs
from fsd.action.record import OUTPUTS
from fsd.errors import UsageError
from fsd.github.runner import PREFIX, Runner
from fsd.release.concurrency.in_flight import InFlight
from fsd.release.deploy_request import OnCancel

ROOT = Path(__file__).parent.parent.parent.parent


def read(**inputs: str) -> Inputs:
    environ = {PREFIX + name.upper(): value for name, value in inputs.items()}
    return read_inputs(Runner(environ, stream=io.StringIO()))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, Inputs(in_flight=InFlight.WAIT, on_cancel=OnCancel.LEAVE, allow_older=False)),
        ({"in_flight": "supersede"}, Inputs(in_flight=InFlight.SUPERSEDE)),
        ({"in_flight": "refuse"}, Inputs(in_flight=InFlight.REFUSE)),
        ({"on_cancel": "rollback"}, Inputs(on_cancel=OnCancel.ROLLBACK)),
        ({"allow_older": "true"}, Inputs(allow_older=True)),
        ({"allow_interruption": "true"}, Inputs(allow_interruption=True)),
    ],
)
def test_read_inputs__what_a_run_does_about_others__is_read(
    words: dict[str, str], expected: Inputs
) -> None:
    assert read(**words) == expected


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("in_flight", "cancel"),
        ("in_flight", "true"),
        ("in_flight", "Wait "),
        ("on_cancel", "stop"),
        ("allow_older", "maybe"),
        ("allow_interruption", "maybe"),
    ],
)
def test_read_inputs__word_that_none_of_them_takes__is_refused(name: str, word: str) -> None:
    with pytest.raises(UsageError):
        read(**{name: word})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"role_session_name": "org@offers-7"}, Inputs(role_session_name="org@offers-7")),
        ({"role_duration": "12h"}, Inputs(role_duration=timedelta(hours=12))),
        ({"role_duration": "30m"}, Inputs(role_duration=timedelta(minutes=30))),
    ],
)
def test_read_inputs__the_roles_session__is_read(words: dict[str, str], expected: Inputs) -> None:
    assert read(**words) == expected


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("role_session_name", "a", "2 to 64"),
        ("role_session_name", "a" * 65, "2 to 64"),
        ("role_session_name", "offers deploy", "2 to 64"),
        ("role_session_name", "org/offers", "2 to 64"),
        ("role_session_name", "d\u00e9ploy", "2 to 64"),
        ("role_duration", "3600", "3600m or 3600s"),
        ("role_duration", "900s", "from 30m to 12h"),
        ("role_duration", "0m", "from 30m to 12h"),
        ("role_duration", "13h", "from 30m to 12h"),
    ],
)
def test_read_inputs__session_that_sts_does_not_give__is_refused(
    name: str, value: str, says: str
) -> None:
    with pytest.raises(UsageError) as raised:
        read(**{name: value})

    assert raised.value.where == f"input {name.replace('_', '-')}"
    assert says in raised.value.fix


def test_read_inputs__nothing__is_the_default() -> None:
    assert read() == Inputs()


def test_read_inputs__the_defaults_of_action_yml__are_the_defaults_here() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    defaults = {
        name.replace("-", "_"): str(entry["default"])
        for name, entry in action["inputs"].items()
        if name != "github-token"
    }

    assert read(**defaults) == Inputs()


def test_action_yml__every_input__has_its_variable_and_nothing_else_has() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    (step,) = action["runs"]["steps"]

    assert step["env"] == {
        PREFIX + name.upper().replace("-", "_"): f"${{{{ inputs.{name} }}}}"
        for name in action["inputs"]
    }
    assert "${{" not in step["run"]
    assert step["run"].startswith("exec ")


def test_action_yml__every_output__is_the_steps() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())

    assert set(action["outputs"]) == set(OUTPUTS)
    for name, output in action["outputs"].items():
        assert output["value"] == f"${{{{ steps.fsd.outputs.{name} }}}}"


def test_read_inputs__all_of_them__are_read() -> None:
    inputs = read(
        service_file="a/*.yml",
        environment="qa",
        branch_environments="main=live\n develop=dev, x=y",
        environments_file="envs.yml",
        role_to_assume="arn:aws:iam::1:role/x",
        role_session_name="me@run-7",
        role_duration="2h",
        aws_region="eu-west-1",
        context="svc",
        dockerfile="Dockerfile.prod",
        build_args="A=1\nB=x=y",
        build_secrets="id=npm,env=NPM",
        platforms="linux/arm64",
        cache="false",
        overrides="resources.cpu=512",
        version="v1",
        timeout="1h30m",
        rollback="false",
        comment="false",
        github_token="t",
        require_promotion_from="staging",
    )

    assert inputs == Inputs(
        service_file="a/*.yml",
        environment="qa",
        branch_environments={"main": "live", "develop": "dev", "x": "y"},
        environments_file=Path("envs.yml"),
        role_to_assume="arn:aws:iam::1:role/x",
        role_session_name="me@run-7",
        role_duration=timedelta(hours=2),
        aws_region="eu-west-1",
        context=Path("svc"),
        dockerfile=Path("Dockerfile.prod"),
        build_args={"A": "1", "B": "x=y"},
        build_secrets=("id=npm,env=NPM",),
        platform="ARM64",
        cache=False,
        overrides=("resources.cpu=512",),
        version="v1",
        timeout=timedelta(minutes=90),
        rollback=False,
        comment=False,
        github_token="t",
        require_promotion_from="staging",
    )
    assert inputs.all_overrides == ("resources.cpu=512", "platform=ARM64")


def test_read_inputs__rollback_with_a_release__is_what_to_go_back_to() -> None:
    assert read(rollback="v1.2.3") == Inputs(rollback_to="v1.2.3")
    assert read(rollback_to="v1.2.3", rollback="v1.2.3") == Inputs(rollback_to="v1.2.3")


def test_read_inputs__rollback_to__leaves_rollback_as_it_is() -> None:
    inputs = read(rollback_to="previous", rollback="false")

    assert inputs == Inputs(rollback_to="previous", rollback=False)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, Said.NOTHING),
        ({"rollback_to": "none", "rollback": "true"}, Said.NOTHING),
        ({"rollback_to": ""}, Said.EMPTY),
        ({"rollback_to": "  \n"}, Said.EMPTY),
        ({"rollback_to": "none", "rollback": ""}, Said.EMPTY),
        ({"rollback_to": "false"}, Said.NO),
        ({"rollback_to": "false", "rollback": ""}, Said.NO),
    ],
)
def test_read_inputs__no_release_to_go_back_to__says_how_it_was_left_out(
    given: dict[str, str], said: Said
) -> None:
    assert read(**given) == Inputs(rollback_said=said)


def test_read_inputs__patterns_of_branches__are_read() -> None:
    inputs = read(branch_environments="release/*=prod, !release/old=prod, main=prod, **=dev")

    assert inputs.branch_environments == {
        "release/*": "prod",
        "!release/old": "prod",
        "main": "prod",
        "**": "dev",
    }


@pytest.mark.parametrize("text", ["20", "0", "1", "1h30", "999", "٣"])
def test_read_inputs__timeout_without_a_unit__is_refused_with_both_that_it_may_mean(
    text: str,
) -> None:
    with pytest.raises(UsageError) as caught:
        read(timeout=text)

    assert caught.value.where == "input timeout"
    assert "m or " in caught.value.fix or "90s, 20m or 1h30m" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("branch_environments", "main"),
        ("branch_environments", "release/[=dev"),
        ("branch_environments", "refs/heads/main=dev"),
        ("branch_environments", "!main=dev"),
        ("branch_environments", "main=dev,main=prod"),
        ("build_args", "A"),
        ("build_args", "=x"),
        ("timeout", "soon"),
        ("timeout", "0m"),
        ("timeout", "20M"),
        ("timeout", "-5m"),
        ("timeout", "1.5h"),
        ("timeout", "20 m"),
        ("timeout", "9" * 30 + "h"),
        ("platforms", "linux/amd64,linux/arm64"),
        ("cache", "maybe"),
        ("dry_run", "no"),
    ],
)
def test_read_inputs__a_value_that_means_nothing__is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(**{name: value})

    assert caught.value.where == f"input {name.replace('_', '-')}"


@pytest.mark.parametrize(
    "inputs",
    [
        {"image": "a:1", "context": "."},
        {"image": "a:1", "dockerfile": "Dockerfile"},
        {"rollback": "v1", "dry_run": "true"},
        {"rollback_to": "previous", "dry_run": "true"},
        {"rollback": "v1", "rollback_to": "v2"},
    ],
)
def test_read_inputs__two_that_exclude_each_other__are_refused(inputs: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        read(**inputs)


def test_inputs__shown__without_the_token() -> None:
    assert "ghs_secret" not in repr(read(github_token="ghs_secret"))


def test_find_service_files__a_glob__its_files_in_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "service.yml").touch()

    assert find_service_files("*/service.yml", tmp_path) == (
        Path("a/service.yml"),
        Path("b/service.yml"),
    )


def test_find_service_files__a_path__is_itself_there_or_not(tmp_path: Path) -> None:
    assert find_service_files("service.yml", tmp_path) == (Path("service.yml"),)


@pytest.mark.parametrize("pattern", ["*.yml", "/etc/passwd", "../x.yml", "a/../../*.yml"])
def test_find_service_files__nothing_or_outside__is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(UsageError):
        find_service_files(pattern, tmp_path)
