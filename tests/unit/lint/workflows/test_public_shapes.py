"""Findings on shapes of strangers' workflows, labelled by hand before a rule saw them.

Each row is one public workflow with its details replaced; what it is labelled with was decided by
reading it. Deployments that are not AWS's (Vercel, Azure, a host by ssh) were left out.
"""

from __future__ import annotations

import pytest

from fsd.lint.workflows.run import lint_workflows

NO_TESTS = "workflow-no-tests-before-deploy"
MUTABLE = "workflow-mutable-image-tag"
KEYS = "workflow-long-lived-keys"
PLACE = "workflow-environment-missing"
JUDGED = {NO_TESTS, MUTABLE, KEYS, PLACE}

MAIN = "push: {branches: [main]}"
HAND = "workflow_dispatch: {}"
ECS = "ECR_REPOSITORY: shop\n  ECS_SERVICE: shop-svc\n  ECS_CLUSTER: shop-cluster"
PROD = "ECR_REPOSITORY: shop\n  ECS_SERVICE: shop-production-api\n  ECS_CLUSTER: shop-production"

SET_FOR = (
    'ECS_SERVICE: "${{{{ vars.SERVICE_{0} }}}}"\n  '
    'ECS_CLUSTER: "${{{{ vars.CLUSTER_{0} }}}}"\n  ECR_REPOSITORY: shop'
)

# --- steps

CHECKOUT = "uses: actions/checkout@v4"
BY_KEYS = """uses: aws-actions/configure-aws-credentials@v4
with:
  aws-access-key-id: ${{ secrets.AWS_ACCESS_KEY_ID }}
  aws-secret-access-key: ${{ secrets.AWS_SECRET_ACCESS_KEY }}
  aws-region: eu-west-1"""
BY_SESSION = BY_KEYS + "\n  aws-session-token: ${{ secrets.AWS_SESSION_TOKEN }}"
BY_ROLE = """uses: aws-actions/configure-aws-credentials@v4
with:
  role-to-assume: ${{ vars.DEPLOY_ROLE }}
  aws-region: eu-west-1"""
LOGIN = "id: login-ecr\nuses: aws-actions/amazon-ecr-login@v2"
ENV = "env:\n  ECR_REGISTRY: ${{ steps.login-ecr.outputs.registry }}\n  IMAGE_TAG: "
IMAGE = "$ECR_REGISTRY/$ECR_REPOSITORY:$IMAGE_TAG"
LATEST = "$ECR_REGISTRY/$ECR_REPOSITORY:latest"
SAYS = f'echo "image={IMAGE}" >> $GITHUB_OUTPUT'


def script(*lines: str, more: str = "", id_: str = "") -> str:
    body = "\n".join(f"  {line}" for line in lines)
    return f"{f'id: {id_}' if id_ else 'name: step'}\nrun: |\n{body}" + (
        f"\n{more}" if more else ""
    )


BUILD = script(
    f"docker build -t {IMAGE} .",
    f"docker push {IMAGE}",
    SAYS,
    more=f"{ENV}${{{{ github.sha }}}}",
    id_="build",
)
BUILD_LATEST = script(
    f"docker build -t {IMAGE} .", f"docker push {IMAGE}", SAYS, more=f"{ENV}latest", id_="build"
)
BUILD_BOTH = script(
    f"docker build -t {IMAGE} .",
    f"docker push {IMAGE}",
    f"docker tag {IMAGE} {LATEST}",
    f"docker push {LATEST}",
    SAYS,
    more=f"{ENV}${{{{ github.sha }}}}",
    id_="build",
)
RENDER = """id: task-def
uses: aws-actions/amazon-ecs-render-task-definition@v1
with:
  task-definition: task-definition.json
  container-name: app
  image: ${{ steps.build.outputs.image }}"""
