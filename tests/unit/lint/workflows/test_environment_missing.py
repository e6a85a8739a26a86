"""Which jobs are asked for GitHub's `environment:`."""

from __future__ import annotations

import pytest

from fsd.lint.workflows.run import lint_workflows
from fsd.manifest.environments import load_environments

HEAD = "on: {push: {branches: [main]}, pull_request: {}}\njobs:\n"
TEST = "  t: {runs-on: x, steps: [{run: make test}]}\n"
DEV = "  dev: {needs: t, steps: [{uses: org/fsd-deploy@v1, with: {environment: dev}}]}\n"
ID = "workflow-environment-missing"


def job(step: str, more: str = "") -> str:
    return f"{HEAD}{TEST}{DEV}  go:\n    needs: dev\n{more}    steps:\n      - {step}\n"


ACTION = "uses: org/fsd-deploy@v1\n        with: {environment: prod}"
MISSING = [
    job(ACTION),
    job("run: fsd deploy --env prod"),
    job("run: fsd deploy -e production"),
    job("run: |\n          set -e\n          fsd deploy --env=prod --file a.yml"),
    job("run: aws ecs update-service --cluster prod --service x --force-new-deployment"),
    job("run: copilot deploy --env prod"),
    job("run: fsd deploy --env eu", ""),  # protected in the environments file
    job(ACTION, "    if: github.event_name == 'workflow_dispatch'\n"),
    job(ACTION, "    if: github.event_name == 'push'\n"),
    job(ACTION, "    env: {environment: prod}\n"),
    job(ACTION, "    environment: ''\n"),
    job("uses: org/fsd-deploy@v1"),  # main goes to prod
    job("run: copilot deploy --env ${STAGE:-prod}"),
    job("run: ecspresso deploy\n        working-directory: ecspresso/prod"),
    job("run: ecspresso deploy", "    defaults: {run: {working-directory: ./prod}}\n"),
]
THERE = [
    job(ACTION, "    environment: prod\n"),
    job(ACTION, "    environment: {name: prod, url: https://a}\n"),
    job(ACTION, "    environment: ${{ github.ref_name == 'main' && 'prod' || 'dev' }}\n"),
    job(ACTION, "    if: github.event_name == 'pull_request'\n"),
    job("run: fsd plan --env prod"),
    job("run: ecspresso diff\n        working-directory: ecspresso/prod"),
    job("run: ecspresso deploy\n        working-directory: live/dev"),
    job(
        "run: copilot deploy --env ${STAGE:-prod}",
        "    env: {STAGE: '${{ vars.STAGE }}'}\n",
    ),
    job("run: fsd deploy --env dev"),
    job("run: fsd deploy --env preprod"),
    job("run: fsd deploy --env non-prod"),
    job("uses: org/fsd-deploy@v1\n        with: {environment: prod, dry-run: true}"),
    job(ACTION).replace("push: {branches: [main]}, ", ""),
]
PROTECTED = load_environments(
    "apiVersion: fsd/v1\nkind: Environment\nmetadata: {name: eu}\nspec: {protected: true}\n",
    path="x",
)[0]


def found(text: str) -> list[str]:
    (checked,) = lint_workflows({".github/workflows/a.yml": text}, environments=PROTECTED)
    return [finding.id for finding in checked.findings if finding.id == ID]


@pytest.mark.parametrize("text", MISSING)
def test_check__deploys_to_production_without_an_environment__found_once(text: str) -> None:
    assert found(text) == [ID]


@pytest.mark.parametrize("text", THERE)
def test_check__environment_or_no_production__not_found(text: str) -> None:
    assert found(text) == []
