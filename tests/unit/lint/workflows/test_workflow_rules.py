"""Each rule for workflows alone: where it finds something, and the common ones that it must not."""

from __future__ import annotations

import textwrap

import pytest

from fsd.errors import Location
from fsd.lint.workflows import lint_workflows
from fsd.lint.workflows.run import WORKFLOW_RULES
from fsd.manifest.environments import Environment
from fsd.manifest.finding import Finding

HEAD = "on:\n  push:\n    branches: [main]\njobs:\n"


def find(rule: str, text: str, **known: str) -> tuple[Finding, ...]:
    rules = [each for each in WORKFLOW_RULES if each.id == rule]
    assert rules, rule
    others = {f".github/workflows/{name}.yml": other for name, other in known.items()}
    (checked,) = lint_workflows({".github/workflows/a.yml": text}, known=others, rules=rules)
    return checked.findings


def pointed(text: str, finding: Finding) -> str:
    """What the finding underlines."""
    assert isinstance(finding.where, Location)
    line = text.splitlines()[finding.where.line - 1]
    return line[finding.where.column - 1 :][: finding.width]


def steps(*given: str) -> str:
    """A workflow of one job with these steps."""
    listed = "".join(
        textwrap.indent("- " + textwrap.indent(step.strip("\n"), "  ")[2:] + "\n", " " * 6)
        for step in given
    )
    return f"{HEAD}  deploy:\n    runs-on: ubuntu-latest\n    steps:\n{listed}"


def run(*lines: str) -> str:
    return "run: |\n" + textwrap.indent("\n".join(lines), "  ")


URL = "https://example.com/tool.tar.gz"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "script",
    [
        [f"curl -L {URL} | tar xz"],
        [f"curl -fsSL {URL} | sudo bash -s -- --yes"],
        [f"wget -qO- {URL} | sh"],
        [f"curl {URL} \\", "  | python3 -"],
        [f'bash -c "$(curl -fsSL {URL})"'],
        [f"bash <(curl -s {URL})"],
        [f'eval "$(curl -s {URL})"'],
        [f"source <(curl -s {URL})"],
        [f"curl -L {URL} -o /tmp/x", "chmod +x /tmp/x", "/tmp/x"],
        [f"curl -Lo x {URL}", "sudo install x /usr/local/bin/x"],
        [f"curl -LO {URL}", "tar -xzf tool.tar.gz"],
        [f"wget {URL}", "tar xf tool.tar.gz"],
        [f"curl {URL} > x", "sudo mv x /usr/local/bin/"],
        [f"curl {URL} | sudo tee /usr/local/bin/x > /dev/null"],
        [f"sudo curl -Lo /usr/local/bin/x {URL}"],
        [f"curl {URL} > ~/bin/x"],
        [f"curl -sL {URL} | gunzip > x"],
        [f"wget -O a.deb {URL}", "sudo dpkg -i ./a.deb"],
        [f"if ! command -v x; then curl {URL} | sh; fi"],
    ],
    ids=lambda script: script[0][:40],
)
def test_unverified_download__run_or_unpacked__found_at_the_address(script: list[str]) -> None:
    text = steps(run(*script))

    (finding,) = find("workflow-unverified-download", text)

    assert pointed(text, finding).startswith(URL)
    assert URL in finding.message


