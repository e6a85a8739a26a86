from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fsd.action.record import OUTPUTS
from fsd.errors import (
    CallFailedError,
    ErrorCode,
    ExitCode,
    FsdError,
    Interrupted,
    Location,
    RefusedError,
    UsageError,
)
from fsd.github.context import Checkout, PullRequest
from fsd.manifest.environments import Environment
from fsd.manifest.finding import Finding, Severity
from fsd.release.result import Outcome
from tests.unit.action.step import PUSH, Scene
from tests.unit.report.results import DIAGNOSIS, NEW, OLD, make_result

DEV = "<!-- fsd:service:dev -->"
PLAN = "<!-- fsd:service:plan -->"
PULL = replace(
    PUSH,
    event="pull_request",
    branch="",
    pull_request=PullRequest(number=9, head_sha="a" * 40, is_fork=False, base="main"),
)
FORK = replace(PULL, pull_request=PullRequest(number=9, head_sha="a" * 40, is_fork=True))
ERROR = Finding(
    id="fargate-size",
    severity=Severity.ERROR,
    where=Location(path="service.yml", line=14, column=13),
    message="cpu 1024 cannot be combined with memory 1000",
    fix="use 2048",
    width=4,
)
WARNING = replace(ERROR, id="owners-missing", severity=Severity.WARNING)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(folder=tmp_path)


def denied() -> CallFailedError:
    return CallFailedError(
        "no", where="GetCallerIdentity", fix="let it", code=ErrorCode.ACCESS_DENIED
    )


def test_run_step__push__deploys_and_every_output_says_so(scene: Scene) -> None:
    assert scene.run() == 0

    (request,) = scene.deployer.deployed
    assert (request.file, request.environment) == (Path("service.yml"), "dev")
    outputs = scene.outputs
    assert tuple(outputs) == OUTPUTS
    assert outputs["outcome"] == "succeeded"
    assert outputs["environment"] == "dev"
    assert outputs["image-digest"] == NEW.digest
    assert outputs["task-definition-arn"] == NEW.task_definition_arn
    assert outputs["previous-task-definition-arn"] == OLD.task_definition_arn
    assert outputs["comment-url"] == "https://github.com/org/offers/pull/7#1"
    assert scene.record["services"][0]["result"]["outcome"] == "succeeded"
    assert scene.record["services"][0]["commentUrl"] == outputs["comment-url"]
    assert "### ✅ service v1.3.0 is running in dev" in scene.summary
    assert scene.annotations == []


def test_run_step__push__comments_once_found_first_the_progress_then_the_end(scene: Scene) -> None:
    scene.run()

    assert scene.comments is not None
    assert scene.comments.searched == [("a" * 40, "staging")]
    progress, end = scene.comments.bodies[DEV]
    assert "⏳" in progress
    assert "✅" in end
    assert PUSH.run_url in end


def test_run_step__rolled_back__fails_with_the_cause_everywhere(scene: Scene) -> None:
    result = make_result(outcome=Outcome.ROLLED_BACK, running=OLD, diagnosis=DIAGNOSIS)
    scene.deployer.ends["service"] = result

    assert scene.run() == ExitCode.ROLLED_BACK

    assert scene.comments is not None
    assert scene.outputs["outcome"] == "rolled-back"
    for text in (scene.summary, scene.comments.last(DEV)):
        assert "health-check-failed" in text
        assert "was rolled back" in text
    (annotation,) = scene.annotations
    assert annotation.startswith("::error title=service in dev%3A rolled-back::health-check-failed")


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (denied(), "failed", 5),
        (RefusedError("in flight", where="x", fix="wait"), "refused", 4),
        (
            Interrupted(
                "stopped by SIGINT", where="x", fix="again", exit_code=ExitCode.INTERRUPTED
            ),
            "interrupted",
            130,
        ),
    ],
)
def test_run_step__error_before_the_rollout__is_an_outcome_with_all_outputs(
    scene: Scene, error: CallFailedError, outcome: str, code: int
) -> None:
    scene.deployer.ends["service"] = error

    assert scene.run() == code

    assert tuple(scene.outputs) == OUTPUTS
    assert scene.outputs["outcome"] == outcome
    assert scene.outputs["environment"] == "dev"
    assert "service was not deployed to dev" in scene.summary
    assert scene.comments is not None
    assert error.what in scene.comments.last(DEV)


