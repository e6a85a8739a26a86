"""What is the same for every rule for workflows: reading, suppressing, never failing."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fsd.lint.workflows import lint_workflows

BAD = "jobs:\n  a:\n    steps:\n      - run: curl https://a.example/x | sh"


def ids(text: str) -> list[str]:
    (checked,) = lint_workflows({"a.yml": text})
    return [finding.id for finding in checked.findings]


@pytest.mark.parametrize(
    "text",
    [
        f"{BAD} # fsd: ignore[workflow-unverified-download] ours",
        BAD.replace(
            "      - run", "      # fsd: ignore[workflow-unverified-download]\n      - run"
        ),
    ],
)
def test_lint_workflows__ignore_comment__nothing(text: str) -> None:
    assert ids(BAD) == ["workflow-unverified-download"]
    assert ids(text) == []


def test_lint_workflows__unknown_id_in_the_comment__said() -> None:
    assert ids("jobs: {} # fsd: ignore[workflow-unverifed-download]") == ["unknown-suppression"]


@pytest.mark.parametrize(
    "text",
    [
        "on: push\njobs:\n  a: {}",
        "true: push\njobs: {1: {steps: [1, {}, {run: [a]}, {uses: {}}]}}",
        "on: [push, {}]\njobs:\n  a: [b]\n  c:\n  d: text",
        "on: {push: , workflow_call: {inputs: 3}}\njobs: {a: {needs: {b: c}, steps: 3, env: 4}}",
        "on: push\njobs: {a: {needs: a, uses: ./.github/workflows/a.yml, strategy: {matrix: x}}}",
        "jobs: {a: {needs: b}, b: {needs: [a, c]}}",
        "on: ${{ x }}\njobs: {a: {strategy: {matrix: '${{ fromJSON(x) }}'}, steps: []}}",
        "x: &a {run: ls}\njobs: {a: {steps: [*a, *a]}, b: {<<: *a}}",
        "jobs: {a: {environment: {name: {}}, defaults: {run: 3}, runs-on: {group: x}}}",
        "runs: {using: composite, steps: [{uses: ./a}]}",
        "- a",
        "text",
        "",
        "a: b\n---\njobs: {}",
    ],
)
def test_lint_workflows__odd_but_yaml__no_finding_and_no_failure(text: str) -> None:
    assert ids(text) == []


@pytest.mark.parametrize("text", ["a: [", "\tjobs:", "jobs: \x00", "a: *b", "[" * 200])
def test_lint_workflows__not_yaml__said(text: str) -> None:
    assert len(ids(text)) == 1


def test_lint_workflows__jobs_without_end__are_read() -> None:
    deploys = "{run: fsd deploy --env prod}"
    jobs = (f"  j{i}: {{needs: j{i - 1}, steps: [{deploys}]}}\n" for i in range(800))

    (checked,) = lint_workflows({"a.yml": "on: push\njobs:\n" + "".join(jobs)})

    assert len(checked.findings) > 100


@pytest.mark.parametrize("new_line", ["\n", "\r\n"])
@pytest.mark.parametrize("before", ["", "# ☃ 𝄞\n", "\ufeff"])
def test_lint_workflows__any_line_ends_and_letters__the_place(new_line: str, before: str) -> None:
    script = "|\n\n          echo 'ä𝄞'; curl https://a.example/x | sh\n\n"
    text = (before + BAD.replace("curl https://a.example/x | sh", script)).replace("\n", new_line)

    (checked,) = lint_workflows({"a.yml": text})

    (finding,) = checked.findings
    assert str(finding.where) == f"a.yml:{before.count(chr(10)) + 6}:27"


WORDS = st.sampled_from(
    """on push jobs steps run uses with env if needs strategy matrix include environment branches
    tags workflow_call workflow_run secrets image registry username defaults shell a b true 1 null
    main prod always() fsd\\ deploy\\ --env\\ prod curl\\ https://x.example/y\\ |\\ sh =
    docker\\ push\\ a.dkr.ecr.x/y:latest ./.github/workflows/b.yml org/fsd-deploy@v1 x\\ '`$(<(
    docker/build-push-action@v6 ${{\\ secrets.A\\ }} ${{\\ matrix.a\\ }} pytest\\ ||\\ true
    curl\\ -o curl\\ -o\\ x\\ https://a/b;tar\\ x\\ x fsd\\ deploy\\ --env= aws-access-key-id
    """.replace("\\ ", "\0").split()
).map(lambda word: word.replace("\0", " "))
TREES = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=25,
)
STEPS = st.lists(st.dictionaries(WORDS, TREES, max_size=4), max_size=3)
JOBS = st.fixed_dictionaries({"steps": STEPS}) | TREES
WORKFLOWS = st.fixed_dictionaries(
    {"on": TREES, "jobs": st.dictionaries(st.sampled_from("ab"), JOBS)}
)


@settings(max_examples=80, deadline=None)
@given(WORKFLOWS | TREES, WORKFLOWS)
def test_lint_workflows__any_trees__never_fails(first: object, second: object) -> None:
    texts = {"a.yml": json.dumps(first), "b.yml": json.dumps(second)}

    checked = lint_workflows(texts)

    assert [file.path for file in checked] == ["a.yml", "b.yml"]


def test_lint_workflows__files_beside_it__not_judged_themselves() -> None:
    (checked,) = lint_workflows({"a.yml": "jobs: {}"}, known={"b.yml": BAD})

    assert (checked.path, checked.findings) == ("a.yml", ())


SEED = """\
# .github/workflows/deploy.yml
name: Deploy to ECS

