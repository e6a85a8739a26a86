"""Which steps and jobs are tests. In doubt something is one: a false alarm costs more."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from itertools import pairwise

from fsd.lint.workflows.document import Job, Workflow, WorkflowStep, every_command, file_name
from fsd.lint.workflows.programs import program
from fsd.lint.workflows.shell import Command

_PROGRAMS = re.compile(
    r"pytest|py\.test|tox|nox|unittest|nose2|behave|robot|trial|stestr|ctest|rspec|jest|vitest"
    r"|mocha|ava|phpunit|pest|bats|playwright|cypress|karma|testinfra|molecule|gotestsum"
    r"|cargo-nextest|locust|newman|k6|schemathesis|goss|mutmut"
)
# These take the name of a task: `make test`, `npm run test:unit`, `uv run pytest`.
_RUNNERS = re.compile(
    r"make|just|task|invoke|inv|rake|npm|npx|yarn|pnpm|bun|deno|go|cargo|mix|dotnet|swift|sbt|lein"
    r"|bazel|earthly|dagger|composer|hatch|pdm|poetry|uvx?|rye|pipenv|pixi|pants|nx|turbo|lerna"
    r"|pipx|nix|manage\.py|flutter|dart|meson|ninja|python[\d.]*|coverage"
    r"|bundle|rails|sh|bash|zsh|xvfb-run|mise|devbox"
)
# How many arguments say what runs; the rest is for it: `python deploy.py test`.
_FIRST = {"sh": 1, "bash": 1, "zsh": 1, "python": 1, "python3": 1}
_CONTAINERS = frozenset({"docker", "podman", "docker-compose"})
_SKIPS_TESTS = re.compile(r"-(?:DskipTests|Dmaven\.test\.skip)(?:=true)?")
_BUILDS = frozenset({"mvn", "mvnw", "gradle", "gradlew", "ant"})
_TASK = re.compile(
    r"(?:^|[-_:./])(?:(?:unit|run)?tests?|pytest|checks?|verify|ci|specs?|e2e|integration"
    r"|coverage|unittest|tox|nox)(?:$|[-_:./])",
    re.IGNORECASE,
)
_STEP_NAME = re.compile(
    r"(?<![a-z])(?:(?:unit|py|run)?tests?|testing|unittests?|e2e|specs?)(?![a-z])", re.IGNORECASE
)
_JOB_NAME = re.compile(
    _STEP_NAME.pattern + r"|(?<![a-z])(?:ci|qa|checks?|verify|validate|quality)(?![a-z])",
    re.IGNORECASE,
)


# What says only that something is well written, or could be built.
_VALIDATES = re.compile(
    r"terraform|tofu|tflint|aws|cfn-lint|cfn_nag|checkov|tfsec|trivy|snyk|grype|ruff|flake8|black"
    r"|isort|mypy|pyright|pylint|bandit|safety|eslint|prettier|hadolint|actionlint|zizmor|yamllint"
    r"|pre-commit|shellcheck|docker|podman|echo|jq|yq|fsd|cdk|sam|ecspresso|copilot|git|curl|cat|cd"
    r"|export|set|mkdir|cp|mv|ls|test|\[|\[\[|exit|true|false|printf|pip3?|apt-get|apt|sudo|grep|sed|awk"
    r"|if|for|while|sleep|helm|kubectl|semgrep|gitleaks|trufflehog|codespell|markdownlint"
)
_OTHER_PURPOSE = re.compile(r"deploy|lint|format|label|comment|notif|scan|cleanup|stale|assign")
_WEAK_NAME = re.compile(r"(?<![a-z])(?:checks?|verify|validate|quality)(?![a-z])", re.IGNORECASE)
_KNOWN_ACTIONS = re.compile(
    r"actions/|aws-actions/|docker/|hashicorp/|github/codeql|aquasecurity/|hadolint/|astral-sh/"
    r"|dorny/|pre-commit/|terraform-linters/|bridgecrewio/|snyk/|anchore/|gitleaks/|super-linter"
)


_INSTALLS = frozenset({"install", "add", "sync", "i", "pip", "download", "publish"})


class Tested(Enum):
    NO = "no"
    IGNORED = "ignored"  # there are tests, and their failure stops nothing
    YES = "yes"


def tested(workflow: Workflow, job: Job, step: int, offset: int) -> Tested:
    """Whether tests must pass before what is in a step of the job, at an offset of its script."""
    steps = job.steps[: max(step, 0)]
    inside = [of(each) for each in steps for of in (_of_step, _composite(workflow))]
    before = _before_in_script(job, step, offset)
    needed = [_of_job(workflow, each) for each in workflow.needed(job)]
    if _goes_on_anyway(job.condition):
        needed = [Tested.NO if found is Tested.NO else Tested.IGNORED for found in needed]
    found = [*inside, before, *needed]
    if job.uses is not None:
        found.append(_of_call(workflow, job))
    return max(found, key=list(Tested).index)


def runs_on_pull_request(workflow: Workflow) -> bool:
    """Whether it tests what is about to be merged."""
    events = {"pull_request", "merge_group", "pull_request_target"}
    return bool(events & workflow.triggers.keys()) and any(
        _of_job(workflow, job) is Tested.YES for job in workflow.jobs.values()
    )


def has_tests(workflow: Workflow) -> bool:
    return any(_of_job(workflow, job) is Tested.YES for job in workflow.jobs.values())


def _goes_on_anyway(condition: str) -> bool:
    """`if: always()` starts a job after others have failed, unless it asks how they ended."""
    anyway = "always()" in condition or "failure()" in condition
    return anyway and ".result" not in condition and "success()" not in condition


def _of_job(workflow: Workflow, job: Job) -> Tested:
    if job.may_fail:
        return Tested.IGNORED if _is_about_tests(_JOB_NAME, job.id, job.name) else Tested.NO
    if job.uses is not None:
        found = _of_call(workflow, job)
        if found is not Tested.NO:
            return found
    every = (of(step) for step in job.steps for of in (_of_step, _composite(workflow)))
    found = max(every, key=list(Tested).index, default=Tested.NO)
    if found is Tested.NO and _is_about_tests(_JOB_NAME, job.id, job.name):
        is_none = _only_validates(job) or _skips_tests(job) or _only_builds(job)
        return Tested.NO if is_none else Tested.YES
    return found


def _only_builds(job: Job) -> bool:
    """A job called `test` that makes an image, and runs nothing of it."""
    commands = [command for step in job.steps for command in step.commands if command.words]
    images = [each for each in commands if file_name(program(each)) in _CONTAINERS]
    others = [each for each in commands if each not in images]
    return (
        job.uses is None
        and bool(images)
        and all({"build", "buildx"} & set(each.texts[1:3]) for each in images)
        and all(file_name(program(each)) in ("cd", "echo") for each in others)
        and all(_KNOWN_ACTIONS.match(step.action) for step in job.steps if step.uses is not None)
    )


def _skips_tests(job: Job) -> bool:
    """`Build & Test`, whose build is told to test nothing."""
    builds = [
        command
        for step in job.steps
        for command in step.commands
        if command.words and file_name(program(command)) in _BUILDS
    ]
    return bool(builds) and all(map(_is_told_to_skip, builds))


def _only_validates(job: Job) -> bool:
    """`validate`, `quality` and the like, where every step is known to test nothing."""
    if _is_about_tests(_STEP_NAME, job.id, job.name) or job.uses is not None:
        return False
    if not _is_about_tests(_WEAK_NAME, job.id, job.name):
        return False
    return all(
        _KNOWN_ACTIONS.match(step.action) is not None
        if step.uses is not None
        else bool(step.commands)
        and all(
            _VALIDATES.fullmatch(program(command)) for command in step.commands if command.words
        )
        for step in job.steps
    )


def _of_call(workflow: Workflow, job: Job) -> Tested:
    """A reusable workflow: what is in it, else what it is called. Elsewhere: likely more than a
    deployment."""
    if job.uses is None:
        return Tested.NO
    called = workflow.called_by(job.uses)
    if called is not None:
        inner = [_of_job(called, each) for each in called.jobs.values() if each.uses is None]
        return max(inner, key=list(Tested).index, default=Tested.NO)
    path = job.uses.text.partition("@")[0]
    if _is_about_tests(_JOB_NAME, file_name(path)):
        return Tested.YES
    is_other = _OTHER_PURPOSE.search(file_name(path)) is not None
    return Tested.NO if path.startswith("./") or is_other else Tested.YES


def _of_step(step: WorkflowStep) -> Tested:
    found = [_of_command(step.commands, index) for index in range(len(step.commands))]
    about = [step.name, file_name(step.action) if step.action else ""]
    if not found and _is_about_tests(_STEP_NAME, *about):
        found = [Tested.YES]
    is_named = _is_about_tests(_STEP_NAME, step.name) and not _only_asks(step)
    if any(map(_is_test, _inner(step))) or is_named:
        found.append(Tested.YES if Tested.IGNORED not in found else Tested.NO)
    best = max(found, key=list(Tested).index, default=Tested.NO)
    return Tested.IGNORED if best is Tested.YES and step.may_fail else best


def _only_asks(step: WorkflowStep) -> bool:
    """`Test AWS CLI`: whether an account can be reached says nothing of the code."""
    programs = {program(command) for command in step.commands if command.words}
    return "aws" in programs and programs <= {"aws", "echo"}


def _composite(workflow: Workflow) -> Callable[[WorkflowStep], Tested]:
    return partial(_of_composite, workflow)


def _of_composite(workflow: Workflow, step: WorkflowStep) -> Tested:
    """An action of the same repository."""
    action = workflow.action_of(step)
    if action is None:
        return Tested.NO
    inner = [_of_step(each) for job in action.jobs.values() for each in job.steps]
    return max(inner, key=list(Tested).index, default=Tested.NO)


def _inner(step: WorkflowStep) -> Sequence[Command]:
    return [command for command in every_command(step.commands) if command not in step.commands]


def _before_in_script(job: Job, step: int, offset: int) -> Tested:
    """`make test && fsd deploy …` in one script."""
    if not 0 <= step < len(job.steps):
        return Tested.NO
    commands = job.steps[step].commands
    found = [
        _of_command(commands, index)
        for index, command in enumerate(commands)
        if command.words and command.words[0].offset < offset
    ]
    return max(found, key=list(Tested).index, default=Tested.NO)


def _of_command(commands: Sequence[Command], index: int) -> Tested:
    command = commands[index]
    if not _is_test(command):
        return Tested.NO
    following = commands[index + 1].texts if index + 1 < len(commands) else ()
    goes_on = following[:1] in (("true",), (":",), ("echo",)) or following[:2] == ("exit", "0")
    return Tested.IGNORED if command.after == "||" and goes_on else Tested.YES


def _is_test(command: Command) -> bool:
    words = [text for text in command.texts if not text.startswith("-")]
    while words and (words[0] in ("sudo", "env", "time", "exec", "command") or "=" in words[0]):
        words = words[1:]
    if words[1:] and file_name(words[1]) == "manage.py":
        words = words[1:]
    if not words:
        return False
    name, arguments = file_name(words[0]), words[1:]
    if _PROGRAMS.fullmatch(name):
        return True
    if name in _BUILDS:
        return _builds_with_tests(command, arguments)
    if name in _CONTAINERS:
        return _runs_in_container(command, arguments)
    if _RUNNERS.fullmatch(name):
        return _runs_task(command, arguments[: _FIRST.get(name, len(arguments))])
    return "/" in words[0] and _TASK.search(name) is not None


def _builds_with_tests(command: Command, tasks: Sequence[str]) -> bool:
    """Maven and Gradle test whatever they package, unless they are told not to."""
    wanted = {"test", "verify", "check", "build", "package", "install", "deploy"}
    does = any(task in wanted or _TASK.search(task) for task in tasks)
    return does and not _is_told_to_skip(command)


def _is_told_to_skip(command: Command) -> bool:
    excluded = any(
        flag in ("-x", "--exclude-task") and "test" in task.lower()
        for flag, task in pairwise(command.texts)
    )
    return excluded or any(map(_SKIPS_TESTS.fullmatch, command.texts))


def _runs_in_container(command: Command, arguments: Sequence[str]) -> bool:
    """`docker build --target test`, `docker run IMAGE pytest`, `docker compose run test`."""
    if "build" in arguments[:2]:
        return any(
            (before == "--target" and _TASK.search(text))
            or (text.startswith("--target=") and _TASK.search(text.partition("=")[2]))
            for before, text in pairwise(command.texts)
        )
    runs = {"run", "exec", "up"} & set(arguments)
    return bool(runs) and any(
        _PROGRAMS.fullmatch(file_name(part)) or _TASK.search(part)
        for argument in arguments
        for part in argument.split()
    )


def _runs_task(command: Command, arguments: Sequence[str]) -> bool:
    """Some argument is a test; what is only installed is none."""
    if "-c" in command.texts:
        return any(
            _PROGRAMS.fullmatch(file_name(part)) for text in arguments for part in text.split()
        )
    if arguments[:1] == ["ci"]:  # npm's installs
        return file_name(command.texts[0]) not in ("npm", "pnpm")
    if _INSTALLS & set(arguments[:3]):
        return False
    return any(
        _PROGRAMS.fullmatch(file_name(argument)) or _TASK.search(argument) for argument in arguments
    )


def _is_about_tests(names: re.Pattern[str], *texts: str) -> bool:
    return any(
        names.search(text) and not re.search(r"\bcheck[- ]?out\b", text, re.IGNORECASE)
        for text in texts
    )
