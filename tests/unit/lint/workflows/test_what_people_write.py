"""Deployments, tests and tags as public workflows write them."""

from __future__ import annotations

import pytest

from fsd.lint.workflows.run import lint_workflows
from fsd.manifest.finding import Finding

NO_TESTS = "workflow-no-tests-before-deploy"
MUTABLE = "workflow-mutable-image-tag"
PATH = ".github/workflows/deploy.yml"


def find(id_: str, text: str, **known: str) -> list[Finding]:
    others = {path.replace("__", "/"): other for path, other in known.items()}
    (checked,) = lint_workflows({PATH: text}, known={f"{k}.yml": v for k, v in others.items()})
    return [each for each in checked.findings if each.id == id_]


def run(script: str, more: str = "") -> str:
    lines = "".join(f"          {line}\n" for line in script.splitlines())
    head = f"on: {{push: {{branches: [main]}}}}\nenv: {{ECS: x}}\n{more}jobs:\n  d:\n    steps:\n"
    return f"{head}      - run: |\n{lines}"


DEPLOYS = [
    "ecspresso --config=a.yml deploy",
    "ecspresso --config a.yml deploy",
    "ls a*.yml | parallel 'ecspresso deploy --config {}'",
    "ls a*.yml | xargs -I{} -P10 bash -c \\\n  '[ x ] || ecspresso --config={} deploy'",
    "ls | xargs -n 1 ecspresso deploy --config",
    'bash -ec "aws ecs update-service --service a --force-new-deployment"',
    "bash <<'EOF'\nfsd deploy --env dev\nEOF",
    "ssh host 'cd a && ecs-deploy -c a -n b -i c'",
    "eval 'copilot svc deploy --env dev'",
    "aws --region eu-west-1 ecs update-service --service a --task-definition b",
    "docker run --rm -e A=b amazon/aws-cli ecs update-service --force-new-deployment",
    "timeout 10m copilot deploy",
    "aws cloudformation deploy --stack-name a --template-file b",
    "aws cloudformation update-stack --stack-name a",
    "npx cdk deploy --all",
    "terraform -chdir=infra apply -auto-approve",
    "terragrunt run-all apply",
    "pulumi up --yes --stack dev",
    "sam deploy --no-confirm-changeset",
    "docker --context myecs compose up",
    "docker ecs compose up",
    "if ! ecspresso deploy; then exit 1; fi",
]
OTHERS = [
    "terraform apply -destroy",
    "terraform plan",
    "cdk diff",
    "aws cloudformation deploy --no-execute-changeset --stack-name a",
    "docker compose up -d",
    "ecspresso diff --config deploy",
    "cat <<EOF\nfsd deploy\nEOF",
    "echo 'ecspresso deploy'",
    "aws ecs update-service --service a --desired-count 2",
    "pip install ecs-deploy",
]


@pytest.mark.parametrize("script", DEPLOYS)
def test_no_tests__deployment_in_any_spelling__found(script: str) -> None:
    assert len(find(NO_TESTS, run(script))) == 1


@pytest.mark.parametrize("script", OTHERS)
def test_no_tests__what_deploys_nothing__nothing(script: str) -> None:
    assert find(NO_TESTS, run(script)) == []


def test_no_tests__terraform_of_something_else__nothing() -> None:
    text = run("terraform apply").replace("env: {ECS: x}\n", "")

    assert find(NO_TESTS, text) == []


def test_no_tests__found_in_a_script_of_a_script__at_the_command() -> None:
    (found,) = find(NO_TESTS, run('bash -c "ecspresso deploy"'))

    assert str(found.where) == f"{PATH}:7:20"
    assert found.width == len("ecspresso deploy")


def step(text: str) -> str:
    head = "on: {push: {branches: [main]}}\nenv: {ECS: x}\njobs:\n  d:\n    steps:\n"
    return f"{head}      - {text}\n"


COMPOSITE = "runs:\n  using: composite\n  steps:\n    - {shell: bash, run: fsd deploy --env dev}\n"


def test_no_tests__composite_action_that_deploys__at_its_use() -> None:
    text = step("uses: ./.github/actions/deploy")
    found = find(NO_TESTS, text, **{".github__actions__deploy__action": COMPOSITE})

    assert [str(each.where) for each in found] == [f"{PATH}:6:15"]


def test_no_tests__composite_action_that_tests__nothing() -> None:
    text = step("uses: ./.github/actions/test\n      - run: fsd deploy --env dev")
    action = COMPOSITE.replace("fsd deploy --env dev", "pytest")

    assert find(NO_TESTS, text, **{".github__actions__test__action": action}) == []


def test_no_tests__action_that_tries_again__found() -> None:
    text = step("uses: nick-fields/retry@v3\n        with: {command: ecspresso deploy}")

    assert len(find(NO_TESTS, text)) == 1


def after(condition: str = "") -> str:
    line = f"    if: {condition}\n" if condition else ""
    head = "on:\n  workflow_run: {workflows: [CI], types: [completed]}\njobs:\n  d:\n"
    return f"{head}{line}    steps: [{{run: fsd deploy --env dev}}]\n"