def test_run_step__bug_in_the_deployment__is_raised_and_still_has_outputs(scene: Scene) -> None:
    scene.deployer.bug = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        scene.run()

    assert scene.outputs["outcome"] == "failed"


def test_run_step__comment_refused__is_one_warning_and_the_outcome_stands(scene: Scene) -> None:
    assert scene.comments is not None
    scene.comments.error = CallFailedError("GitHub answered 403", where="#7", fix="permissions")

    assert scene.run() == 0

    assert scene.outputs["outcome"] == "succeeded"
    assert scene.outputs["comment-url"] == ""
    assert scene.comments.tries == 1
    (annotation,) = scene.annotations
    assert annotation.startswith("::warning")
    assert "✅" in scene.summary


def test_run_step__signal_while_commenting_at_the_end__the_deployment_stands(scene: Scene) -> None:
    assert scene.comments is not None
    scene.comments.signal_on = "✅"

    assert scene.run() == 0

    assert scene.outputs["outcome"] == "succeeded"
    assert scene.outputs["task-definition-arn"] == NEW.task_definition_arn


def test_run_step__signal_while_commenting_the_first_of_two__does_not_start_the_second(
    scene: Scene,
) -> None:
    for name in ("a", "b"):
        (scene.folder / f"{name}.yml").touch()
    assert scene.comments is not None
    scene.comments.signal_on = "✅"

    assert scene.run(service_file="*.yml") == ExitCode.INTERRUPTED

    assert len(scene.deployer.deployed) == 1
    outcomes = [service["outcome"] for service in scene.record["services"]]
    assert outcomes == ["succeeded", "interrupted"]


def test_run_step__signal_while_commenting_progress__is_the_deployments_to_answer(
    scene: Scene,
) -> None:
    assert scene.comments is not None
    scene.comments.signal_on = "⏳"

    assert scene.run() == ExitCode.INTERRUPTED

    assert scene.outputs["outcome"] == "interrupted"
    assert "✅" not in scene.summary


def test_run_step__summary_file_broken__is_a_warning(scene: Scene) -> None:
    (scene.folder / "summary").mkdir()

    assert scene.run() == 0

    assert scene.outputs["outcome"] == "succeeded"
    assert any("GITHUB_STEP_SUMMARY" in line for line in scene.annotations)


def test_run_step__comment_false__nobody_is_asked(scene: Scene) -> None:
    scene.run(comment="false")

    assert scene.comments is not None
    assert scene.comments.searched == []
    assert scene.comments.bodies == {}


def test_run_step__no_token__deploys_without_a_comment(scene: Scene) -> None:
    scene.comments = None

    assert scene.run() == 0
    assert scene.outputs["comment-url"] == ""


def test_run_step__foreign_lines_of_a_build__are_no_commands(scene: Scene) -> None:
    scene.deployer.lines = ("::error::pwned", "##[add-mask]e", "::set-output name=outcome::x")

    scene.run()

    assert scene.annotations == []
    assert "pwned" in scene.log


def test_run_step__several_services__all_are_done_and_the_failure_is_the_outcome(
    scene: Scene,
) -> None:
    for name in ("a", "b", "c"):
        (scene.folder / f"{name}.yml").touch()
    scene.deployer.ends = {"b": denied()}

    assert scene.run(service_file="*.yml") == ExitCode.CALL_FAILED

    assert [str(request.file) for request in scene.deployer.deployed] == ["a.yml", "b.yml", "c.yml"]
    outcomes = [service["outcome"] for service in scene.record["services"]]
    assert outcomes == ["succeeded", "failed", "succeeded"]
    assert scene.outputs["outcome"] == "failed"
    assert scene.comments is not None
    assert len(scene.comments.bodies) == 3