@pytest.mark.parametrize(
    "script",
    [
        [f"curl -fsSL {URL} -o x", f"echo '{'a' * 64}  x' | sha256sum --check", "tar xf x"],
        [f"curl -fsSL {URL} -o x", 'test "$(sha256sum x)" = "$SUM"', "tar xf x"],
        [f"curl -LO {URL}", "gpg --verify tool.tar.gz.sig tool.tar.gz", "tar xf tool.tar.gz"],
        [f"curl -LO {URL}", "gh attestation verify tool.tar.gz -R o/r", "tar xf tool.tar.gz"],
        [f"curl -f {URL}"],
        [f"curl -fsS -o /dev/null {URL}", "sh x"],
        ["curl -sSf https://api.example.com/health | jq .status"],
        ["curl -s https://api.example.com | python3 -m json.tool"],
        ["curl -s https://api.example.com | python3 -c 'import sys'"],
        ["curl -X POST -d @x https://hooks.example.com | sh"],
        ["curl http://localhost:8080/x | sh"],
        [f"curl https://raw.githubusercontent.com/o/r/{COMMIT}/install.sh | sh"],
        [f"echo 'curl {URL} | sh'"],
        [f"# curl {URL} | sh"],
        ["cat > README <<EOF", f"curl {URL} | sh", "EOF"],
        [f"curl -o data.json {URL}", "python report.py"],
        [f"curl {URL} | gpg --dearmor -o /usr/share/keyrings/x.gpg"],
        ["pip install -r requirements.txt | tee log"],
    ],
    ids=lambda script: script[0][:40],
)
def test_unverified_download__verified_or_not_run__nothing(script: list[str]) -> None:
    assert find("workflow-unverified-download", steps(run(*script))) == ()


def test_unverified_download__checksum_in_the_next_step__nothing() -> None:
    text = steps(run(f"curl -o x {URL}"), run("sha256sum -c sums"), run("tar xf x"))

    assert find("workflow-unverified-download", text) == ()


def test_unverified_download__used_in_a_later_step__found() -> None:
    text = steps(run(f"curl -o x {URL}"), "uses: a/b@v1", run("tar xf x"))

    assert len(find("workflow-unverified-download", text)) == 1


@pytest.mark.parametrize("shell", ["pwsh", "python", "cmd", "node {0}"])
def test_unverified_download__not_a_shell__not_read(shell: str) -> None:
    text = steps(f"shell: {shell}\nrun: curl {URL} | sh")

    assert find("workflow-unverified-download", text) == ()


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (f"run: curl {URL} | sh", 8),
        (f"run: 'curl {URL} | sh'", 8),
        (f'run: "curl {URL} | sh"', 8),
        (f"run: >-\n  set -e;\n  curl\n  {URL}\n  | sh", 11),
        (f"run: |2-\n    set -e\n    curl {URL} | sh", 10),
        (f"run: &install |\n  curl {URL} | sh", 9),
    ],
)
def test_unverified_download__every_style_of_text__at_its_place(step: str, line: int) -> None:
    text = steps(step)

    (finding,) = find("workflow-unverified-download", text)

    assert isinstance(finding.where, Location)
    assert finding.where.line == line
    assert pointed(text, finding) == URL


def test_unverified_download__composite_action__found() -> None:
    text = f"runs:\n  using: composite\n  steps:\n    - {{shell: bash, run: 'curl {URL} | sh'}}\n"

    (finding,) = find("workflow-unverified-download", text)

    assert pointed(text, finding) == URL


KEY = "${{ secrets.AWS_ACCESS_KEY_ID }}"
SECRET = "${{ secrets.AWS_SECRET_ACCESS_KEY }}"
LOGIN = "uses: aws-actions/configure-aws-credentials@v4\nwith:\n  "
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    "text",
    [
        steps(f"{LOGIN}aws-access-key-id: {KEY}\n  aws-secret-access-key: {SECRET}"),
        steps(f"env:\n  AWS_SECRET_ACCESS_KEY: {SECRET}\n  AWS_ACCESS_KEY_ID: {KEY}\nrun: x"),
        f"env: {{AWS_ACCESS_KEY_ID: '{KEY}'}}\n" + steps("run: x"),
        HEAD + f"  a:\n    env: {{AWS_ACCESS_KEY_ID: '{KEY}'}}\n    steps: []\n",
        HEAD + f"  a:\n    uses: ./.github/workflows/b.yml\n    secrets:\n"
        f"      AWS_ACCESS_KEY_ID: {KEY}\n",
        steps(run(f"aws configure set aws_access_key_id {KEY}")),
        steps(f"uses: org/deploy@v1\nwith:\n  aws_access_key: {KEY}\n  aws_secret_key: {SECRET}"),
        steps(f"env:\n  TF_VAR_first: {KEY}\n  TF_VAR_second: {SECRET}\nrun: terraform apply"),
        steps(run(f"docker build --build-arg ID={KEY} .")),
        steps(run(f'aws lightsail create --containers \'{{ "ID": "{KEY}" }}\'')),
        steps(
            f"uses: docker/login-action@v3\nwith:\n  registry: {REGISTRY}\n  username: {KEY}\n"
            f"  password: {SECRET}"
        ),
    ],
)
def test_long_lived_keys__stored_key__found_once_at_its_value(text: str) -> None:
    (finding,) = find("workflow-long-lived-keys", text)

    assert pointed(text, finding).strip("'") == KEY
    assert "role-to-assume" in finding.fix