on:
  push:
    branches:
      - main
      - staging

jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v3

      - name: Configure AWS credentials
        uses: aws-actions/configure-aws-credentials@v2
        with:
          role-to-assume: arn:aws:iam::123456789012:role/GitHubActionsRole
          aws-region: us-east-1

      - name: Build and push Docker image
        run: |
          docker build -t my-service:${{ github.sha }} .
          docker tag my-service:${{ github.sha }} $REGISTRY/my-service:${{ github.sha }}
          aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY
          docker push $REGISTRY/my-service:${{ github.sha }}

      - name: Install FSD CLI
        run: |
          curl -L https://fsd-cli-download-url | tar xz
          sudo mv fsd /usr/local/bin/

      - name: Deploy to dev
        if: github.ref == 'refs/heads/staging'
        run: |
          fsd deploy --env dev --file my-service.yml --image my-service:${{ github.sha }}

      - name: Deploy to prod
        if: github.ref == 'refs/heads/main'
        run: |
          fsd deploy --env prod --file my-service.yml --image my-service:${{ github.sha }}
"""


def test_lint_workflows__a_workflow_with_the_usual_pitfalls__its_three_findings() -> None:
    (checked,) = lint_workflows({"deploy.yml": SEED})

    assert [(finding.id, str(finding.where)) for finding in checked.findings] == [
        ("workflow-unverified-download", "deploy.yml:31:19"),
        ("workflow-no-tests-before-deploy", "deploy.yml:37:11"),
        ("stage-before-production", "deploy.yml:42:28"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "curl -o x http://a/b",
        "curl http://a | sh",
        "fsd deploy --env prod",
        "docker push a.dkr.ecr.x/y:${{}}${{}}${{",
        "fsd deploy --env=${{ secrets. --image a:${{ b }}/c",
        "pytest || true",
    ],
)
@pytest.mark.parametrize("joint", ["\n", " | "])
def test_lint_workflows__a_script_without_end__is_read(line: str, joint: str) -> None:
    script = joint.join([line] * 1_000)
    text = yaml.safe_dump({"on": "push", "jobs": {"a": {"steps": [{"run": script}] * 2}}})

    (checked,) = lint_workflows({"a.yml": text})

    assert checked.is_workflow