def test_run_step__interrupted_in_the_first_of_two__does_not_start_the_second(scene: Scene) -> None:
    for name in ("a", "b"):
        (scene.folder / f"{name}.yml").touch()
    scene.deployer.ends = {"a": make_result(outcome=Outcome.INTERRUPTED)}

    assert scene.run(service_file="*.yml") == ExitCode.INTERRUPTED
    assert len(scene.deployer.deployed) == 1


def test_run_step__inputs__reach_the_deployment(scene: Scene) -> None:
    scene.run(
        environment="qa",
        aws_region="eu-west-1",
        image="a@sha256:b",
        overrides="resources.cpu=512",
        platforms="linux/arm64",
        version="v9",
        timeout="90s",
        rollback="false",
        require_promotion_from="dev",
    )

    (request,) = scene.deployer.deployed
    assert (request.environment, request.region, request.image) == (
        "qa",
        "eu-west-1",
        "a@sha256:b",
    )
    assert request.overrides == ("resources.cpu=512", "platform=ARM64")
    assert (request.version, request.timeout) == ("v9", timedelta(seconds=90))
    assert (request.rollback, request.require_promotion_from) == (False, "dev")


def test_run_step__rollback_to_a_release__rolls_back_and_deploys_nothing(scene: Scene) -> None:
    scene.context = replace(PUSH, event="workflow_dispatch")
    scene.deployer.ends["service"] = make_result(action="rollback")

    assert scene.run(rollback="v1.2.3", environment="prod") == 0

    ((request, version),) = scene.deployer.rolled_back
    assert (request.environment, version) == ("prod", "v1.2.3")
    assert scene.deployer.deployed == []
    assert "is back in prod" in scene.summary


def test_run_step__bad_input__is_refused_before_anything(scene: Scene) -> None:
    assert scene.run(timeout="soon") == ExitCode.USAGE

    assert scene.outputs["outcome"] == "refused"
    assert scene.deployer.deployed == []
    (annotation,) = scene.annotations
    assert "input timeout" in annotation


def test_run_step__manifest_with_errors__is_annotated_on_its_line_and_not_deployed(
    scene: Scene,
) -> None:
    scene.deployer.findings = (WARNING, ERROR)

    assert scene.run() == ExitCode.INVALID_MANIFEST

    assert scene.deployer.deployed == []
    assert scene.outputs["outcome"] == "refused"
    assert (
        "::error title=error[fargate-size],file=service.yml,line=14,col=13,endColumn=17::"
        "cpu 1024 cannot be combined with memory 1000%0Afix: use 2048"
    ) in scene.annotations
    assert any(line.startswith("::warning title=warning[owners") for line in scene.annotations)


def test_run_step__pull_request__plans_each_environment_in_one_comment(scene: Scene) -> None:
    scene.context = PULL
    scene.deployer.known = two_environments()
    scene.deployer.findings = (WARNING,)

    assert scene.run() == 0

    assert [request.environment for request in scene.deployer.planned] == ["dev", "prod"]
    assert scene.deployer.deployed == []
    assert scene.comments is not None
    assert scene.comments.searched == []
    body = scene.comments.last(PLAN)
    assert "plan for dev and prod" in body
    assert f"(https://github.com/org/offers/blob/{'a' * 40}/service.yml#L14)" in body
    assert scene.outputs["outcome"] == "planned"
    assert scene.outputs["environment"] == "dev,prod"
    assert scene.outputs["comment-url"] == "https://github.com/org/offers/pull/9#1"


def two_environments() -> dict[str, Environment]:
    """Both are where a merge goes."""
    return {name: Environment(name=name, branches=("main",)) for name in ("dev", "prod")}


@pytest.mark.parametrize(
    "error",
    [
        denied(),
        RefusedError("another account", where="dev", fix="x", code=ErrorCode.WRONG_ACCOUNT),
    ],
)
def test_run_step__one_plan_fails__is_a_row_beside_the_other_and_the_check_is_green(
    scene: Scene, error: FsdError
) -> None:
    scene.context = PULL
    scene.deployer.known = two_environments()
    scene.deployer.plan_errors = {"dev": error}

    assert scene.run() == 0

    assert scene.comments is not None
    body = scene.comments.last(PLAN)
    assert "**dev** — no plan" in body
    assert "**prod** — nothing to change" in body
    assert scene.outputs["outcome"] == "planned"
    assert scene.record["services"][0]["reason"] == f"no plan for dev: {error.what}"
    (annotation,) = scene.annotations
    assert annotation.startswith("::warning")