def test_long_lived_keys__behind_a_variable__found_once() -> None:
    login = f"{LOGIN}aws-access-key-id: ${{{{ env.%s }}}}\n  aws-secret-access-key: x"
    head = f"env: {{KEY_OF_CI: '${{{{ secrets.CI }}}}', AWS_ACCESS_KEY_ID: '{KEY}'}}\n"

    for name, place in (("KEY_OF_CI", "${{ env.KEY_OF_CI }}"), ("AWS_ACCESS_KEY_ID", KEY)):
        text = head + steps(login % name)
        found = find("workflow-long-lived-keys", text)

        assert [pointed(text, each).strip("'") for each in found] == list(
            dict.fromkeys((KEY, place))
        )


def test_long_lived_keys__literal_key__found_without_repeating_it() -> None:
    text = steps("env:\n  AWS_ACCESS_KEY_ID: AKIAIOSFODNN7EXAMPLE\nrun: x")

    (finding,) = find("workflow-long-lived-keys", text)

    assert pointed(text, finding) == "AKIAIOSFODNN7EXAMPLE"
    assert "AKIA" not in finding.message


@pytest.mark.parametrize(
    "text",
    [
        steps(f"{LOGIN}role-to-assume: ${{{{ vars.ROLE }}}}\n  aws-region: us-east-1"),
        steps("env:\n  AWS_ACCESS_KEY_ID: test\n  AWS_SECRET_ACCESS_KEY: test\nrun: pytest"),
        steps("env:\n  AWS_ACCESS_KEY_ID: ${{ steps.sts.outputs.key }}\nrun: x"),
        steps(
            f"env:\n  AWS_ACCESS_KEY_ID: {KEY}\n  AWS_SESSION_TOKEN: ${{{{ secrets.T }}}}\nrun: x"
        ),
        steps("env:\n  AWS_ACCESS_KEY_ID: ${{ secrets.R2_ACCESS_KEY_ID }}\nrun: x"),
        steps(f"env:\n  AWS_ACCESS_KEY_ID: {KEY}\n  AWS_ENDPOINT_URL: https://r2\nrun: x"),
        steps("uses: docker/login-action@v3\nwith:\n  username: ${{ secrets.HUB_USER }}"),
        "on: {workflow_call: {secrets: {AWS_ACCESS_KEY_ID: {required: true}}}}\njobs: {}\n",
        steps(run(f'if [ -z "{KEY}" ]; then exit 1; fi')),
        steps(run(f"# aws configure set aws_access_key_id {KEY}", "aws sts get-caller-identity")),
        steps("env:\n  HAS_KEY: ${{ secrets.AWS_ACCESS_KEY_ID != '' }}\nrun: x"),
        steps(run(f"export ID={KEY} TOKEN=${{{{ secrets.AWS_SESSION_TOKEN }}}}")),
    ],
)
def test_long_lived_keys__oidc_or_not_aws__nothing(text: str) -> None:
    assert find("workflow-long-lived-keys", text) == ()


DEPLOY = "run: fsd deploy --env dev"
UPDATE = "run: aws ecs update-service --cluster dev --service api --force-new-deployment"
ACTION = "uses: org/fsd-deploy@v1"
AFTER = "if: github.event.workflow_run.conclusion == 'success'"
CI = "name: CI\non: pull_request\njobs: {a: {steps: [{run: pytest}]}}\n"


