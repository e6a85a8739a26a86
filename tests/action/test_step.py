"""action.yml's step with exactly what GitHub's runner gives it: no INPUT_*, few variables."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import Any

import pytest

from fsd.errors import ExitCode
from tests.action.conftest import World
from tests.action.workflow import ROLE, ActionStep, commit, git, head
from tests.fakes.oidc import REQUEST_TOKEN

PUSH = {"event": "push", "ref": "refs/heads/staging"}
MASKED = re.compile(r"^::add-mask::(.+)$", re.MULTILINE)


@pytest.fixture
def runtime() -> str:
    """What these tests are about does not depend on how tasks run."""
    return "process"


def pull_request(world: World, *, head_repository: str = "org/hello") -> dict[str, Any]:
    return {
        "number": 9,
        "pull_request": {
            "number": 9,
            "head": {"sha": head(world.repository), "repo": {"full_name": head_repository}},
            "base": {"ref": "main", "repo": {"full_name": "org/hello"}},
        },
    }


def test_step__push__deploys_as_the_role_by_a_token_that_nobody_sees(
    step: ActionStep, world: World
) -> None:
    ended = step.run(**PUSH, payload={}, role_to_assume=ROLE, aws_region="us-east-1")

    assert ended.code == 0, ended.log
    assert ended.outputs["outcome"] == "succeeded"
    record = ended.record()
    assert record["services"][0]["result"]["outcome"] == "succeeded"
    (claims,) = [world.issuer.verify(token) for token in world.issuer.tokens]
    assert claims["aud"] == "sts.amazonaws.com"
    masked = set(MASKED.findall(ended.log))
    assert {REQUEST_TOKEN, world.github.token, *world.issuer.tokens} <= masked
    unmasked = MASKED.sub("", ended.log) + ended.summary + str(record)
    assert not [secret for secret in masked if secret in unmasked]


def test_step__runners_own_input_variables__do_not_count(step: ActionStep) -> None:
    step.environ |= {"INPUT_ENVIRONMENT": "prod", "INPUT_DRY_RUN": "false"}

    ended = step.run(
        **PUSH, payload={}, dry_run="true", role_to_assume=ROLE, aws_region="us-east-1"
    )

    assert ended.code == 0, ended.log
    assert (ended.outputs["outcome"], ended.outputs["environment"]) == ("planned", "dev")


def test_step__job_without_id_token_permission__names_it(step: ActionStep) -> None:
    step.environ = {
        name: value for name, value in step.environ.items() if not name.startswith("ACTIONS_")
    }

    ended = step.run(**PUSH, payload={}, role_to_assume=ROLE, aws_region="us-east-1")

    assert ended.code == ExitCode.CALL_FAILED
    assert ended.outputs["outcome"] == "failed"
    assert "permissions: id-token: write" in ended.summary
    assert "::error title=fsd%3A identity-token-missing" in ended.log


def test_step__token_that_may_not_comment__deploys_with_a_warning(
    step: ActionStep, world: World
) -> None:
    world.github.add_pull(7, head(world.repository))
    world.github.refuse("POST")

    ended = step.run(**PUSH, payload={}, role_to_assume=ROLE, aws_region="us-east-1")

    assert ended.code == 0, ended.log
    assert (ended.outputs["outcome"], ended.outputs["comment-url"]) == ("succeeded", "")
    assert len(re.findall(r"^::warning", ended.log, re.MULTILINE)) == 1
    assert "pull-requests: write" in ended.log


def test_step__forks_pull_request__asks_neither_aws_nor_github(
    step: ActionStep, world: World
) -> None:
    step.environ = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "GITHUB_API_URL": "http://127.0.0.1:1",
    }

    ended = step.run(
        event="pull_request",
        ref="refs/pull/9/merge",
        payload=pull_request(world, head_repository="mallory/hello"),
        role_to_assume=ROLE,
    )

    assert ended.code == 0, ended.log
    assert ended.outputs["outcome"] == "skipped"
    assert "fork" in ended.summary


def test_step__pull_request_target__is_refused(step: ActionStep, world: World) -> None:
    ended = step.run(
        event="pull_request_target",
        ref="refs/heads/main",
        payload=pull_request(world),
        role_to_assume=ROLE,
    )

    assert ended.code == ExitCode.REFUSED
    assert ended.outputs["outcome"] == "refused"
    assert world.issuer.tokens == []


def test_step__promotion_required__only_what_succeeded_before(step: ActionStep) -> None:
    main = {"event": "push", "ref": "refs/heads/main"}
    inputs = {"role_to_assume": ROLE, "aws_region": "us-east-1"}

    early = step.run(**main, payload={}, require_promotion_from="dev", **inputs)
    staging = step.run(**PUSH, payload={}, **inputs)
    late = step.run(**main, payload={}, require_promotion_from="dev", **inputs)

    assert early.code == ExitCode.REFUSED, early.log
    assert early.outputs["outcome"] == "refused"
    assert "accepts only what has succeeded in dev" in early.summary
    assert (staging.code, late.code) == (0, 0), staging.log + late.log
    assert late.outputs["image-digest"] == staging.outputs["image-digest"]


def test_step__rollback_to_the_previous_release__an_operators_button(
    step: ActionStep, world: World
) -> None:
    inputs = {"role_to_assume": ROLE, "aws_region": "us-east-1"}
    step.run(**PUSH, payload={}, version="v1", **inputs)
    app = world.repository / "app.py"
    app.write_text(app.read_text() + "# more\n")
    commit(world.repository, "More")
    step.run(**PUSH, payload={}, version="v2", **inputs)

    ended = step.run(
        event="workflow_dispatch",
        ref="refs/heads/main",
        payload={},
        environment="dev",
        rollback_to="previous",
        **inputs,
    )

    assert ended.code == 0, ended.log
    assert ended.outputs["outcome"] == "succeeded"
    assert ended.outputs["task-definition-arn"].endswith("hello-dev:1")
    assert "hello v1 is back in dev" in ended.summary


def environments_file(**branches: str) -> str:
    """Of two accounts; prod is protected."""
    return "---\n".join(
        f"apiVersion: fsd/v1\nkind: Environment\nmetadata: {{name: {name}}}\n"
        f"spec: {{region: us-east-1, branches: {listed}, tags: ['v*'], account: '{account}', "
        f"protected: {str(name == 'prod').lower()}}}\n"
        for (name, listed), account in zip(
            branches.items(), ("000000000000", "111111111111"), strict=False
        )
    )


def write_environments(world: World, **branches: str) -> str:
    folder = world.repository / ".fsd"
    folder.mkdir()
    (folder / "environments.yml").write_text(environments_file(**branches))
    return commit(world.repository, "Where it goes")


def test_step__push_of_a_branch_by_a_pattern__deploys_to_the_protected_environment(
    step: ActionStep, world: World
) -> None:
    write_environments(world, prod="['release/*', main]")
    inputs = {"role_to_assume": ROLE, "aws_region": "us-east-1"}

    branch = step.run(event="push", ref="refs/heads/release/1.4", payload={}, **inputs)
    tag = step.run(event="push", ref="refs/tags/v1.4.0", payload={}, **inputs)
    other = step.run(event="push", ref="refs/heads/feature", payload={}, **inputs)

    assert branch.code == 0, branch.log
    assert (branch.outputs["outcome"], branch.outputs["environment"]) == ("succeeded", "prod")
    assert (tag.outputs["outcome"], tag.outputs["environment"]) == ("unchanged", "prod")
    assert (other.code, other.outputs["outcome"]) == (0, "skipped")
    assert "::warning::service.yml: nothing to do; the branch feature deploys nowhere" in other.log


def test_step__strangers_comment_with_their_code_checked_out__is_refused_and_told_nowhere(
    step: ActionStep, world: World
) -> None:
    main = head(world.repository)
    world.github.add_pull(7, main, base="main")
    (world.repository / "app.py").write_text("# a stranger's code\n")
    commit(world.repository, "Mine")
    step.environ |= {"GITHUB_SHA": main}

    ended = step.run(
        event="issue_comment",
        ref="refs/heads/main",
        payload={"action": "created", "issue": {"number": 12, "pull_request": {}}},
        environment="dev",
        role_to_assume=ROLE,
        aws_region="us-east-1",
    )

    assert ended.code == ExitCode.REFUSED
    assert ended.outputs["outcome"] == "refused"
    assert world.issuer.tokens == []
    assert (world.github.bodies(7), world.github.bodies(12)) == ([], [])


def test_step__second_checkout_as_the_context__a_protected_environment_refuses(
    step: ActionStep, world: World
) -> None:
    write_environments(world, prod="[main]")
    other = world.repository / "pr"
    git(world.repository, "clone", "--quiet", str(world.repository), str(other))
    (other / "app.py").write_text("# a stranger's code\n")
    theirs = commit(other, "Mine")

    ended = step.run(
        event="push", ref="refs/heads/main", payload={}, context="pr", role_to_assume=ROLE
    )

    assert ended.code == ExitCode.REFUSED, ended.log
    assert f"{theirs[:7]} is checked out" in ended.log


def test_step__plans_for_two_accounts__no_red_check_and_a_comment_for_each_job(
    step: ActionStep, world: World
) -> None:
    payload = pull_request(world)
    payload["pull_request"]["head"]["sha"] = write_environments(
        world, dev="[staging]", prod="[main]"
    )
    run: dict[str, Any] = {"event": "pull_request", "ref": "refs/pull/9/merge", "payload": payload}
    run |= {"role_to_assume": ROLE, "aws_region": "us-east-1"}

    both = step.run(**run)
    dev = step.run(**run, environment="dev")

    assert (both.code, both.outputs["environment"]) == (0, "prod"), both.log
    assert (dev.code, dev.outputs["outcome"]) == (0, "planned"), dev.log
    bodies = world.github.bodies(9)
    assert len(bodies) == 2
    assert "**prod** — no plan: `these credentials are of account" in bodies[0]
    assert "plan for dev" in bodies[1]


def test_step__plan_with_a_role_of_its_own__is_assumed_instead_of_the_deployments(
    step: ActionStep, world: World
) -> None:
    (world.repository / "envs.yml").write_text(
        "apiVersion: fsd/v1\nkind: Environment\nmetadata: {name: prod}\n"
        "spec: {region: us-east-1, branches: [main], account: '000000000000', "
        f"roleArn: '{ROLE}', planRoleArn: 'arn:aws:iam::222222222222:role/look'}}\n"
    )
    payload = pull_request(world)
    payload["pull_request"]["head"]["sha"] = commit(world.repository, "Where it goes")

    ended = step.run(
        event="pull_request", ref="refs/pull/9/merge", payload=payload, environments_file="envs.yml"
    )

    assert ended.code == 0, ended.log
    (body,) = world.github.bodies(9)
    assert "these credentials are of account 222222222222" in body


def test_step__timeout_without_a_unit__is_refused_before_anything(step: ActionStep) -> None:
    ended = step.run(**PUSH, payload={}, timeout="20", role_to_assume=ROLE)

    assert ended.code == ExitCode.USAGE
    assert "write 20m or 20s" in ended.summary


def test_step__environments_file_elsewhere__its_branches_and_overrides_count(
    step: ActionStep, world: World
) -> None:
    (world.repository / "envs.yml").write_text(
        "apiVersion: fsd/v1\nkind: Environment\nmetadata:\n  name: qa\n"
        "spec:\n  region: us-east-1\n  branches: [staging]\n"
        f"  roleArn: {ROLE}\n  overrides:\n    resources.desiredCount: 1\n"
    )
    commit(world.repository, "Where it goes")

    ended = step.run(**PUSH, payload={}, environments_file="envs.yml")

    assert ended.code == 0, ended.log
    assert ended.outputs["environment"] == "qa"
    assert ended.record()["services"][0]["result"]["desiredCount"] == 1
    assert len(world.issuer.tokens) == 1


def test_step__sigint_in_mid_rollout__python_gets_it_and_the_outcome_is_said(
    step: ActionStep,
) -> None:
    inputs = {"role_to_assume": ROLE, "aws_region": "us-east-1"}
    slow = "environment.HELLO_BROKEN_HEALTH=1\nhealthCheck.gracePeriod=2000"

    with step.start(**PUSH, payload={}, overrides=slow, **inputs) as process:
        log = wait_for(process, "rollout   new (hello-dev:1)")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    ended = step.ended(process, log + rest)

    assert ended.code == ExitCode.INTERRUPTED, ended.log
    assert ended.outputs["outcome"] == "interrupted"
    assert ended.outputs["deployment-arn"]
    assert "ECS keeps rolling out" in ended.log


def test_step__run_after_a_cancelled_one__takes_over_at_depth_1(
    step: ActionStep, world: World
) -> None:
    """ECS would try the cancelled one for an hour: its health check counts only after that."""
    inputs = {"role_to_assume": ROLE, "aws_region": "us-east-1"}
    slow = "environment.HELLO_BROKEN_HEALTH=1\nhealthCheck.gracePeriod=7200"
    cancelled = head(world.repository)
    with step.start(**PUSH, payload={}, overrides=slow, **inputs) as process:
        log = wait_for(process, "rollout   new (hello-dev:1)")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    first = step.ended(process, log + rest)
    app = world.repository / "app.py"
    app.write_text(app.read_text() + "# the fix\n")
    fix = commit(world.repository, "Fix")
    shallow = world.repository.parent / "shallow"
    git(world.repository, "clone", "-q", "--depth=1", world.repository.as_uri(), str(shallow))
    world.github.compared[(cancelled, fix)] = "ahead"
    step.repository = shallow

    refused = step.run(**PUSH, payload={}, in_flight="refuse", **inputs)
    ended = step.run(**PUSH, payload={}, **inputs)

    assert first.code == ExitCode.INTERRUPTED, first.log
    assert (refused.code, refused.outputs["outcome"]) == (ExitCode.REFUSED, "refused")
    assert "fix: wait for it with `in-flight: wait`" in refused.log
    assert ended.code == 0, ended.log
    assert ended.outputs["outcome"] == "succeeded"


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """The lines up to the one with the text."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