def test_run_step__plan_of_what_is_refused__warns_before_a_merge_and_fails_a_dry_run(
    scene: Scene,
) -> None:
    refusal = RefusedError(
        "dev accepts only what has succeeded in qa", where="x", fix="deploy it there with --env qa"
    )
    scene.deployer.refusals = (refusal,)

    assert scene.run(dry_run="true") == ExitCode.REFUSED
    assert scene.outputs["outcome"] == "refused"

    scene.context = PULL
    assert scene.run() == 0
    assert scene.outputs["outcome"] == "planned"
    assert scene.comments is not None
    body = scene.comments.last(PLAN)
    assert "As things stand, FSD refuses to deploy this to prod." in body
    assert "- ❌ Dev accepts only what has succeeded in qa" in body
    assert "with `environment` qa" in body
    assert scene.annotations[-1].startswith("::warning")


def test_run_step__plan_that_cannot_be_meant__is_red(scene: Scene) -> None:
    scene.context = PULL
    scene.deployer.plan_errors = {"prod": UsageError("no such key", where="x", fix="y")}

    assert scene.run() == ExitCode.USAGE


def test_run_step__dry_run_that_fails__is_red(scene: Scene) -> None:
    scene.deployer.plan_errors = {"dev": denied()}

    assert scene.run(dry_run="true") == ExitCode.CALL_FAILED


def test_run_step__a_job_for_each_environment__a_comment_for_each(scene: Scene) -> None:
    scene.context = PULL

    for env in ("dev", "prod"):
        assert scene.run(environment=env) == 0

    assert scene.comments is not None
    assert list(scene.comments.bodies) == [
        "<!-- fsd:service:plan:dev -->",
        "<!-- fsd:service:plan:prod -->",
    ]


def test_run_step__pull_request_to_a_branch_that_goes_nowhere__is_checked_only(
    scene: Scene,
) -> None:
    pull = PullRequest(number=9, head_sha="a" * 40, is_fork=False, base="feature")
    scene.context = replace(PULL, pull_request=pull)

    assert scene.run() == 0

    assert scene.deployer.planned == []
    assert scene.comments is not None
    assert "service: checked" in scene.comments.last(PLAN)
    assert "feature deploys nowhere" in "".join(scene.annotations)


def test_run_step__other_commit_checked_out__deploys_with_a_warning_and_comments_where_it_is_from(
    scene: Scene,
) -> None:
    scene.checkout = Checkout(head="c" * 40)

    assert scene.run() == 0

    (annotation,) = scene.annotations
    assert annotation.startswith("::warning title=fsd%3A other-commit::service.yml: ccccccc is")
    assert scene.comments is not None
    assert scene.comments.searched == [("c" * 40, "staging")]


def test_run_step__other_commit_for_a_protected_environment__is_refused(scene: Scene) -> None:
    scene.checkout = Checkout(head="c" * 40)
    scene.deployer.known = {"prod": Environment(name="prod", branches=("staging",), protected=True)}

    assert scene.run() == ExitCode.REFUSED

    assert scene.deployer.deployed == []


def test_run_step__issue_comment__does_nothing_and_comments_nowhere(scene: Scene) -> None:
    scene.context = replace(PUSH, event="issue_comment")

    assert scene.run(environment="dev") == ExitCode.REFUSED

    assert scene.deployer.deployed == []
    assert scene.comments is not None
    assert scene.comments.searched == []


def test_run_step__rollback_to_previous__rolls_back(scene: Scene) -> None:
    scene.context = replace(PUSH, event="workflow_dispatch")

    assert scene.run(rollback_to="previous", environment="prod") == 0

    assert scene.deployer.deployed == []
    assert [version for _, version in scene.deployer.rolled_back] == ["previous"]