def jobs(head: str = HEAD, **given: str) -> str:
    return head + "".join(
        f"  {name.replace('_', '-')}:\n{textwrap.indent(text.strip(chr(10)), ' ' * 4)}\n"
        for name, text in given.items()
    )


def with_tests(*commands: str, then: str = DEPLOY) -> str:
    return steps(*(run(command) for command in commands), then)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (steps(DEPLOY), "fsd deploy"),
        (steps(run("set -e", "  sudo ./bin/fsd deploy --env dev")), "./bin/fsd deploy"),
        (steps(UPDATE), "aws ecs update-service"),
        (steps("run: ecspresso deploy"), "ecspresso deploy"),
        (steps("run: ecs deploy cluster api"), "ecs deploy"),
        (steps("run: copilot svc deploy --env dev"), "copilot svc deploy"),
        (steps(ACTION), "org/fsd-deploy@v1"),
        (
            steps("uses: aws-actions/amazon-ecs-deploy-task-definition@v2"),
            "aws-actions/amazon-ecs-deploy-task-definition@v2",
        ),
        (steps(DEPLOY, "run: pytest"), "fsd deploy"),
        (steps("run: pip install pytest", DEPLOY), "fsd deploy"),
        (steps("run: docker pull x/test", DEPLOY), "fsd deploy"),
        (steps("run: test -f x && echo test", DEPLOY), "fsd deploy"),
        (steps("run: npm ci", DEPLOY), "fsd deploy"),
        (steps("run: poetry run pip install pytest", DEPLOY), "fsd deploy"),
        (steps("run: ./gradlew clean build -x test", DEPLOY), "fsd deploy"),
        (steps("run: mvn package -DskipTests=true", DEPLOY), "fsd deploy"),
        (steps("run: docker build -t x/test:1 .", DEPLOY), "fsd deploy"),
        (steps("run: python prepare.py --to test", DEPLOY), "fsd deploy"),
        (steps("name: Check for an image\nrun: ./find-image", DEPLOY), "fsd deploy"),
        (steps(run("fsd deploy --env dev", "./smoke-test.sh")), "fsd deploy"),
        (steps("run: pytest || true", DEPLOY), "fsd deploy"),
        (steps("run: pytest\ncontinue-on-error: true", DEPLOY), "fsd deploy"),
        (jobs(test="steps: [run: pytest]", deploy=f"steps: [{DEPLOY}]"), "fsd deploy"),
        (
            jobs(test="steps: [run: pytest]", d=f"needs: test\nif: always()\nsteps: [{DEPLOY}]"),
            "fsd deploy",
        ),
        (
            jobs(
                a=f"steps: [{DEPLOY}]",
                b=f"needs: a\nsteps: [{DEPLOY}]",
                c=f"needs: b\nsteps: [{ACTION}]",
            ),
            "fsd deploy",
        ),
        (
            jobs(
                "on: [push, pull_request]\njobs:\n",
                test="steps: [run: pytest]",
                deploy=f"if: github.event_name == 'push'\nsteps: [{DEPLOY}]",
            ),
            "fsd deploy",
        ),
        (jobs("'on': [push]\njobs:\n", a=f"steps: [{ACTION}]"), "org/fsd-deploy@v1"),
        (jobs("on: {push: }\njobs:\n", a=f"steps: [{ACTION}]"), "org/fsd-deploy@v1"),
        (
            jobs("on: {push: {tags: ['v*'], branches: [main]}}\njobs:\n", a=f"steps: [{ACTION}]"),
            "org/fsd-deploy@v1",
        ),
    ],
)
def test_no_tests__deployment_on_push__found_once_at_the_deployment(text: str, place: str) -> None:
    (finding,) = find("workflow-no-tests-before-deploy", text)

    assert pointed(text, finding) == place


