"""The stack of an account and an environment: who may deploy, and what a deployment finds there.

One stack, made by whoever may make roles, and then by nobody else: no role in it may change it. The
template names no account, so that it can be checked, kept and applied with other tools.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from fsd.account.boundary import boundary_grants
from fsd.account.cloudformation_policy import cloudformation_grants
from fsd.account.grant import AccountPlace, Grant, Reach, documents, policy
from fsd.account.issuer import AUDIENCE, ISSUER, ISSUER_URL
from fsd.account.joined import Joined, read_joined, write_joined
from fsd.account.network import network_resources
from fsd.account.policies import deploy_grants, drift_grants, plan_grants
from fsd.account.trust import (
    trust_cloudformation,
    trust_deployments,
    trust_plans,
)
from fsd.compile.desired import Json, JsonValue
from fsd.errors import ErrorCode, ManifestError
from fsd.manifest import names

ANYWHERE = AccountPlace()
PROVIDER = "GitHubOidcProvider"
BOUNDARY = "Boundary"
CLUSTER = "Cluster"
NAMESPACE = "Namespace"
_METADATA = "fsd"
# Not below names.ROLE_PATH: what a service's stack may change must never be one of these roles.
_KINDS = ("Deploy", "Plan", "CloudFormation")
# Enough for an hour of waiting for a rollout, and for the tries before it.
SESSION_SECONDS = 3 * 3600
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_POLICIES_OF_A_ROLE = 10
_MANY_IMAGES = 500  # releases that a rollback may want
_DAYS_UNTAGGED = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStack:
    """What `fsd bootstrap` wants an environment's account to have."""

    environment: str
    cluster: str
    joined: tuple[Joined, ...]
    network: str = ""  # nat | endpoints; "" where the account has one
    foreign: frozenset[str] = frozenset()  # of `claims`: what the account has from elsewhere

    @property
    def claims(self) -> tuple[str, ...]:
        """Logical names of what an account can have only once: what is there already is used."""
        services = sorted({name for one in self.joined for name in one.services})
        return (PROVIDER, CLUSTER, NAMESPACE, *map(repository_id, services))

    def makes(self, claim: str) -> bool:
        return claim not in self.foreign

    @property
    def name(self) -> str:
        return stack_name(self.environment)

    def reach(self, joined: Joined, place: AccountPlace) -> Reach:
        return Reach(
            place=place,
            environment=self.environment,
            cluster=self.cluster,
            services=joined.services,
            boundary=boundary_arn(self.environment, place),
            cloudformation_role=role_arn(joined, "cloudformation", self.environment, place),
            named=joined.named,
        )


def stack_name(environment: str) -> str:
    """Begins as no service's stack does, so that no deploy role reaches it."""
    return f"bootstrap-fsd-{environment}"


def boundary_name(environment: str) -> str:
    return f"fsd-boundary-{environment}"


def boundary_arn(environment: str, place: AccountPlace) -> str:
    return place.arn("iam", f"policy/{boundary_name(environment)}", is_global=True)


def role_arn(joined: Joined, kind: str, environment: str, place: AccountPlace) -> str:
    """`kind` is deploy, plan or cloudformation."""
    return place.arn("iam", f"role/{joined.role(kind, environment)}", is_global=True)


def provider_arn(place: AccountPlace) -> str:
    return place.arn("iam", f"oidc-provider/{ISSUER}", is_global=True)


def role_grants(kind: str, reach: Reach) -> tuple[Grant, ...]:
    match kind:
        case "deploy":
            return (*deploy_grants(reach), *drift_grants(reach))
        case "plan":
            return (*plan_grants(reach), *drift_grants(reach))
        case _:
            return cloudformation_grants(reach)


def write_template(stack: AccountStack, place: AccountPlace = ANYWHERE) -> Json:
    """Equal wishes give equal templates. With a place of its own it is shorter, and for there only.

    Raises ManifestError for policies that are more than a role can have.
    """
    resources: Json = {
        **(_provider() if stack.makes(PROVIDER) else {}),
        BOUNDARY: _boundary(stack),
        **({CLUSTER: _cluster(stack)} if stack.makes(CLUSTER) else {}),
        **({NAMESPACE: _namespace(stack)} if stack.makes(NAMESPACE) else {}),
        **dict(_roles(stack, place)),
        **dict(_repositories(stack)),
        **network_resources(stack.network, environment=stack.environment),
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"What fsd needs to deploy to {stack.environment}, made by fsd bootstrap",
        "Metadata": {
            _METADATA: {
                "cluster": stack.cluster,
                "foreign": [*sorted(stack.foreign)],
                "joined": write_joined(stack.joined),
                "network": stack.network,
            }
        },
        "Resources": {name: _substituted(value) for name, value in resources.items()},
    }


def read_stack(template: Json, *, environment: str) -> AccountStack | None:
    """What an earlier call wanted; None for a template that is not of `write_template`."""
    metadata = template.get("Metadata")
    ours = metadata.get(_METADATA) if isinstance(metadata, dict) else None
    if not isinstance(ours, dict):
        return None
    foreign = ours.get("foreign")
    return AccountStack(
        environment=environment,
        cluster=str(ours.get("cluster", environment)),
        joined=read_joined(ours.get("joined")),
        network=str(ours.get("network", "")),
        foreign=frozenset(map(str, foreign if isinstance(foreign, list) else ())),
    )


def repository_id(service: str) -> str:
    """Logical name of a service's repository."""
    return f"Repository{_suffix(names.repository(service))}"


# --- resources -----------------------------------------------------------------------------------