CI = "name: CI\non: {push: {branches: [main]}}\njobs: {a: {steps: [{run: RUN}]}}\n"
SUCCESS = "github.event.workflow_run.conclusion == 'success'"


@pytest.mark.parametrize(
    ("condition", "known", "said"),
    [
        ("", {}, "runs after `CI`, even if it fails"),
        ("", {".github__workflows__ci": CI.replace("RUN", "pytest")}, "even if it fails"),
        ("", {".github__workflows__ci": CI.replace("RUN", "ls")}, "no test runs before it"),
        (SUCCESS, {".github__workflows__ci": CI.replace("RUN", "ls")}, "no test runs before it"),
        (
            f"github.event_name == 'workflow_dispatch' || {SUCCESS}",
            {".github__workflows__ci": CI.replace("RUN", "ls")},
            "no test runs before it",
        ),
    ],
)
def test_no_tests__after_another_workflow__however_it_ended(
    condition: str, known: dict[str, str], said: str
) -> None:
    (found,) = find(NO_TESTS, after(condition), **known)

    assert said in found.message


@pytest.mark.parametrize(
    ("condition", "known"),
    [
        (SUCCESS, {}),
        (SUCCESS, {".github__workflows__ci": CI.replace("RUN", "pytest")}),
        ("", {".github__workflows__ci": CI.replace("push: {branches: [main]}", "release: {}")}),
    ],
)
def test_no_tests__after_a_workflow_that_had_to_pass__nothing(
    condition: str, known: dict[str, str]
) -> None:
    assert find(NO_TESTS, after(condition), **known) == []


PLAN = CI.replace("push: {branches: [main]}", "workflow_run: {workflows: [build]}")
BUILD = CI.replace("name: CI", "name: build")


@pytest.mark.parametrize(("run", "count"), [("ls", 1), ("pytest", 0)])
def test_no_tests__after_one_that_runs_after_another__its_tests_count(run: str, count: int) -> None:
    known = {
        ".github__workflows__ci": PLAN.replace("RUN", "terraform plan"),
        ".github__workflows__build": BUILD.replace("RUN", run),
    }

    assert len(find(NO_TESTS, after(SUCCESS), **known)) == count


JOBS = "on: {push: {branches: [main]}}\njobs:\n  %s\n  d: {needs: a, steps: [{run: fsd deploy}]}\n"


@pytest.mark.parametrize(
    ("job", "is_tested"),
    [
        ("a: {name: Validate, steps: [{run: terraform validate}]}", False),
        ("a: {name: Quality, steps: [{run: ruff check .}, {uses: actions/checkout@v5}]}", False),
        ("a: {name: Verify template, steps: [{run: aws cloudformation validate-template}]}", False),
        ("a: {name: Verify, steps: [{run: ./verify.sh}]}", True),
        ("a: {name: Checks, steps: [{run: make lint}]}", True),
        ("a: {name: Unit tests, steps: [{run: docker compose up}]}", True),
        ("a: {uses: org/w/.github/workflows/lint-actions.yml@v1}", False),
        ("a: {uses: org/w/.github/workflows/build.yml@v1}", True),
    ],
)
def test_no_tests__a_job_that_validates__is_no_test(job: str, is_tested: bool) -> None:
    assert (find(NO_TESTS, JOBS % job) == []) is is_tested


ECR = "1.dkr.ecr.eu-west-1.amazonaws.com/api"
UPDATE = "aws ecs update-service --service a --force-new-deployment"
TAGGED = [
    run(f"docker push {ECR}:$SHA\ndocker push {ECR}:latest\n{UPDATE}"),
    run(f"TAG=latest\ndocker push {ECR}:$TAG\n{UPDATE}"),
    run(f"docker push {ECR}:shop-api-production-latest"),
    run(f"export TAG='latest'\ndocker push {ECR}:${{TAG}}"),
    step(
        'id: c\n        run: echo "tag=latest" >> "$GITHUB_OUTPUT"\n'
        f"      - run: docker push {ECR}:${{{{ steps.c.outputs.tag }}}}"
    ),
    step(
        f"run: echo TAG=latest >> $GITHUB_ENV\n      - run: docker push {ECR}:${{{{ env.TAG }}}}\n"
    ),
    step(f"run: docker push {ECR}:${{{{ inputs.tag || 'latest' }}}}"),
    "on:\n  workflow_dispatch:\n    inputs: {tag: {default: latest}}\njobs:\n  d:\n    steps:\n"
    f"      - run: docker push {ECR}:${{{{ inputs.tag }}}}\n",
    "on: push\njobs:\n  b:\n    outputs: {tag: '${{ steps.c.outputs.tag }}'}\n    steps:\n"
    "      - {id: c, run: 'echo tag=latest >> $GITHUB_OUTPUT'}\n  d:\n    needs: b\n    steps:\n"
    f"      - run: docker push {ECR}:${{{{ needs.b.outputs.tag }}}}\n",
    step(
        f"id: m\n        uses: docker/metadata-action@v5\n        with: {{images: {ECR}}}\n"
        "      - uses: docker/build-push-action@v6\n"
        "        with: {push: true, tags: '${{ steps.m.outputs.tags }}'}"
    ),
]
STAYS = [
    run(f"docker push {ECR}:sha-${{GITHUB_SHA::7}}\ndocker push {ECR}:latest"),
    run(f"docker push {ECR}:$A\ndocker push {ECR}:dev\naws ecs register-task-definition\n{UPDATE}"),
    run(f"TAG=$(git rev-parse HEAD)\ndocker push {ECR}:$TAG\n{UPDATE}"),
    run(f"TAG=latest\nif x; then\n  TAG=$SHA\nfi\ndocker push {ECR}:$TAG"),
    step(f"run: docker push {ECR}:${{{{ inputs.tag || github.sha }}}}"),
    step(
        f"id: m\n        uses: docker/metadata-action@v5\n"
        f"        with: {{images: {ECR}, tags: type=sha}}\n"
        "      - uses: docker/build-push-action@v6\n"
        "        with: {push: true, tags: '${{ steps.m.outputs.tags }}'}"
    ),
]  # fmt: skip