@pytest.mark.parametrize(
    "text",
    [
        with_tests("pytest"),
        with_tests("python -m pytest -q tests"),
        with_tests("uv run --frozen pytest"),
        with_tests("poetry run python -m unittest"),
        with_tests("make test"),
        with_tests("make check"),
        with_tests("tox -e py312"),
        with_tests("npm run test:unit"),
        with_tests("npm test -- --ci"),
        with_tests("go test ./..."),
        with_tests("./scripts/run_tests.sh"),
        with_tests("bash scripts/test"),
        with_tests("docker compose run --rm api pytest"),
        with_tests("docker build --target test ."),
        with_tests("docker build --target=unit-test -t x ."),
        with_tests("docker-compose -f docker-compose.test.yml up --abort-on-container-exit"),
        with_tests("docker run x sh -c 'pip install -e . && pytest'"),
        with_tests("pipx run tox"),
        with_tests("docker run --rm image pytest"),
        with_tests("python manage.py test"),
        with_tests("coverage run -m pytest"),
        with_tests("mvn -B verify"),
        with_tests("./gradlew build"),
        with_tests("if [ -d tests ]; then pytest; fi"),
        with_tests("bash -c 'pytest -q'"),
        with_tests("make test && fsd deploy --env dev", then="run: ls"),
        steps("name: Run the unit tests\nrun: ./ci.ps1", DEPLOY),
        steps("uses: ./.github/actions/run-tests", DEPLOY),
        jobs(test="steps: [run: x]", deploy=f"needs: test\nsteps: [{DEPLOY}]"),
        jobs(ci="steps: [run: tox]", b="needs: [ci]", deploy=f"needs: b\nsteps: [{DEPLOY}]"),
        jobs(
            a="uses: org/workflows/.github/workflows/build.yml@v1",
            deploy=f"needs: a\nsteps: [{DEPLOY}]",
        ),
        jobs(
            t="steps: [run: pytest]",
            d=f"needs: t\nif: always() && needs.t.result == 'success'\nsteps: [{DEPLOY}]",
        ),
        jobs("on: {workflow_run: {workflows: [CI]}}\njobs:\n", a=f"{AFTER}\nsteps: [{DEPLOY}]"),
        jobs("on: workflow_dispatch\njobs:\n", a=f"steps: [{DEPLOY}]"),
        jobs("on: {release: {types: [published]}}\njobs:\n", a=f"steps: [{DEPLOY}]"),
        jobs("on: {push: {tags: ['v*']}}\njobs:\n", a=f"steps: [{DEPLOY}]"),
        jobs("on: {workflow_call: }\njobs:\n", a=f"steps: [{DEPLOY}]"),
        jobs("on: pull_request\njobs:\n", a=f"steps: [{ACTION}]"),
        jobs(a=f"if: github.event_name == 'workflow_dispatch'\nsteps: [{DEPLOY}]"),
        steps(f"{DEPLOY}\nif: startsWith(github.ref, 'refs/tags/v')"),
        jobs(a=f"if: github.event_name == 'pull_request'\nsteps: [{ACTION}]"),
        steps("run: aws ecs update-service --cluster c --service s --desired-count 0"),
        steps("run: aws ecs describe-services --cluster prod"),
        steps("run: fsd plan --env dev"),
        steps("run: echo fsd deploy"),
        steps(f"{ACTION}\nwith: {{dry-run: 'true'}}"),
        steps(f"{ACTION}\nwith: {{rollback: v1.2.3}}"),
        steps(f"{ACTION}\nwith: {{rollback-to: previous}}"),
        steps(f"{ACTION}\nwith: {{require-promotion-from: dev}}"),
    ],
)
def test_no_tests__tests_first_or_by_hand__nothing(text: str) -> None:
    assert find("workflow-no-tests-before-deploy", text) == ()


def test_no_tests__tests_that_stop_nothing__said() -> None:
    (finding,) = find("workflow-no-tests-before-deploy", steps("run: pytest || true", DEPLOY))

    assert finding.message.endswith("even if the tests before it fail")