def _provider() -> Json:
    """Kept when the stack goes: another environment of the account may trust it.

    Without thumbprints: AWS checks GitHub's certificate by its own list of authorities.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html
    """
    return {
        PROVIDER: {
            "Type": "AWS::IAM::OIDCProvider",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "Url": ISSUER_URL,
                "ClientIdList": [AUDIENCE],
                "Tags": [{"Key": "fsd:created-by", "Value": "bootstrap"}],
            },
        }
    }


def _boundary(stack: AccountStack) -> Json:
    given = sorted({arn for joined in stack.joined for arn in joined.named.roles})
    return _managed(
        policy(boundary_grants(tuple(given))),
        "What no role of a service may exceed",
        ManagedPolicyName=boundary_name(stack.environment),
    )


def _cluster(stack: AccountStack) -> Json:
    """With all that a service may ask of it: no deploy role may change what others use too.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-cluster.html
    """
    namespace: JsonValue = (
        {"Fn::GetAtt": [NAMESPACE, "Arn"]} if stack.makes(NAMESPACE) else stack.environment
    )
    return {
        "Type": "AWS::ECS::Cluster",
        "Properties": {
            "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "ClusterName": stack.cluster,
            "ServiceConnectDefaults": {"Namespace": namespace},
            "Tags": _tags(stack.environment),
        },
    }


def _namespace(stack: AccountStack) -> Json:
    """Of Service Connect: by its name in it a service is reached by others.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts.html
    """
    return {
        "Type": "AWS::ServiceDiscovery::HttpNamespace",
        "Properties": {"Name": stack.environment, "Tags": _tags(stack.environment)},
    }


def _roles(stack: AccountStack, place: AccountPlace) -> Iterator[tuple[str, JsonValue]]:
    """Each with its policies beside it: one that is inline would end at two services."""
    provider: JsonValue = {"Ref": PROVIDER} if stack.makes(PROVIDER) else provider_arn(place)
    for joined in stack.joined:
        reach = stack.reach(joined, place)
        trusts = (
            trust_deployments(joined, provider=provider),
            trust_plans(joined, provider=provider),
            trust_cloudformation(),
        )
        for kind, trust in zip(_KINDS, trusts, strict=True):
            name = joined.role(kind.lower(), stack.environment)
            found = documents(role_grants(kind.lower(), reach))
            _require_room(len(found), name=name, services=len(joined.services))
            suffix = _suffix(str(joined.repository))
            policies = {f"{kind}Policy{n}{suffix}": one for n, one in enumerate(found, start=1)}
            properties: Json = {
                "RoleName": name,
                "Description": f"{kind} from {joined.repository} to {stack.environment}",
                "MaxSessionDuration": SESSION_SECONDS,
                "AssumeRolePolicyDocument": trust,
                "ManagedPolicyArns": [{"Ref": id_} for id_ in policies],
                "Tags": _tags(stack.environment),
            }
            yield f"{kind}Role{suffix}", {"Type": "AWS::IAM::Role", "Properties": properties}
            for id_, document in policies.items():
                yield id_, _managed(document, f"{name}, see fsd iam --env {stack.environment}")


def _managed(document: Json, description: str, **more: JsonValue) -> Json:
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"Description": description, "PolicyDocument": document, **more},
    }


def _require_room(policies: int, *, name: str, services: int) -> None:
    if policies > _POLICIES_OF_A_ROLE:
        raise ManifestError(
            f"the role {name} needs {policies} policies for {services} services; IAM takes "
            f"{_POLICIES_OF_A_ROLE}",
            where="--service",
            fix="name fewer services for this repository",
            code=ErrorCode.POLICY_TOO_LONG,
        )


def _repositories(stack: AccountStack) -> Iterator[tuple[str, JsonValue]]:
    """Tags are commits and never move, but for the build cache's. Kept when the stack goes: its
    images are releases, also of other environments.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    """
    for service in sorted({name for joined in stack.joined for name in joined.services}):
        if not stack.makes(repository_id(service)):
            continue
        yield (
            repository_id(service),
            {
                "Type": "AWS::ECR::Repository",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    "RepositoryName": names.repository(service),
                    "ImageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                    "ImageTagMutabilityExclusionFilters": [
                        {
                            "ImageTagMutabilityExclusionFilterType": "WILDCARD",
                            "ImageTagMutabilityExclusionFilterValue": "buildcache*",
                        }
                    ],
                    "ImageScanningConfiguration": {"ScanOnPush": True},
                    "LifecyclePolicy": {"LifecyclePolicyText": _lifecycle()},
                    "Tags": [
                        {"Key": "fsd:created-by", "Value": "bootstrap"},
                        {"Key": "fsd:service", "Value": service},
                    ],
                },
            },
        )


def _lifecycle() -> str:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html"""
    rules = [
        {
            "rulePriority": 1,
            "description": "what no tag names any more",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": _DAYS_UNTAGGED,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "description": "releases: as many as a rollback may ever want",
            "selection": {
                "tagStatus": "any",
                "countType": "imageCountMoreThan",
                "countNumber": _MANY_IMAGES,
            },
            "action": {"type": "expire"},
        },
    ]
    return json.dumps({"rules": rules}, sort_keys=True)


def _tags(environment: str) -> list[JsonValue]:
    return [{"Key": "fsd:environment", "Value": environment}]


def _suffix(text: str) -> str:
    """A logical name may only have letters and digits; the hash keeps `a-b` and `ab` apart."""
    words = "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", text))
    return f"{words[:60]}{sha256(text.lower().encode()).hexdigest()[:6]}"


def _substituted(value: JsonValue) -> JsonValue:
    """Every text with a pseudo parameter in it becomes Fn::Sub."""
    match value:
        case str() if "${AWS::" in value:
            return {"Fn::Sub": value}
        case dict():
            return {key: _substituted(item) for key, item in value.items()}
        case list():
            return [_substituted(item) for item in value]
        case _:
            return value
