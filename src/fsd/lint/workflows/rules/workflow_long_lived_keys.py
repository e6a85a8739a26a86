"""An access key in a secret works from anywhere, for anyone, until somebody thinks of it.

With OIDC the job gets credentials of its own that end with it, and the role says which repository,
branch or environment may have them. There is nothing to store, to rotate or to leak.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType

from fsd.lint.workflows.document import Workflow, WorkflowStep, scalars
from fsd.lint.workflows.problem import WorkflowProblem
from fsd.manifest.key_path import KeyPath
from fsd.manifest.yaml_tree import Scalar, find

# Older actions call the two halves `aws_access_key` and `aws_secret_key`.
_KEYS = ("aws_access_key_id", "aws_access_key", "aws_secret_access_key", "aws_secret_key")
_STORED = re.compile(r"\$\{\{[^}]{0,300}\b(?:secrets|vars)\b[^}]{0,300}\}\}", re.IGNORECASE)
# A secret that is called after a key; `[ -n "${{ secrets.… }}" ]` only asks whether there is one.
_NAMED = re.compile(
    r"(?<!-[zn] )(?<!-[zn] [\"'])"
    r"\$\{\{\s*secrets\.(?:\w{1,99}_)?AWS_ACCESS_KEY(?:_ID)?(?:_\w{1,99})?\s*\}\}",
    re.IGNORECASE,
)
_OF_ENV = re.compile(r"\$\{\{\s*env\.(?P<name>\w+)\s*\}\}")
_KEY_ID = re.compile(r"\bAKIA[A-Z0-9]{16}\b")
# Stores that speak S3 and know no OIDC.
_NOT_AWS = re.compile(
    r"(?:^|_)(?:R2|MINIO|B2|BACKBLAZE|WASABI|SPACES|DO|SCW|SCALEWAY|HETZNER|CLOUDFLARE|CF|STORJ)"
    r"(?:_|$)"
)
_FIX = (
    "`permissions: id-token: write` and `role-to-assume` with a role that trusts this "
    "repository; `uses: org/fsd-deploy@v1` takes the role as `role-to-assume` and keeps nothing"
)


def check(workflow: Workflow) -> Iterator[WorkflowProblem]:
    root = workflow.document.root
    yield from _in(scalars(find(root, ("env",))), at=("env",))
    for job in workflow.jobs.values():
        yield from _in(scalars(find(root, (*job.at, "env"))), at=(*job.at, "env"))
        for key in ("with", "secrets"):
            yield from _in(scalars(find(root, (*job.at, key))), at=(*job.at, key))
        for step in job.steps:
            yield from _in(scalars(find(root, (*step.at, "env"))), at=(*step.at, "env"))
            yield from _in(step.inputs, at=(*step.at, "with"), env=step.env)
            yield from _registry_login(step)
            yield from _in_script(step)


def _in(
    values: Mapping[str, Scalar], *, at: KeyPath, env: Mapping[str, Scalar] = MappingProxyType({})
) -> Iterator[WorkflowProblem]:
    """One finding for the two halves of a key; `env` is what `${{ env.X }}` stands for."""
    known = {_normal(key): (key, value) for key, value in values.items()}
    if "aws_session_token" in known or any(key.startswith("aws_endpoint_url") for key in known):
        return
    for name in _KEYS:
        if name in known:
            key, value = known[name]
            if _is_stored(_written(value, env)):
                yield _problem(value, at=(*at, key), name=key)
                return
    for key, value in values.items():
        named = _named(value.text)
        if named is not None:
            yield _at(named, value, at=(*at, key), name=key)
            return


def _written(value: Scalar, env: Mapping[str, Scalar]) -> str:
    """With what `${{ env.X }}` stands for, unless X has the finding itself."""
    match = _OF_ENV.fullmatch(value.text.strip())
    if match is None or _normal(match["name"]) in _KEYS or match["name"] not in env:
        return value.text
    return env[match["name"]].text


def _named(text: str) -> re.Match[str] | None:
    """Where a text takes a secret that is called after a key of AWS."""
    if "session_token" in text.lower():
        return None
    matches = _NAMED.finditer(text)
    return next((each for each in matches if _is_stored(each[0]) and not _is_noted(each)), None)


def _is_noted(match: re.Match[str]) -> bool:
    """In a comment of a script."""
    before = match.string[: match.start()]
    return before[before.rfind("\n") + 1 :].lstrip().startswith("#")


def _registry_login(step: WorkflowStep) -> Iterator[WorkflowProblem]:
    """docker/login-action takes an access key as the user of a registry on ECR."""
    registry, username = step.input("registry"), step.input("username")
    if registry is None or username is None or ".dkr.ecr." not in step.resolve(registry.text):
        return
    if _is_stored(step.resolve(username.text)):
        yield _problem(username, at=(*step.at, "with", "username"), name="username")


def _in_script(step: WorkflowStep) -> Iterator[WorkflowProblem]:
    """`aws configure set aws_access_key_id …`, or a secret that the script is given in its text."""
    configured = tuple(_configured(step))
    yield from configured
    named = _named(step.run.text) if step.run is not None and not configured else None
    if step.run is not None and named is not None:
        yield _at(named, step.run, at=(*step.at, "run"), name=named[0])


def _configured(step: WorkflowStep) -> Iterator[WorkflowProblem]:
    for command in step.commands:
        if step.run is None or command.texts[:3] != ("aws", "configure", "set"):
            continue
        for name, value in pairwise(command.words):
            if name.text == _KEYS[0] and _is_stored(step.resolve(value.text)):
                yield WorkflowProblem(
                    at=(*step.at, "run"),
                    value=step.run,
                    message=_message(name.text),
                    fix=_FIX,
                    offset=value.offset,
                    width=value.width,
                )


def _problem(value: Scalar, *, at: KeyPath, name: str) -> WorkflowProblem:
    return WorkflowProblem(at=at, value=value, message=_message(name), fix=_FIX)


def _at(match: re.Match[str], value: Scalar, *, at: KeyPath, name: str) -> WorkflowProblem:
    return WorkflowProblem(
        at=at,
        value=value,
        message=_message(name),
        fix=_FIX,
        offset=match.start(),
        width=len(match[0]),
    )


def _message(name: str) -> str:
    return f"`{name}` is a key that stays valid until somebody removes it"


def _is_stored(text: str) -> bool:
    """A secret, or a key that stands there. What another step gave may be short-lived; a literal
    such as `test` is for an emulator."""
    stored = _STORED.search(text)
    if stored is None:
        return _KEY_ID.search(text) is not None
    return not _NOT_AWS.search(stored[0].upper().replace(".", "_"))


def _normal(key: str) -> str:
    return key.lower().replace("-", "_")