def test_no_tests__another_workflow_tests_pull_requests__nothing() -> None:
    assert find("workflow-no-tests-before-deploy", steps(DEPLOY), ci=CI) == ()


def test_no_tests__another_workflow_tests_the_same_push__still_found() -> None:
    beside = CI.replace("pull_request", "push")

    assert len(find("workflow-no-tests-before-deploy", steps(DEPLOY), ci=beside)) == 1


CALLED = jobs("on: {workflow_call: }\njobs:\n", d="steps: [{run: 'fsd deploy --env prod'}]")


def test_no_tests__reusable_workflow_that_deploys__found_at_the_call() -> None:
    text = jobs(d="uses: ./.github/workflows/release.yml")

    (finding,) = find("workflow-no-tests-before-deploy", text, release=CALLED)

    assert pointed(text, finding) == "./.github/workflows/release.yml"


def test_no_tests__reusable_workflows_tests_first__nothing() -> None:
    text = jobs(
        t="uses: ./.github/workflows/x.yml", d="needs: t\nuses: ./.github/workflows/release.yml"
    )
    tests = jobs("on: {workflow_call: }\njobs:\n", a="steps: [run: pytest]")

    assert find("workflow-no-tests-before-deploy", text, release=CALLED, x=tests) == ()


def test_no_tests__reusable_workflows_that_call_each_other__end() -> None:
    text = jobs(d="uses: ./.github/workflows/a.yml", e="uses: ./.github/workflows/b.yml")

    assert find("workflow-no-tests-before-deploy", text, b=text) == ()


PROD = "run: fsd deploy --env prod"
ECS = "uses: aws-actions/amazon-ecs-deploy-task-definition@v2\nwith:\n  cluster: "
ON_MAIN = "if: github.ref == 'refs/heads/main'"
ON_STAGING = "if: github.ref_name == 'staging'"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (steps(PROD), "prod"),
        (steps("run: fsd deploy -e production"), "production"),
        (steps("run: fsd deploy --env=prod --file a.yml"), "prod"),
        (steps(f"env: {{WHERE: prod}}\n{PROD.replace('prod', '$WHERE')}"), "$WHERE"),
        (steps(f"{ECS}shop-prod"), "shop-prod"),
        (steps(UPDATE.replace("dev", "prd")), "prd"),
        (steps(f"{ACTION}\nwith: {{environment: prod}}"), "prod"),
        (steps(ACTION), "org/fsd-deploy@v1"),
        (steps(f"{ACTION}\nwith: {{branch-environments: main=live}}"), "main=live"),
        (steps(f"{ACTION}\nwith: {{branch-environments: ma*=live}}"), "ma*=live"),
        (steps(f"{DEPLOY}\n{ON_STAGING}", f"{PROD}\n{ON_MAIN}"), "prod"),
        (steps(PROD, DEPLOY), "prod"),
        (
            jobs(
                dev=f"steps: [{DEPLOY}]",
                prod="steps: [run: fsd deploy --env prod]",
            ),
            "prod",
        ),
        (
            jobs(
                a="strategy: {matrix: {to: [dev, prod]}}\n"
                "steps: [{run: 'fsd deploy --env ${{ matrix.to }}'}]"
            ),
            "${{ matrix.to }}",
        ),
        (
            steps(
                f"{ACTION}\nwith:\n"
                "  environment: ${{ github.ref_name == 'main' && 'prod' || 'dev' }}"
            ),
            "${{ github.ref_name == 'main' && 'prod' || 'dev' }}",
        ),
        (jobs("on: {workflow_run: {workflows: [CI]}}\njobs:\n", a=f"steps: [{PROD}]"), "prod"),
    ],
)
def test_stage__production_first__found_at_its_name(text: str, place: str) -> None:
    (finding,) = find("stage-before-production", text)

    assert pointed(text, finding) == place


