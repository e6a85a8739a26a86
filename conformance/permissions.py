"""What IAM answers to a role that may not do what it asks. AWS charges nothing for it.

The role trusts the account, so whoever asks needs iam:CreateRole and sts:AssumeRole. The root
user cannot assume a role on AWS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from conformance.recording import Answer
from conformance.scenarios import TAG, Made, Site

_POLICY = "conformance"


def permissions(site: Site) -> Iterator[Answer]:
    """A call that the role's policy allows, one that nothing allows, and one that it denies."""
    iam, name = site.client("iam"), f"{site.name}-caller"
    site.undo.append(of_role(site, iam, name))
    arn = _create(site, iam, name)
    # A new role and its policy reach every endpoint after some seconds:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html
    allowed = site.last_state(
        lambda: site.refusal(lambda: _as_role(site, arn).list_clusters())[0],
        until=lambda text: text == "accepted",
    )
    yield Answer(scenario="permissions", question="call that a policy allows", said=allowed)
    if allowed != ("accepted",):
        return
    ecs = _as_role(site, arn)
    questions = {
        "call that no policy allows": partial(ecs.list_services, cluster=site.cluster),
        "call that a policy denies": partial(
            ecs.update_service, cluster=site.cluster, service=f"{site.name}-missing", desiredCount=1
        ),
    }
    for question, ask in questions.items():
        yield Answer(scenario="permissions", question=question, said=site.refusal(ask))


def _create(site: Site, iam: Any, name: str) -> str:
    """The role's ARN."""
    caller = site.client("sts").get_caller_identity()
    partition = caller["Arn"].split(":")[1]
    root = {"AWS": f"arn:{partition}:iam::{caller['Account']}:root"}
    trust = _document({"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"})
    tags = [{"Key": TAG, "Value": site.name}]
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=tags)["Role"]
    policy = _document(
        {"Effect": "Allow", "Action": "ecs:ListClusters", "Resource": "*"},
        {"Effect": "Deny", "Action": "ecs:UpdateService", "Resource": "*"},
    )
    iam.put_role_policy(RoleName=name, PolicyName=_POLICY, PolicyDocument=policy)
    return str(role["Arn"])


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _as_role(site: Site, arn: str) -> Any:
    """A client of ECS with the role's session of 15 minutes, the shortest."""
    session = site.client("sts").assume_role(
        RoleArn=arn, RoleSessionName=site.name, DurationSeconds=900
    )["Credentials"]
    return site.client(
        "ecs",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )


def of_role(site: Site, iam: Any, name: str) -> Made:
    return Made(
        what=f"role {name}",
        command=f"aws iam delete-role-policy --role-name {name} --policy-name {_POLICY} "
        f"{site.options}; aws iam delete-role --role-name {name} {site.options}",
        remove=partial(_delete, iam, name),
    )


def _delete(iam: Any, name: str) -> None:
    for remove in (
        partial(iam.delete_role_policy, RoleName=name, PolicyName=_POLICY),
        partial(iam.delete_role, RoleName=name),
    ):
        try:
            remove()
        except ClientError as error:
            if error.response["Error"].get("Code") != "NoSuchEntity":
                raise