JOB = """\
apiVersion: fsd/v1
kind: Job
metadata: {name: hello, pack: examples, owners: ["@org/hello"]}
service:
  type: ecs
  schedule: cron(30 6 1 1 ? *)
  timezone: Europe/Berlin
  resources: {cpu: 256, memory: 512}
  observability: {logs: {retention: 30}}
"""


def test_step__a_job__is_told_with_its_next_run_and_without_a_load_balancer(
    step: ActionStep, world: World
) -> None:
    (world.repository / "service.yml").write_text(JOB)
    commit(world.repository, "Run once a year")
    world.github.add_pull(7, head(world.repository))

    planned = step.run(
        **PUSH, payload={}, dry_run="true", role_to_assume=ROLE, aws_region="us-east-1"
    )
    ended = step.run(**PUSH, payload={}, role_to_assume=ROLE, aws_region="us-east-1")

    assert (planned.code, ended.code) == (0, 0), planned.log + ended.log
    assert ended.outputs["outcome"] == "succeeded"
    (comment,) = world.github.bodies(7)
    for told in (comment, ended.summary):
        assert re.search(r"next run at \d{4}-01-01 05:30 UTC", told), told
    for text in (comment, ended.summary, planned.summary):
        assert not re.search(r"(?i)load balancer|target|healthy|served|rollout", text), text