ROLL = """uses: aws-actions/amazon-ecs-deploy-task-definition@v2
with:
  task-definition: ${{ steps.task-def.outputs.task-definition }}
  service: ${{ env.ECS_SERVICE }}
  cluster: ${{ env.ECS_CLUSTER }}
  wait-for-service-stability: true"""
FORCE = script(
    "aws ecs update-service --cluster $ECS_CLUSTER --service $ECS_SERVICE \\",
    "  --force-new-deployment --no-cli-pager",
)
REGISTER = script(
    "ARN=$(aws ecs register-task-definition --cli-input-json file://new.json \\",
    "  --query 'taskDefinition.taskDefinitionArn' --output text)",
    "aws ecs update-service --cluster $ECS_CLUSTER --service $ECS_SERVICE \\",
    '  --task-definition "$ARN" --force-new-deployment',
)
ECR = (LOGIN, BUILD, RENDER, ROLL)


def job(name: str, *steps: str, head: str = "") -> str:
    lines = [f"  {name}:", "    runs-on: ubuntu-latest"]
    lines += [f"    {line}" for line in head.splitlines()]
    lines.append("    steps:")
    for step in (CHECKOUT, *steps):
        first, *rest = step.splitlines()
        lines += [f"      - {first}", *(f"        {line}" for line in rest)]
    return "\n".join(lines)


def workflow(on: str, *jobs: str, env: str = ECS) -> str:
    events = "\n".join(f"  {line}" for line in on.splitlines())
    return f"name: deploy\non:\n{events}\nenv:\n  {env}\njobs:\n" + "\n".join(jobs) + "\n"


def deploy(on: str, *steps: str, head: str = "", env: str = ECS) -> str:
    return workflow(on, job("deploy", *steps, head=head), env=env)


IN_PROD = "environment: production"
CHOOSES = script(
    'if [ "${{ github.ref }}" = refs/heads/main ]; then',
    'echo "environment=production" >> $GITHUB_OUTPUT',
    "else",
    'echo "environment=staging" >> $GITHUB_OUTPUT',
    "fi",
    id_="env",
)
ALWAYS_PROD = script(
    'echo "name=prod" >> $GITHUB_OUTPUT', 'echo "cluster=shop-prod" >> $GITHUB_OUTPUT', id_="env"
)
FORCE_CHOSEN = script(
    "aws ecs update-service --cluster shop --force-new-deployment \\",
    "  --service shop-${{ steps.env.outputs.environment }}",
)
AFTER_RUN = 'workflow_run: {workflows: ["CI"], types: [completed]}'
ONLY_GOOD = "if: ${{ github.event.workflow_run.conclusion == 'success' }}"
NPM_TEST = script("npm ci", "npm test")
SKIPS_TESTS = script("./gradlew clean build -x test")