@pytest.mark.parametrize(
    "text",
    [
        steps(DEPLOY),
        steps("run: fsd deploy --env preprod"),
        steps("run: fsd deploy --env non-prod"),
        steps(DEPLOY, PROD),
        steps(run("fsd deploy --env dev", "fsd deploy --env prod")),
        steps(f"{DEPLOY}\n{ON_MAIN}", f"{PROD}\n{ON_MAIN}"),
        jobs(stage=f"steps: [{DEPLOY}]", prod=f"needs: stage\nsteps: [{PROD}]"),
        jobs(
            deploy_staging="uses: ./.github/workflows/x.yml",
            smoke="needs: deploy-staging",
            prod=f"needs: smoke\nsteps: [{PROD}]",
        ),
        jobs(a=f"environment: production\nsteps: [{PROD}]"),
        jobs(a=f"environment: {{name: prod, url: x}}\nsteps: [{ACTION}]"),
        jobs("on: workflow_dispatch\njobs:\n", a=f"steps: [{PROD}]"),
        jobs("on: {release: }\njobs:\n", a=f"steps: [{PROD}]"),
        jobs("on: {push: {tags: [v*]}}\njobs:\n", a=f"steps: [{PROD}]"),
        jobs("on: {workflow_run: {workflows: [Deploy to dev]}}\njobs:\n", a=f"steps: [{PROD}]"),
        jobs(a=f"if: github.event_name == 'release'\nsteps: [{PROD}]"),
        steps(f"{ACTION}\nwith: {{environment: prod, require-promotion-from: dev}}"),
        steps(f"{ACTION}\nwith: {{environment: '${{{{ inputs.where }}}}'}}"),
        steps(f"{ECS}${{{{ vars.CLUSTER }}}}"),
        steps("run: fsd status --env prod"),
        steps("run: aws ecs update-service --cluster products --service s --force-new-deployment"),
        jobs(
            a="strategy: {max-parallel: 1, matrix: {to: [dev, prod]}}\n"
            "steps: [{run: 'fsd deploy --env ${{ matrix.to }}'}]"
        ),
    ],
)
def test_stage__something_before_production__nothing(text: str) -> None:
    assert find("stage-before-production", text) == ()


@pytest.mark.parametrize(
    ("text", "environments", "count"),
    [
        (steps(PROD), [Environment(name="prod")], 1),
        (steps(PROD), [Environment(name="prod", promote_from="dev")], 0),
        (steps(ACTION), [Environment(name="dev", branches=("main",))], 0),
        (steps(ACTION), [Environment(name="live", branches=("main",))], 1),
        (steps(ACTION), [Environment(name="live", branches=("main",), promote_from="dev")], 0),
        (steps(ACTION), [Environment(name="live", branches=("release",))], 0),
        (steps(f"{ACTION}\nwith: {{environments-file: x.yml}}"), [], 0),
    ],
)
def test_stage__environments_file__its_branches_and_promotions(
    text: str, environments: list[Environment], count: int
) -> None:
    known = {environment.name: environment for environment in environments}
    rules = [rule for rule in WORKFLOW_RULES if rule.id == "stage-before-production"]

    (checked,) = lint_workflows({"a.yml": text}, environments=known, rules=rules)

    assert len(checked.findings) == count


def test_stage__reusable_workflow__by_its_input() -> None:
    called = CALLED.replace("prod", "${{ inputs.to }}")
    text = jobs(
        dev="uses: ./.github/workflows/release.yml\nwith: {to: dev}",
        prod="uses: ./.github/workflows/release.yml\nwith: {to: prod}",
    )

    (finding,) = find("stage-before-production", text, release=called)

    assert pointed(text, finding) == "prod"
    assert (
        find(
            "stage-before-production",
            text.replace("  prod:", "  prod:\n    needs: dev"),
            release=called,
        )
        == ()
    )


@pytest.mark.parametrize(
    ("inputs", "count"), [("{services: api}", 1), ("{services: api, env: dev}", 0)]
)
def test_stage__reusable_workflow__by_what_it_does_where_no_input_says_it(
    inputs: str, count: int
) -> None:
    text = jobs(a=f"uses: ./.github/workflows/release.yml\nwith: {inputs}")

    found = find("stage-before-production", text, release=CALLED)

    assert [pointed(text, each) for each in found] == ["./.github/workflows/release.yml"] * count


