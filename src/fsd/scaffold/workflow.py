"""Answers → a GitHub workflow: tests, then FSD's Action; on a pull request the plan.

What it uses from others is pinned to a commit, as in FSD's examples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from posixpath import normpath

from fsd.scaffold.containers import ImageBuild
from fsd.scaffold.manifest import Answers, quoted
from fsd.scaffold.testing import HowToTest

CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
ACTION = "org/fsd-deploy@v1"


def write_workflow(
    answers: Answers,
    tests: HowToTest,
    *,
    below: str = "",
    build: ImageBuild | None = None,
    service_files: str = "",
) -> str:
    """`below` is the service's folder in its repository; `service_files` a glob of several."""
    service_file = f"{below}{service_files or answers.service_file}"
    paths = _paths(below, build)
    lines = [
        "# Tests, then FSD: a push to `staging` goes to dev, a push to `main` to prod, and a pull",
        "# request gets the plan as a comment. It needs, in the repository's settings:",
        "# - environments `dev` and `prod`, each with the variable FSD_ROLE: the ARN of a role",
        "#   that trusts this repository. For `prod`, also who must approve.",
        "# - the variable FSD_PLAN_ROLE: a role that may only read",
        f"name: deploy {answers.name}" if below else "name: deploy",
        "",
        "on:",
        "  push:",
        *_filter(paths),
        "  pull_request:",
        *_filter(paths),
        "",
        "permissions: {}",
        "",
        "concurrency:",
        "  # One after another: a deployment that is cancelled half-way helps nobody.",
        "  group: ${{ github.workflow }}-${{ github.ref }}",
        "  cancel-in-progress: false",
        "",
        "jobs:",
        "  test:",
        "    name: Test",
        "    runs-on: ubuntu-latest",
        "    permissions:",
        "      contents: read # checkout",
        "    steps:",
        *_checkout(),
        "      - name: Test",
        *([f"        working-directory: {quoted(below.rstrip('/'))}"] if below else ()),
        "        run: |",
        *(f"          {line}" for line in tests.lines),
        "",
        "  plan:",
        "    name: Plan",
        "    if: github.event_name == 'pull_request'",
        *_fsd("Plan", service_file, role="FSD_PLAN_ROLE", region=answers.region),
        "",
        "  deploy:",
        "    name: Deploy",
        "    if: github.event_name == 'push'",
        "    needs: test",
        "    environment: ${{ github.ref_name == 'main' && 'prod' || 'dev' }}",
        *_fsd("Deploy", service_file, role="FSD_ROLE", region=answers.region),
    ]
    return "\n".join(lines) + "\n"


def write_deploy_workflow(*, environment: str, branch: str, service_file: str, region: str) -> str:
    """One environment and one branch, for an account that was just set up."""
    deploy, plan = (
        list(_fsd(name, service_file, role=role, region=region))
        for name, role in (("Deploy", "FSD_ROLE"), ("Plan", "FSD_PLAN_ROLE"))
    )
    lines = [
        "# Add the job that runs your tests, and `needs:` with its name to deploy.",
        "name: deploy",
        "",
        "on:",
        "  push:",
        f"    branches: [{quoted(branch)}]",
        "  pull_request:",
        "",
        "permissions: {}",
        "",
        "concurrency:",
        "  group: ${{ github.workflow }}-${{ github.ref }}",
        "  cancel-in-progress: false",
        "",
        "jobs:",
        "  plan:",
        "    name: Plan",
        "    if: github.event_name == 'pull_request'",
        *plan,
        f"          environment: {quoted(environment)}",
        "",
        "  deploy:",
        "    name: Deploy",
        "    if: github.event_name == 'push'",
        f"    environment: {quoted(environment)}",
        *deploy,
        f"          environment: {quoted(environment)}",
    ]
    return "\n".join(lines) + "\n"


def _paths(below: str, build: ImageBuild | None) -> tuple[str, ...]:
    """What a change has to touch; () for anything, as where all of the repository is copied."""
    if not below or build is None or build.context == ".":
        return (f"{below}**",) if below else ()
    context = normpath(f"{below}{build.context}")
    start = "" if context == "." else f"{context}/"
    if not build.copies:
        return (f"{start}**",) if start else ()
    names = [f"{start}{name}" for name in build.copies]
    every = [each if "." in each.rpartition("/")[2] else f"{each}/**" for each in names]
    return tuple(dict.fromkeys([f"{below}**", *(each for each in every if below not in each)]))


def _filter(paths: Sequence[str]) -> Iterator[str]:
    yield "    branches: [staging, main]"
    if paths:
        yield f"    paths: {json.dumps(list(paths))}"


def _fsd(name: str, service_file: str, *, role: str, region: str) -> Iterator[str]:
    yield "    runs-on: ubuntu-latest"
    yield "    permissions:"
    yield "      contents: read # checkout"
    yield "      id-token: write # the role on AWS"
    yield "      pull-requests: write # the comment"
    yield "    steps:"
    yield from _checkout()
    yield f"      - name: {name}"
    yield f"        uses: {ACTION}"
    yield "        with:"
    yield f"          service-file: {quoted(service_file)}"
    yield f"          role-to-assume: ${{{{ vars.{role} }}}}"
    yield f"          aws-region: {quoted(region)}"


def _checkout() -> Iterator[str]:
    yield f"      - uses: {CHECKOUT}"
    yield "        with:"
    yield "          persist-credentials: false"