ROWS: list[tuple[str, str, set[str]]] = [
    (
        "develop-keys-production",
        deploy("push: {branches: [develop]}", BY_KEYS, *ECR, head=IN_PROD),
        {NO_TESTS, KEYS},
    ),
    (
        "branch-role-register",
        deploy("push: {branches: [sprint-1]}", BY_ROLE, LOGIN, BUILD, REGISTER),
        {NO_TESTS},
    ),
    (
        "chosen-environment-forced",
        deploy(
            "push: {branches: [main, dev]}\n" + HAND,
            CHOOSES,
            BY_KEYS,
            LOGIN,
            BUILD_BOTH,
            FORCE_CHOSEN,
        ),
        {NO_TESTS, KEYS, MUTABLE, PLACE},
    ),
    (
        "called-with-a-tag",
        deploy(
            "workflow_call: {inputs: {tag: {type: string, required: true}}}",
            BY_ROLE,
            RENDER.replace("${{ steps.build.outputs.image }}", "repo/app:${{ inputs.tag }}"),
            ROLL,
        ),
        set(),
    ),
    (
        "develop-gradle",
        deploy(
            "push: {branches: [develop]}",
            script("./gradlew common:bootJar"),
            BY_KEYS,
            *ECR,
            head="environment: develop",
        ),
        {NO_TESTS, KEYS},
    ),
    (
        "called-local-action",
        deploy("workflow_call: {}", BY_ROLE, "uses: ./actions/deploy-ecs"),
        set(),
    ),
    (
        "latest-beside-the-commit",
        deploy(MAIN + "\n" + HAND, BY_KEYS, LOGIN, BUILD_BOTH, RENDER, ROLL),
        {NO_TESTS, KEYS},
    ),
    (
        "only-tags-by-if",
        deploy(
            "push: {branches: [main], tags: ['v*']}",
            BY_ROLE,
            REGISTER,
            head="if: github.ref_type == 'tag'",
        ),
        set(),
    ),
    (
        "several-images-by-latest",
        deploy(
            "push: {branches: [main, develop]}",
            ALWAYS_PROD,
            BY_ROLE,
            LOGIN,
            BUILD,
            script(
                "docker build -t $ECR_REGISTRY/front:latest ./front",
                "docker push $ECR_REGISTRY/front:latest",
                more="env: {ECR_REGISTRY: '${{ steps.login-ecr.outputs.registry }}'}",
            ),
            script(
                "aws ecs update-service --cluster ${{ steps.env.outputs.cluster }} "
                "--service front-${{ steps.env.outputs.name }} --force-new-deployment"
            ),
        ),
        {NO_TESTS, MUTABLE, PLACE},
    ),
    (
        "worker-with-run-task",
        deploy(
            "push: {branches: [main, master], paths: ['src/**']}",
            BY_KEYS,
            LOGIN,
            BUILD_BOTH,
            RENDER,
            ROLL,
            script("aws ecs run-task --cluster $ECS_CLUSTER --task-definition shop"),
        ),
        {NO_TESTS, KEYS},
    ),
    (
        "production-without-environment",
        workflow(
            MAIN,
            job("build", BY_KEYS, LOGIN, BUILD_BOTH),
            job("deploy", BY_KEYS, REGISTER, head="needs: build"),
            env=PROD,
        ),
        {NO_TESTS, KEYS, PLACE},
    ),
    (
        "after-a-run-of-any-conclusion",
        deploy(
            AFTER_RUN,
            BY_KEYS,
            script(
                "aws deploy create-deployment --application-name "
                "shop --deployment-group-name shop-prod"
            ),
            head="if: ${{ github.event.workflow_run.head_branch == 'main' }}",
        ),
        {NO_TESTS, KEYS, PLACE},
    ),
    (
        "terraform-by-hand",
        deploy(
            HAND,
            BY_KEYS,
            script("terraform init"),
            script("terraform apply -auto-approve -var-file=prod.tfvars"),
            head="environment: prod",
        ),
        {KEYS},
    ),
    (
        "name-latest-tag",
        deploy(
            MAIN,
            BY_KEYS,
            LOGIN,
            script(
                "docker build -t $IMAGE .",
                "docker push $IMAGE",
                more="env: {IMAGE: '${{ steps.login-ecr.outputs.registry "
                "}}/shop-prod:producer-latest'}",
            ),
            script(
                "aws ecs update-service --cluster shop-prod "
                "--service shop-prod-producer --force-new-deployment"
            ),
        ),
        {NO_TESTS, KEYS, MUTABLE, PLACE},
    ),
    (
        "two-images-production",
        deploy("push: {branches: [main, master]}", BY_KEYS, *ECR, head=IN_PROD),
        {NO_TESTS, KEYS},
    ),
    (
        "keys-typed-by-hand",
        deploy(HAND, BY_SESSION.replace("secrets.AWS_", "github.event.inputs.AWS_"), *ECR),
        set(),
    ),
    (
        "called-force-latest",
        deploy(
            "workflow_call: {inputs: {environment: {type: string, required: true}}}",
            BY_ROLE,
            LOGIN,
            script(
                f"docker build -t {IMAGE} -t {LATEST} .",
                f"docker push {IMAGE}",
                f"docker push {LATEST}",
                more=f"{ENV}${{{{ github.sha }}}}",
            ),
            FORCE,
            head="environment: ${{ inputs.environment }}",
        ),
        {MUTABLE},
    ),
    (
        "script-by-hand",
        deploy(
            HAND,
            BY_ROLE,
            script('./roll-images.sh --env "$E" --tag "$T"'),
            head="environment: ${{ inputs.environment }}",
        ),
        set(),
    ),
    (
        "after-a-good-run",
        workflow(
            AFTER_RUN,
            job(
                "prepare",
                script('echo "tag=sha-${GITHUB_SHA::7}" >> $GITHUB_OUTPUT', id_="vars"),
                head=ONLY_GOOD,
            ),
            job("deploy", BY_ROLE, REGISTER, head="needs: prepare"),
        ),
        set(),
    ),
    (
        "develop-to-a-test-cluster",
        deploy(
            "push: {branches: [develop]}",
            BY_KEYS,
            LOGIN,
            script("yarn build"),
            BUILD,
            RENDER,
            ROLL,
            head=IN_PROD,
        ),
        {NO_TESTS, KEYS},
    ),
    (
        "release-branch-skips-tests",
        workflow(
            "push: {branches: ['release*']}",
            job("build", SKIPS_TESTS, BY_KEYS, LOGIN, BUILD_BOTH),
            job("deploy", BY_KEYS, RENDER, ROLL, head="needs: build\n" + IN_PROD),
        ),
        {NO_TESTS, KEYS},
    ),
    (
        "by-hand-as-a-list",
        deploy(HAND, BY_KEYS, *ECR, head=IN_PROD).replace(
            "on:\n  workflow_dispatch: {}", "on: [workflow_dispatch]"
        ),
        {KEYS},
    ),
    (
        "account-of-the-caller",
        deploy(
            MAIN,
            BY_KEYS,
            script('echo "A=$(aws sts get-caller-identity --query Account)" >> $GITHUB_ENV'),
            *ECR,
        ),
        {NO_TESTS, KEYS},
    ),
    (
        "repository-dispatch-role",
        deploy("repository_dispatch: {types: [go]}", BY_ROLE, RENDER, ROLL, env="STAGE: dev"),
        set(),
    ),
    ("template-of-github", deploy(MAIN, BY_KEYS, *ECR, head=IN_PROD), {NO_TESTS, KEYS}),
    (
        "after-a-run-or-by-hand",
        deploy(AFTER_RUN + "\n" + HAND, BY_KEYS, *ECR, head=IN_PROD),
        {NO_TESTS, KEYS},
    ),
    (
        "build-arguments",
        deploy(
            MAIN + "\n" + HAND,
            BY_KEYS,
            LOGIN,
            script(
                f"docker build -t {IMAGE} --build-arg A=$A .",
                f"docker push {IMAGE}",
                SAYS,
                more=f"{ENV}${{{{ github.sha }}}}",
                id_="build",
            ),
            RENDER,
            ROLL,
            head=IN_PROD,
        ),
        {NO_TESTS, KEYS},
    ),
    (
        "session-keys-forced",
        deploy("push: {branches: [deploy-ecs]}\n" + HAND, BY_SESSION, LOGIN, BUILD_BOTH, FORCE),
        {NO_TESTS, MUTABLE},
    ),
    (
        "any-push",
        deploy(MAIN, BY_KEYS, *ECR, head=IN_PROD).replace(
            "on:\n  push: {branches: [main]}", "on: push"
        ),
        {NO_TESTS, KEYS},
    ),
    (
        "input-that-is-latest",
        deploy(
            "workflow_dispatch: {inputs: {image_tag: {required: true, default: latest}}}",
            BY_KEYS,
            RENDER.replace(
                "${{ steps.build.outputs.image }}", "me/app:${{ github.event.inputs.image_tag }}"
            ),
            ROLL,
        ),
        {KEYS, MUTABLE},
    ),
    (
        "cdk-by-hand-with-tests",
        deploy(
            HAND,
            BY_ROLE,
            script("npm test -- --runInBand"),
            script("npx cdk deploy --require-approval never"),
            head="environment: ${{ github.event.inputs.environment }}",
        ),
        set(),
    ),
    (
        "buildx-pushes-both",
        deploy(
            "push: {branches: [main], tags: ['v*']}\n" + HAND,
            BY_ROLE,
            LOGIN,
            script(
                "docker buildx build --platform linux/amd64 \\",
                f"  --tag {IMAGE} --tag {LATEST} --push .",
                more=f"{ENV}${{{{ github.sha }}}}",
            ),
            RENDER.replace("steps.build.outputs.image", "env.IMAGE"),
            ROLL,
        ),
        {NO_TESTS},
    ),
    (
        "all-from-secrets",
        deploy(MAIN, BY_KEYS, *ECR, head="permissions: {contents: read}"),
        {NO_TESTS, KEYS},
    ),
    (
        "compose-builds",
        workflow(
            "push: {branches: [feature/ci]}",
            job(
                "build",
                BY_KEYS,
                LOGIN,
                script(
                    "docker compose build",
                    "docker push $ECR_REGISTRY/shop:qa-$IMAGE_TAG",
                    more=f"{ENV}${{{{ github.sha }}}}",
                ),
            ),
            job("deploy", BY_KEYS, RENDER, ROLL, head="needs: build"),
        ),
        {NO_TESTS, KEYS},
    ),
    (
        "tests-that-cannot-fail",
        workflow(
            "push: {branches: [main, develop]}\npull_request: {branches: [main]}",
            job("build", script("npm ci"), script('npm test || echo "no tests yet"')),
            job(
                "infra",
                CHOOSES,
                BY_KEYS,
                script(
                    "if aws cloudformation deploy --template-file a.yml "
                    "--stack-name shop-${{ steps.env.outputs.environment }}; then",
                    "echo ok",
                    "fi",
                ),
                head="needs: build\nif: github.ref == 'refs/heads/main'",
            ),
        ),
        {NO_TESTS, KEYS, PLACE},
    ),
    (
        "terraform-after-push",
        deploy(
            "push: {branches: [main, 'prod**']}",
            script(
                'if [[ "${{ github.ref }}" == refs/heads/prod* ]]; then',
                'echo "environment=prod" >> $GITHUB_OUTPUT',
                "fi",
                id_="env",
            ),
            BY_ROLE,
            script(
                "terraform -chdir=ecs apply -auto-approve "
                "-var=environment=${{ steps.env.outputs.environment }}"
            ),
        ),
        {NO_TESTS, PLACE},
    ),
    (
        "pull-request-deploys-too",
        deploy("push: {branches: [main]}\npull_request: {branches: [main]}", BY_ROLE, *ECR),
        {NO_TESTS},
    ),
    (
        "site-by-hand",
        deploy(
            HAND, script("npm run build"), BY_KEYS, script("aws s3 sync build s3://bucket --delete")
        ),
        {KEYS},
    ),
    (
        "maven-skips-tests",
        deploy(
            MAIN + "\n" + HAND,
            script(
                "if [ -f mvnw ]; then",
                "./mvnw -B -DskipTests package",
                "else",
                "gradle build -x test",
                "fi",
            ),
            BY_KEYS,
            *ECR,
            head=IN_PROD,
        ),
        {NO_TESTS, KEYS},
    ),
    (
        "loop-over-services",
        workflow(
            MAIN,
            job(
                "build",
                script("./gradlew bootJar -x test"),
                BY_ROLE,
                LOGIN,
                script(
                    "for s in a b; do",
                    'docker build -t "$R/$s:$T" -t "$R/$s:latest" .',
                    'docker push "$R/$s:$T"',
                    'docker push "$R/$s:latest"',
                    "done",
                    more="env: {R: x, T: '${{ github.sha }}'}",
                ),
            ),
            "  wave:\n    needs: build\n    uses: ./.github/workflows/wave.yml",
        ),
        {NO_TESTS},
    ),
    (
        "two-images-by-latest",
        deploy(
            MAIN + "\n" + HAND,
            BY_KEYS,
            LOGIN,
            script(
                "docker build -t $ECR_REGISTRY/flask:latest .",
                "docker push $ECR_REGISTRY/flask:latest",
                more="env: {ECR_REGISTRY: '${{ steps.login-ecr.outputs.registry }}'}",
            ),
            FORCE,
        ),
        {NO_TESTS, KEYS, MUTABLE},
    ),
    (
        "version-of-the-payload",
        deploy(
            "repository_dispatch: {types: [go]}",
            BY_KEYS,
            RENDER.replace(
                "${{ steps.build.outputs.image }}",
                "r/app:${{ github.event.client_payload.version }}",
            ),
            ROLL,
        ),
        {KEYS},
    ),
    (
        "tests-terraform-forced",
        workflow(
            MAIN,
            job("test", NPM_TEST),
            job(
                "infra",
                script("terraform apply -auto-approve tfplan"),
                head="needs: test\nenv:\n  AWS_ACCESS_KEY_ID: ${{ secrets.AWS_ACCESS_KEY_ID "
                "}}\n  AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET_ACCESS_KEY }}",
            ),
            job("deploy", BY_KEYS, LOGIN, BUILD_BOTH, FORCE, head="needs: infra"),
        ),
        {KEYS, MUTABLE},
    ),
    (
        "role-and-placeholders",
        deploy(
            MAIN,
            BY_ROLE,
            LOGIN,
            BUILD,
            script("jq --arg r x '.taskRoleArn = $r' a.json > b.json"),
            RENDER,
            ROLL,
        ),
        {NO_TESTS},
    ),
    (
        "version-of-the-run",
        deploy(
            HAND,
            BY_ROLE,
            script(
                'docker build -t "$IMAGE_URI" .',
                'docker push "$IMAGE_URI"',
                "./ecs-deploy-image.sh",
                more="env: {IMAGE_URI: 'r/app:6.0.0-${{ github.run_number }}'}",
            ),
        ),
        set(),
    ),
    (
        "latest-in-an-output",
        deploy(
            "push: {branches: [master]}",
            BY_KEYS,
            script("./gradlew build"),
            LOGIN,
            BUILD_LATEST,
            RENDER,
            ROLL,
        ),
        {KEYS, MUTABLE},
    ),
    (
        "listing-before-build",
        deploy(MAIN, BY_KEYS, LOGIN, script("ls -la build/"), BUILD, RENDER, ROLL, head=IN_PROD),
        {NO_TESTS, KEYS},
    ),
    (
        "set-output-of-old",
        deploy(
            "push: {branches: [master, feature/x]}",
            BY_KEYS,
            LOGIN,
            script(
                f"docker build -t {IMAGE} .",
                f"docker push {IMAGE}",
                f'echo "::set-output name=image::{IMAGE}"',
                more=f"{ENV}${{{{ github.sha }}}}",
                id_="build",
            ),
            RENDER,
            ROLL,
            head=IN_PROD,
        ),
        {NO_TESTS, KEYS},
    ),
    (
        "a-job-called-test",
        workflow(
            MAIN,
            job("test", script("mvn package -Dmaven.test.skip=true")),
            job("push", BY_SESSION, LOGIN, BUILD_BOTH, head="needs: test"),
            job("deploy", BY_SESSION, RENDER, ROLL, head="needs: push"),
            job("smoke", script("curl --retry 5 http://shop/health"), head="needs: deploy"),
        ),
        {NO_TESTS},
    ),
    (
        "dev-names-role",
        deploy(
            MAIN + "\n" + HAND,
            BY_ROLE,
            LOGIN,
            BUILD,
            REGISTER,
            env="ECS_CLUSTER: shop-dev\n  ECS_SERVICE: shop-dev",
        ),
        {NO_TESTS},
    ),
    ("after-a-run-forced", deploy(AFTER_RUN, BY_KEYS, FORCE), {NO_TESTS, KEYS}),
    ("after-a-good-run-keys", deploy(AFTER_RUN, BY_KEYS, REGISTER, head=ONLY_GOOD), {KEYS}),
    # A later set of fifty, at first sight without these.
    (
        "target-named-by-a-setting",
        deploy(
            MAIN,
            BY_ROLE,
            LOGIN,
            BUILD_LATEST,
            FORCE,
            env=SET_FOR.format("PROD"),
        ),
        {NO_TESTS, MUTABLE, PLACE},
    ),
    (
        "target-named-by-a-setting-of-a-stage",
        deploy(
            "push: {branches: [dev]}",
            BY_ROLE,
            LOGIN,
            BUILD_LATEST,
            FORCE,
            env=SET_FOR.format("NON_PROD"),
        ),
        {NO_TESTS, MUTABLE},
    ),
    (
        "test-that-only-builds-an-image",
        workflow(
            MAIN,
            job(
                "test-backend",
                script("cd backend", "docker build --platform linux/amd64 -t test-backend ."),
            ),
            job("deploy", BY_ROLE, *ECR, head="needs: test-backend"),
        ),
        {NO_TESTS},
    ),
    (
        "test-that-builds-the-stage-of-tests",
        workflow(
            MAIN,
            job("test", script("docker build --target test -t shop:test .")),
            job("deploy", BY_ROLE, *ECR, head="needs: test"),
        ),
        set(),
    ),
    (
        "version-that-is-written-down",
        deploy(MAIN, BY_ROLE, LOGIN, BUILD_LATEST.replace("latest", "v1"), RENDER, ROLL),
        {NO_TESTS, MUTABLE},
    ),
    (
        "version-of-a-release",
        deploy(MAIN, BY_ROLE, LOGIN, BUILD_LATEST.replace("latest", "v1.4.2"), RENDER, ROLL),
        {NO_TESTS},
    ),
    (
        "test-that-asks-who-one-is",
        workflow(
            MAIN,
            job("look", "name: Test AWS CLI\nrun: aws sts get-caller-identity"),
            job("deploy", BY_ROLE, *ECR, head="needs: look"),
        ),
        {NO_TESTS},
    ),
    (
        "copilot-by-an-action-and-nothing-else",
        workflow(
            MAIN,
            job(
                "release",
                BY_KEYS,
                "uses: ksivamuthu/aws-copilot-github-action@v0.0.1\n"
                "with: {command: deploy, app: shop, env: prod}",
            ),
            env="SHOP: shop",
        ),
        {NO_TESTS, KEYS, PLACE},
    ),
]


STAGE = "stage-before-production"
WAVE = deploy("workflow_call: {}", BY_ROLE, FORCE)
PATH = ".github/workflows/deploy.yml"


def found(text: str) -> set[str]:
    """Where there is no stage before production, that finding's fix names the environment too."""
    (checked,) = lint_workflows({PATH: text}, known={".github/workflows/wave.yml": WAVE})
    ids = {each.id for each in checked.findings}
    return (ids | ({PLACE} if STAGE in ids else set())) & JUDGED


@pytest.mark.parametrize(
    ("text", "expected"), [row[1:] for row in ROWS], ids=[name for name, _, _ in ROWS]
)
def test_lint_workflows__public_shape__what_its_reader_found(text: str, expected: set[str]) -> None:
    assert found(text) == expected


def test_rows__labels__enough_of_each_kind() -> None:
    assert len(ROWS) >= 50
    labels = [label for _, _, expected in ROWS for label in expected]
    assert all(labels.count(each) >= 6 for each in JUDGED)
