"""`protected` and `account` hold at a terminal as in the Action, for every command that changes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import pytest

from fsd.app.border import border_of
from fsd.cli.main import run
from fsd.compile.desired import Image, Release
from fsd.compile.tags import compile_ledger
from fsd.errors import CallFailedError, ExitCode, RefusedError
from fsd.image.checkout_state import read_checkout_state
from fsd.manifest.environments import (
    EnvironmentSpec,
    ImageScan,
    Provenance,
    default_environment,
)
from fsd.release.border import (
    FORCED,
    Border,
    CheckoutState,
    check_checkout,
    check_image,
    check_rollback,
)
from fsd.release.ledger import read_history
from fsd.release.operation import Operation, ServiceRef
from fsd.release.promotion import find_gates
from fsd.release.redeploy import restart
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, PastOutcome, ReleaseInfo, Result
from fsd.release.rollback_to_version import roll_back
from fsd.release.scale import scale
from fsd.report.notes import note_texts
from tests.builders import make_target
from tests.fakes.aws import FakeAws
from tests.fakes.clock import FakeClock
from tests.unit.compile.manifests import api

PROD = Border(environment="prod", is_protected=True, branches=("main",))
OPEN = Border(environment="dev")
FED = Border(environment="prod", promote_from="dev")
SCANNED = Border(environment="prod", policies=("imageScan",))

STANDINGS = [
    (CheckoutState(branch="main", is_clean=True, where="branch main at 1234567"), True),
    (CheckoutState(branch="main", is_clean=False, where="branch main at 1234567"), False),
    (CheckoutState(branch="", is_clean=True, where="branch feature at 1234567"), False),
    (CheckoutState(branch="", is_clean=False, where="branch feature at 1234567"), False),
    (CheckoutState(where="no commit of a git repository"), False),
]
ACTIONS = ("deploy", "restart", "scale")


@pytest.mark.parametrize(
    ("standing", "may", "action"), [(*s, action) for s, action in product(STANDINGS, ACTIONS)]
)
def test_check_standing__protected__only_from_a_clean_pushed_commit_of_its_branches(
    standing: CheckoutState, may: bool, action: str
) -> None:
    forced = check_checkout(replace(PROD, forced_by="amy@laptop"), standing, action=action)

    assert check_checkout(OPEN, standing, action=action) == ""
    if may:
        assert (check_checkout(PROD, standing, action=action), forced) == ("", "")
        return
    with pytest.raises(RefusedError) as refused:
        check_checkout(PROD, standing, action=action)
    assert refused.value.code == "environment-protected"
    assert standing.where in refused.value.what
    assert "--force" in refused.value.fix
    assert forced == f"{action} from {standing.where} by amy@laptop"


@pytest.mark.parametrize(
    ("outcome", "border"), list(product(PastOutcome, (PROD, FED, SCANNED, OPEN)))
)
def test_check_rollback__border__only_to_what_succeeded(
    outcome: PastOutcome, border: Border
) -> None:
    target = ReleaseInfo(
        version="v1", commit="", revision="web-prod:7", task_definition_arn="a", digest="",
        outcome=outcome,
    )  # fmt: skip
    forced = check_rollback(replace(border, forced_by="amy@laptop"), target)

    if border is OPEN or outcome == "succeeded":
        assert (check_rollback(border, target), forced) == ("", "")
        return
    with pytest.raises(RefusedError) as refused:
        check_rollback(border, target)
    assert refused.value.code == "environment-protected"
    assert forced == "rollback to web-prod:7 by amy@laptop"


@pytest.mark.parametrize(
    ("asked", "written", "gates"),
    [
        ("", None, ()),
        ("dev", None, ("dev",)),
        ("", "dev", ("dev",)),
        ("dev", "dev", ("dev",)),
        ("sandbox", "dev", ("dev", "sandbox")),  # a workflow's own does not replace it
        ("", "", ()),
    ],
)
def test_find_gates__workflow_and_file__both_hold(
    asked: str, written: str | None, gates: tuple[str, ...]
) -> None:
    assert find_gates(asked, written) == gates


# --- what is noted ---------------------------------------------------------------------------

REF = ServiceRef(
    service="web", environment="dev", cluster="dev", name="web-dev", stack_name="fsd-web-dev",
)  # fmt: skip


def operation(aws: FakeAws, *, border: Border = PROD, forced: str = "") -> Operation:
    return Operation(
        aws=aws.aws(), ref=REF, clock=FakeClock(), reporter=Silent(), border=border, forced=forced
    )


OPERATIONS: dict[str, Callable[[Operation], Result]] = {
    "restart": restart,
    "scale": lambda given: scale(given, 5),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation__forced__noted_in_the_ledger_before_anything_changes(name: str) -> None:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    arn = aws.ecs.definitions[0].arn

    result = OPERATIONS[name](operation(aws, forced=f"{name} by amy@laptop"))

    assert aws.ecs.calls[0] == (
        "tag_task_definition",
        {"arn": arn, "tags": {FORCED: f"{name} by amy@laptop"}},
    )
    assert f"forced: {name} by amy@laptop" in note_texts(result.notes)
    (release, *_) = read_history(aws.ecs, cluster="dev", service="web-dev")
    assert release.forced == f"{name} by amy@laptop"


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation__force_that_cannot_be_noted__changes_nothing(name: str) -> None:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    aws.ecs.fail("tag_task_definition", CallFailedError("no", where="x", fix="y"))

    with pytest.raises(CallFailedError):
        OPERATIONS[name](operation(aws, forced="x"))

    assert aws.ecs.calls == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation__nothing_forced__notes_nothing(name: str) -> None:
    aws = FakeAws()
    aws.ecs.declare_running(41)

    OPERATIONS[name](operation(aws))

    tagged = [str(given) for called, given in aws.ecs.calls if called == "tag_task_definition"]
    assert FORCED not in "".join(tagged)


def test_roll_back__protected_and_never_proved__refused_and_by_force_noted() -> None:
    aws = FakeAws()
    aws.ecs.declare_release(40)
    aws.ecs.declare_running(41)

    with pytest.raises(RefusedError) as refused:
        roll_back(operation(aws), "v40")
    assert aws.ecs.calls == []

    result = roll_back(operation(aws, border=replace(PROD, forced_by="amy@laptop")), "v40")

    assert refused.value.code == "environment-protected"
    assert result.outcome is Outcome.SUCCEEDED
    assert aws.ecs.calls[0][0] == "tag_task_definition"
    assert "forced: rollback to web-dev:40 by amy@laptop" in note_texts(result.notes)


def test_compile_ledger__forced_deployment__the_revision_says_so() -> None:
    release = Release(version="v1", commit="a" * 40, forced="deploy from branch x by amy@laptop")

    tags = compile_ledger(
        api(), target=make_target(), image=Image(repository="r", digest="d"),
        release=release,
    )  # fmt: skip

    assert tags[FORCED] == "deploy from branch x by amy@laptop"


# --- the checkout ----------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    answer = subprocess.run(
        ["git", *settings, "-C", folder, *arguments], capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A clone of a repository whose branch main has the service."""
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / "service.yml").write_text("x")
    (origin / "README.md").write_text("x")
    (origin / ".fsd").mkdir()
    (origin / ".fsd" / "environments.yml").write_text(ENVIRONMENTS)
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "one")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(origin), str(clone))
    return clone