PUSH = "uses: docker/build-push-action@v6\nwith:\n  push: true\n  tags: "


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (steps(f"run: docker push {REGISTRY}/api:latest"), f"{REGISTRY}/api:latest"),
        (steps(f"run: docker push {REGISTRY}/api"), f"{REGISTRY}/api"),
        (steps(f"run: docker buildx build --push -t {REGISTRY}/a:main ."), f"{REGISTRY}/a:main"),
        (steps(f"{PUSH}{REGISTRY}/api:latest"), f"{REGISTRY}/api:latest"),
        (
            steps(f"{PUSH}|\n    {REGISTRY}/api:latest\n    {REGISTRY}/api:main"),
            f"{REGISTRY}/api:latest",
        ),
        (
            steps(f"{PUSH}{REGISTRY}/api:${{{{ github.ref_name }}}}"),
            f"{REGISTRY}/api:${{{{ github.ref_name }}}}",
        ),
        (
            steps("uses: aws-actions/amazon-ecr-login@v2", "run: docker push $REG/api:latest"),
            "$REG/api:latest",
        ),
        (steps(f"env: {{T: latest}}\nrun: docker push {REGISTRY}/a:$T"), f"{REGISTRY}/a:$T"),
        (steps("run: fsd deploy --env dev --image x/api:latest"), "x/api:latest"),
        (steps("run: fsd deploy --env dev --image=x/api:staging"), "x/api:staging"),
        (steps(f"{ACTION}\nwith:\n  image: x/api:latest"), "x/api:latest"),
        (
            steps(
                f"run: docker push {REGISTRY}/a:latest",
                f"run: fsd deploy -e dev --image {REGISTRY}/a:latest",
            ),
            f"{REGISTRY}/a:latest",
        ),
    ],
)
def test_mutable_tag__only_a_tag_that_moves__found_once_at_the_image(text: str, place: str) -> None:
    (finding,) = find("workflow-mutable-image-tag", text)

    assert pointed(text, finding) == place


@pytest.mark.parametrize(
    "text",
    [
        steps(f"run: docker push {REGISTRY}/api:${{{{ github.sha }}}}"),
        steps(f"run: docker push {REGISTRY}/api:$GITHUB_SHA"),
        steps(f"run: docker push {REGISTRY}/api:v1.2.3"),
        steps(f"run: docker push {REGISTRY}/api:$GITHUB_REF_NAME-$GITHUB_RUN_NUMBER"),
        steps("run: docker push $IMAGE", DEPLOY),
        steps(f"run: docker push --all-tags {REGISTRY}/api"),
        steps(run(f"docker push {REGISTRY}/a:$GITHUB_SHA", f"docker push {REGISTRY}/a:latest")),
        steps(f"{PUSH}|\n    {REGISTRY}/a:latest\n    {REGISTRY}/a:${{{{ github.sha }}}}"),
        steps(f"{PUSH}{REGISTRY}/a:latest,{REGISTRY}/a:${{{{ github.sha }}}}"),
        steps(f"{PUSH}${{{{ steps.meta.outputs.tags }}}}"),
        steps(f"{PUSH}{REGISTRY}/a:latest".replace("push: true", "push: false")),
        steps("run: docker push ghcr.io/o/tool:latest"),
        steps("run: docker build -t api:latest .", DEPLOY),
        steps(f"run: fsd deploy -e dev --image x/a@sha256:{'0' * 64}"),
        steps(f"run: fsd deploy -e dev --image x/a:latest@sha256:{'0' * 64}"),
        steps("run: fsd deploy -e dev --image localhost:5000/a:${{ github.sha }}"),
        steps(f"{ACTION}\nwith: {{image: '${{{{ needs.build.outputs.image }}}}'}}"),
        steps(ACTION),
    ],
)
def test_mutable_tag__commit_version_or_digest__nothing(text: str) -> None:
    assert find("workflow-mutable-image-tag", text) == ()
