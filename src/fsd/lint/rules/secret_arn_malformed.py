"""ECS takes a secret by ARN; another text is read as a parameter's name, or stops every task.

arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX[:JSON-KEY:STAGE:VERSION], where all three
colons of the tail must be there if any is.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

FORM = "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX"
_HEAD = re.compile(r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<rest>.*)")


def check(subject: Subject) -> Iterator[Problem]:
    for index, secret in enumerate(subject.service.secrets):
        fault = _fault(secret.value_from)
        if fault is not None:
            message, fix = fault
            yield Problem(at=("service", "secrets", index, "valueFrom"), message=message, fix=fix)


def _fault(arn: str) -> tuple[str, str] | None:
    if arn.startswith("/"):
        return _parameter_fault(arn)
    head = _HEAD.fullmatch(arn)
    if head is None:
        name = arn.strip("/") if not arn.startswith("arn:") else "NAME"
        return (
            f"`{arn}` is not an ARN",
            f"write {FORM}; `aws secretsmanager describe-secret --secret-id {name} "
            "--query ARN` prints it",
        )
    account, _, resource = head["rest"].partition(":")
    if not re.fullmatch(r"\d{12}", account) or not head["region"]:
        return f"`{arn}` has no region or no 12-digit account", f"write {FORM}"
    if head["service"] == "ssm":
        is_parameter = re.fullmatch(r"parameter/[\w./-]+", resource)
        fix = "write arn:aws:ssm:REGION:ACCOUNT:parameter/NAME"
        return None if is_parameter else (f"`{arn}` is not the ARN of a parameter", fix)
    if head["service"] != "secretsmanager":
        return (
            f"`{arn}` is an ARN of `{head['service']}`, not of a secret or a parameter",
            f"write {FORM}, or arn:aws:ssm:REGION:ACCOUNT:parameter/NAME",
        )
    return _secret_fault(arn, resource)


def _parameter_fault(name: str) -> tuple[str, str] | None:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html"""
    levels = name.strip("/").split("/")
    if not re.fullmatch(r"(/[\w.-]+)+", name) or len(levels) > 15:
        fix = "write /TEAM/NAME: letters, digits, _, . and -, in up to 15 levels"
        return f"`{name}` cannot be the name of a parameter", fix
    if levels[0].lower().startswith(("aws", "ssm")):
        return f"`{name}` starts with `{levels[0]}`, which is reserved by AWS", "rename it"
    return None


def _secret_fault(arn: str, resource: str) -> tuple[str, str] | None:
    kind, *parts = resource.split(":")
    if kind != "secret" or not parts or not re.fullmatch(r"[\w/+=.@!-]+", parts[0]):
        return f"`{arn}` does not name a secret", f"write {FORM}"
    if len(parts) not in (1, 4):
        return (
            f"`{arn}` has {len(parts) - 1} parts after the secret's name, not 3",
            "write :JSON-KEY:STAGE:VERSION with all three colons, as in `:password::`",
        )
    if len(parts) == 4 and parts[2] and parts[3]:
        return (
            f"`{arn}` has both a version stage and a version ID",
            "leave one of the two empty",
        )
    return None