ENVIRONMENTS = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: prod}
spec: {protected: true, branches: [main], region: us-east-1}
"""


def _feature(clone: Path) -> None:
    git(clone, "checkout", "-q", "-b", "feature")
    git(clone, "commit", "-q", "--allow-empty", "-m", "mine")


def _pushed_feature(clone: Path) -> None:
    _feature(clone)
    git(clone, "push", "-q", "origin", "feature")


def _ahead(clone: Path) -> None:
    git(clone, "commit", "-q", "--allow-empty", "-m", "not pushed")


def _changed(clone: Path) -> None:
    (clone / "README.md").write_text("y")


def _staged(clone: Path) -> None:
    (clone / "service.yml").write_text("y")
    git(clone, "add", "-A")


def _new_file(clone: Path) -> None:
    (clone / "app.py").write_text("y")


def _renamed_to_main(clone: Path) -> None:
    """Its name is a local matter: only the remote's branches count."""
    _feature(clone)
    git(clone, "branch", "-D", "main")
    git(clone, "branch", "-m", "main")


def _other_remote(clone: Path) -> None:
    _ahead(clone)
    git(clone, "update-ref", "refs/remotes/mallory/main", "HEAD")


def _tag_called_main(clone: Path) -> None:
    _feature(clone)
    git(clone, "tag", "main")


