"""IAM and Cloud Map, as far as an account is set up with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsd.aws.errors import aws_code, call, pages
from fsd.aws.session import Clients
from fsd.errors import CallFailedError

_OURS = {"Key": "fsd:created-by", "Value": "bootstrap"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccount:
    """`fsd.account.ports.Account`."""

    clients: Clients

    def has_provider(self, arn: str) -> bool:
        return self._provider(arn) is not None

    def delete_own_provider(self, arn: str) -> bool:
        provider = self._provider(arn)
        if provider is None or _OURS not in provider.get("Tags", []):
            return False
        client = self.clients.client("iam")
        call(client, "delete_open_id_connect_provider", arn, OpenIDConnectProviderArn=arn)
        return True

    def roles_trusting(self, provider_arn: str) -> Sequence[str]:
        return sorted(
            str(role["RoleName"])
            for page in pages(self.clients.client("iam"), "list_roles", "all roles")
            for role in page["Roles"]
            if provider_arn in json.dumps(role["AssumeRolePolicyDocument"])
        )

    def has_namespace(self, name: str) -> bool:
        client = self.clients.client("servicediscovery")
        return any(
            namespace["Name"] == name
            for page in pages(client, "list_namespaces", name)
            for namespace in page["Namespaces"]
        )

    def has_images(self, repository: str) -> bool:
        client = self.clients.client("ecr")
        try:
            answer = call(client, "list_images", repository, repositoryName=repository)
        except CallFailedError as error:
            if aws_code(error) == "RepositoryNotFoundException":
                return False
            raise
        return bool(answer["imageIds"])

    def _provider(self, arn: str) -> dict[str, Any] | None:
        client = self.clients.client("iam")
        try:
            return call(client, "get_open_id_connect_provider", arn, OpenIDConnectProviderArn=arn)
        except CallFailedError as error:
            if aws_code(error) == "NoSuchEntity":
                return None
            raise