@pytest.mark.parametrize("text", TAGGED)
def test_mutable_tag__said_somewhere_else__found(text: str) -> None:
    assert len(find(MUTABLE, text)) == 1


@pytest.mark.parametrize("text", STAYS)
def test_mutable_tag__a_tag_that_stays_or_is_not_known__nothing(text: str) -> None:
    assert find(MUTABLE, text) == []


def test_environment_missing__a_job_before_it_waits_for_approval__nothing() -> None:
    text = (
        "on: {push: {branches: [main]}}\njobs:\n"
        "  a: {environment: production, steps: [{run: pytest}]}\n"
        "  d: {needs: a, steps: [{run: copilot deploy --env prod}]}\n"
    )

    assert find("workflow-environment-missing", text) == []


def test_environment_missing__a_plans_file__is_no_environment() -> None:
    text = run("terraform apply prod.plan")

    assert find("workflow-environment-missing", text) == []
    assert find("stage-before-production", text) == []


RENDER = "uses: aws-actions/amazon-ecs-render-task-definition@v1"
TAKES_IMAGE = (
    "on: {workflow_call: {inputs: {tag: {required: true, type: string}}}}\n"
    "jobs:\n  d:\n    steps:\n"
    f"      - {RENDER}\n        with: {{image: '{ECR}:${{{{ inputs.tag }}}}'}}\n"
    "      - uses: aws-actions/amazon-ecs-deploy-task-definition@v2\n"
)
CALLS = (
    "on: workflow_dispatch\njobs:\n  c:\n"
    "    uses: ./.github/workflows/call.yml\n    with: {tag: TAG}\n"
)


@pytest.mark.parametrize(("tag", "count"), [("main", 1), ("'${{ github.sha }}'", 0)])
def test_mutable__tag_is_handed_to_a_called_workflow__at_the_input(tag: str, count: int) -> None:
    text = CALLS.replace("TAG", tag)

    found = find(MUTABLE, text, **{".github__workflows__call": TAKES_IMAGE})

    assert [str(each.where) for each in found] == [f"{PATH}:5:17"] * count


def test_mutable__called_workflow_has_a_tag_of_its_own_too__nothing() -> None:
    push = f"      - run: |\n          docker push {ECR}:$SHA\n          docker push {ECR}:%s\n"
    head = TAKES_IMAGE.partition("      - ")[0]

    found = find(
        MUTABLE,
        CALLS.replace("TAG", "main"),
        **{".github__workflows__call": head + push % "${{ inputs.tag }}"},
    )

    assert found == []


def test_mutable__tag_is_handed_to_an_action__at_the_input() -> None:
    action = (
        "runs:\n  using: composite\n  steps:\n    - shell: bash\n"
        f"      run: docker push {ECR}:${{{{ inputs.tag }}}}\n"
    )
    text = step("uses: ./.github/actions/push\n        with: {tag: latest}")
    login = "      - uses: aws-actions/amazon-ecr-login@v2\n"

    (found,) = find(MUTABLE, text + login, **{".github__actions__push__action": action})

    assert str(found.where) == f"{PATH}:7:21"


def test_mutable__image_written_with_jq__found_at_its_value() -> None:
    def written(argument: str, to: str) -> str:
        return run(f"jq --arg IMAGE {argument} '.containerDefinitions[0].{to} = $IMAGE' a.json > b")

    (found,) = find(MUTABLE, written(f"{ECR}:latest", "image"))

    assert (str(found.where), found.width) == (f"{PATH}:7:26", len(f"{ECR}:latest"))
    assert find(MUTABLE, written(f"{ECR}:$GITHUB_SHA", "image")) == []
    assert find(MUTABLE, written("latest", "name")) == []