def _branch_that_ends_so(clone: Path) -> None:
    _feature(clone)
    git(clone, "push", "-q", "origin", "feature:refs/heads/mallory/main")


def _no_git(clone: Path) -> None:
    (clone / ".git").rename(clone.parent / "gone")


def _no_remote(clone: Path) -> None:
    git(clone, "remote", "remove", "origin")


OUTSIDE = (
    _feature, _pushed_feature, _ahead, _changed, _staged, _new_file, _renamed_to_main,
    _other_remote, _tag_called_main, _branch_that_ends_so, _no_git, _no_remote,
)  # fmt: skip


def _same_commit_on_a_branch(clone: Path) -> None:
    git(clone, "checkout", "-q", "-b", "feature")


def _detached(clone: Path) -> None:
    git(clone, "checkout", "-q", "--detach")


def _behind(clone: Path) -> None:
    _ahead(clone)
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/next")
    git(clone, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(clone, "reset", "-q", "--hard", "HEAD~1")


def _as_cloned(clone: Path) -> None:
    del clone


INSIDE = (_as_cloned, _same_commit_on_a_branch, _detached, _behind)


@pytest.mark.parametrize("change", OUTSIDE)
def test_read_standing__not_what_was_pushed_to_the_branch__does_not_stand(
    service: Path, change: Callable[[Path], None]
) -> None:
    change(service)

    standing = read_checkout_state(service, ("main",))

    assert not (standing.branch and standing.is_clean), standing


@pytest.mark.parametrize("change", INSIDE)
def test_read_standing__a_commit_that_the_branch_has__stands(
    service: Path, change: Callable[[Path], None]
) -> None:
    change(service)

    standing = read_checkout_state(service, ("main",))

    assert (standing.branch, standing.is_clean) == ("main", True)
    assert read_checkout_state(service, ("release",)).branch == ""


COMMANDS = {
    "deploy": ["deploy", "--env", "prod"],
    "push": ["push", "--env", "prod"],
    "restart": ["restart", "--env", "prod", "--service", "web"],
    "scale": ["scale", "--env", "prod", "--service", "web", "--count", "3"],
    "delete": ["delete", "--env", "prod", "--service", "web", "--yes"],
    "stop": ["scale", "--env", "prod", "--service", "web", "--count", "0"],
    "promote": ["promote", "--from", "dev", "--to", "prod", "--service", "web"],
    "exec": ["exec", "--env", "prod", "--service", "web", "--", "env"],
    "run": ["run", "--env", "prod", "--service", "web", "--", "env"],
}


@pytest.mark.parametrize("name", ["deploy", "push"])
@pytest.mark.parametrize(
    "options",
    [
        ["--context", "../other"],
        ["--dockerfile", "../other/Dockerfile"],
        ["--dockerfile", "{}/other/Dockerfile"],
        ["--context", "{}/other", "--dockerfile", "Dockerfile"],
    ],
)
def test_command__built_from_another_checkout__refused(
    service: Path,
    name: str,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = service.parent / "other"
    git(service.parent, "clone", "-q", str(service.parent / "origin"), str(other))
    _feature(other)
    (other / "Dockerfile").write_text("FROM scratch")
    monkeypatch.chdir(service)

    code = run([*COMMANDS[name], *(text.format(service.parent) for text in options)])

    said = capsys.readouterr().err
    assert code == ExitCode.REFUSED
    assert "error[environment-protected]" in said
    assert ("--force" in said) == (name == "deploy")  # the other has no such option


@pytest.mark.parametrize(("name", "change"), list(product(COMMANDS, OUTSIDE)))
def test_command__protected_and_outside__refused_before_aws_is_asked(
    service: Path,
    name: str,
    change: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(service)
    monkeypatch.chdir(service)

    code = run(COMMANDS[name])

    assert code == ExitCode.REFUSED
    assert "error[environment-protected]" in capsys.readouterr().err


def test_run__another_image_in_a_protected_environment__refused_before_aws_is_asked(
    service: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(service)

    code = run(["run", "--env", "prod", "--service", "web", "--image", "evil:1", "--", "env"])

    assert code == ExitCode.REFUSED
    assert "runs only images that were deployed to it; this is evil:1" in capsys.readouterr().err


@pytest.mark.parametrize("policies", [(), ("imageScan",), ("requireProvenance",)])
@pytest.mark.parametrize("promote_from", ["", "dev"])
@pytest.mark.parametrize("is_protected", [True, False])
@pytest.mark.parametrize("forced_by", ["", "ada"])
def test_check_image__every_border__only_an_open_one_or_force_lets_it_in(
    promote_from: str, is_protected: bool, forced_by: str, policies: tuple[str, ...]
) -> None:
    border = Border(
        environment="prod",
        is_protected=is_protected,
        promote_from=promote_from,
        policies=policies,
        branches=("main",),
        forced_by=forced_by,
    )
    is_border = is_protected or bool(promote_from) or bool(policies)

    assert check_image(border, "") == ""
    if is_border and not forced_by:
        with pytest.raises(RefusedError, match="only images that were deployed to it"):
            check_image(border, "evil:1")
    else:
        assert check_image(border, "evil:1") == ("run evil:1 by ada" if is_border else "")


@pytest.mark.parametrize(
    ("key", "policy"),
    [("imageScan", "{block: high}"), ("requireProvenance", "{repository: org/offers}")],
)
def test_run__another_image_where_a_policy_judges_images__refused_before_aws_is_asked(
    key: str,
    policy: str,
    service: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(service)
    (service / ".fsd/environments.yml").write_text(
        "apiVersion: fsd/v1\nkind: Environment\nmetadata: {name: prod}\n"
        f"spec:\n  region: us-east-1\n  {key}: {policy}\n"
    )

    code = run(["run", "--env", "prod", "--service", "web", "--image", "evil:1", "--", "env"])

    said = capsys.readouterr().err
    assert code == ExitCode.REFUSED, said
    assert f"prod is under {key} and runs only images that were deployed to it" in said


# The keys of an environment by which no image is judged. A new key belongs here, or to the border.
JUDGES_NO_IMAGE = {
    "account", "region", "role_arn", "github_environment", "cloud_formation_role_arn",
    "permissions_boundary_arn", "cluster", "vpc", "plan_role_arn", "branches", "tags", "overrides",
}  # fmt: skip
ANY = default_environment("prod")
JUDGES = {
    "protected": replace(ANY, protected=True),
    "promote_from": replace(ANY, promote_from="dev"),
    "image_scan": replace(ANY, image_scan=ImageScan(block="high")),
    "require_provenance": replace(ANY, require_provenance=Provenance(repository="org/offers")),
}


def test_border_of__every_key_that_judges_images__is_known_to_the_border() -> None:
    reasons = {key: border_of(one, forced_by="").reason for key, one in JUDGES.items()}

    assert {one.name for one in fields(EnvironmentSpec)} == {*JUDGES, *JUDGES_NO_IMAGE}
    assert not border_of(ANY, forced_by="").reason
    assert all(reasons.values()), reasons