def test_run_step__empty_rollback_to_on_a_dispatch__deploys_nothing(scene: Scene) -> None:
    scene.context = replace(PUSH, event="workflow_dispatch")

    assert scene.run(rollback_to="", environment="prod") == ExitCode.REFUSED

    assert scene.deployer.deployed == []
    assert scene.deployer.rolled_back == []


def test_run_step__pull_request_with_a_bad_manifest__comments_the_findings(scene: Scene) -> None:
    scene.context = PULL
    scene.deployer.findings = (ERROR,)

    assert scene.run() == ExitCode.INVALID_MANIFEST

    assert scene.deployer.planned == []
    assert scene.comments is not None
    assert "fargate-size" in scene.comments.last(PLAN)


def test_run_step__forks_pull_request__validates_and_says_why_without_a_comment(
    scene: Scene,
) -> None:
    scene.context = FORK
    scene.deployer.findings = (WARNING,)

    assert scene.run() == 0

    assert scene.deployer.planned == []
    assert scene.comments is not None
    assert scene.comments.bodies == {}
    assert scene.outputs["outcome"] == "skipped"
    assert "owners-missing" in scene.summary
    assert "fork" in scene.summary


def test_run_step__forks_pull_request_with_a_bad_manifest__fails(scene: Scene) -> None:
    scene.context = FORK
    scene.deployer.findings = (ERROR,)

    assert scene.run() == ExitCode.INVALID_MANIFEST


def test_run_step__dry_run_of_a_push__plans_and_comments_nothing(scene: Scene) -> None:
    assert scene.run(dry_run="true") == 0

    assert [request.environment for request in scene.deployer.planned] == ["dev"]
    assert scene.comments is not None
    assert scene.comments.bodies == {}
    assert "plan for dev" in scene.summary


def test_run_step__branch_that_goes_nowhere__is_skipped_with_the_reason(scene: Scene) -> None:
    scene.context = replace(PUSH, branch="feature", ref="refs/heads/feature")

    assert scene.run() == 0

    assert scene.outputs["outcome"] == "skipped"
    assert "feature deploys nowhere" in scene.summary
    (annotation,) = scene.annotations
    assert annotation.startswith("::warning")
    assert scene.record["services"][0]["reason"] == "the branch feature deploys nowhere"


def test_run_step__pull_request_target__is_refused_with_the_way_out(scene: Scene) -> None:
    scene.context = replace(PULL, event="pull_request_target")

    assert scene.run() == ExitCode.REFUSED

    assert scene.deployer.planned == []
    assert scene.outputs["outcome"] == "refused"
    assert "on: pull\\_request" in scene.summary or "on: pull_request" in scene.summary


def test_run_step__environments_file__its_branches_count(scene: Scene) -> None:
    scene.deployer.known = {"eu": Environment(name="eu", branches=("staging",))}

    scene.run()

    assert scene.outputs["environment"] == "eu"


def test_run_step__image_that_is_ready__only_the_manifests_checkout_is_asked(scene: Scene) -> None:
    scene.run(image="a:1")

    assert scene.read == [scene.folder.resolve()]


@pytest.mark.parametrize(
    "inputs",
    [
        {"context": "pr"},
        {"dockerfile": "pr/Dockerfile"},
        {"environments_file": "pr/environments.yml"},
        {"environments_file": "pr/environments.yml", "image": "a:1"},
        {"service_file": "pr/service.yml"},
        {"service_file": "linked.yml"},
        {"context": "linked"},
        {"context": "a/../pr"},
    ],
)
def test_run_step__build_from_another_checkout__a_protected_environment_refuses(
    scene: Scene, inputs: dict[str, str]
) -> None:
    scene.checkouts = {"pr": Checkout(head="c" * 40)}
    (scene.folder / "pr").mkdir()
    (scene.folder / "linked").symlink_to("pr")
    (scene.folder / "linked.yml").symlink_to("pr/service.yml")
    scene.deployer.known = {"prod": Environment(name="prod", branches=("staging",), protected=True)}

    assert scene.run(**inputs) == ExitCode.REFUSED

    assert scene.deployer.deployed == []
