"""Roles and credentials for an embedded AWS that enforces IAM."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import boto3
from botocore.config import Config

Statement: TypeAlias = Mapping[str, object]
REGION = "us-east-1"
_CONFIG = Config(retries={"total_max_attempts": 1})
EVERYTHING: Statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def allow(*actions: str, on: str = "*", condition: object = None) -> Statement:
    found: dict[str, object] = {"Effect": "Allow", "Action": [*actions], "Resource": on}
    return found | ({"Condition": condition} if condition else {})


def all_but(*actions: str) -> Statement:
    return {"Effect": "Allow", "NotAction": [*actions], "Resource": "*"}


@dataclass(frozen=True)
class Account:
    """The account's root, who may do all, and roles that may do what the test says."""

    id: str
    endpoint: str
    secret: str  # of the instance
    made: list[Any]

    def client(self, service: str, *, region: str = REGION, **options: Any) -> Any:
        known = {
            "aws_access_key_id": self.id,
            "aws_secret_access_key": self.secret,
            "config": _CONFIG,
            **options,
        }
        client = boto3.client(service, endpoint_url=self.endpoint, region_name=region, **known)
        self.made.append(client)
        return client

    def role(self, name: str, *statements: Statement, trusts: object = None) -> str:
        """Its ARN. Without `trusts` the account itself may assume it."""
        principal = trusts or {"AWS": f"arn:aws:iam::{self.id}:root"}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        role = self.client("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
        )
        self.allow(name, *statements)
        return str(role["Role"]["Arn"])

    def allow(self, role: str, *statements: Statement) -> None:
        """Replace what the role may do."""
        document = json.dumps({"Version": "2012-10-17", "Statement": [*statements]})
        self.client("iam").put_role_policy(
            RoleName=role, PolicyName="test", PolicyDocument=document
        )

    def assume(self, arn: str) -> Callable[[str], Any]:
        """Clients with the role's credentials."""
        answer = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="tester")
        keys = answer["Credentials"]

        def client(service: str) -> Any:
            return self.client(
                service,
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )

        return client

    def role_clients(self, *statements: Statement) -> Callable[[str], Any]:
        return self.assume(self.role("tester", *statements))


@contextmanager
def opened(endpoint: str, account: str, secret: str) -> Iterator[Account]:
    found = Account(account, endpoint, secret, [])
    try:
        yield found
    finally:
        for client in found.made:
            client.close()
