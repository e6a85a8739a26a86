"""What `fsd doctor` looks at beside what a release reads. Nothing is written, and no secret's value
is read unless it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fsd.account.facts import (
    BalancingQuota,
    CertificateFact,
    KeyFact,
    QuotaFact,
    SecretFact,
    SubnetFact,
    TrustFact,
)
from fsd.account.questions import MOST_ANSWERS, ActionsMixed, Pair, Simulation, mixed_groups
from fsd.aws.errors import aws_code, aws_message, call, pages
from fsd.aws.session import Clients
from fsd.errors import CallFailedError

_ABSENT = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "LoadBalancerNotFound",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "PolicyNotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)
# Type of a dependency → (client, operation, parameter that takes its name).
_READS = {
    "aws_dynamodb_table": ("dynamodb", "describe_table", "TableName"),
    "aws_s3_bucket": ("s3", "head_bucket", "Bucket"),
    "aws_sqs_queue": ("sqs", "get_queue_url", "QueueName"),
    "aws_kinesis_stream": ("kinesis", "describe_stream_summary", "StreamName"),
    "aws_cloudwatch_event_bus": ("events", "describe_event_bus", "Name"),
    "aws_kms_key": ("kms", "describe_key", "KeyId"),
    "aws_secretsmanager_secret": ("secretsmanager", "describe_secret", "SecretId"),
}
# The same for its resource policy, of a type that takes the name for it.
_POLICIES = {
    "aws_cloudwatch_event_bus": ("events", "describe_event_bus", "Name"),
    "aws_s3_bucket": ("s3", "get_bucket_policy", "Bucket"),
    "aws_secretsmanager_secret": ("secretsmanager", "get_resource_policy", "SecretId"),
}
_RULES = "rules-per-application-load-balancer"
# Fargate On-Demand vCPU resource count
_VCPU = "L-3032A538"
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Quotas-Visualize-Alarms.html
_USAGE = {
    "Service": "Fargate",
    "Type": "Resource",
    "Resource": "vCPU",
    "Class": "Standard/OnDemand",
}
_RECENT = timedelta(minutes=15)
_SERVICE_ROLES = "/aws-service-role/"
_SECRET_FIELDS = 7  # arn:partition:secretsmanager:region:account:secret:name
_AWS_KEY = "alias/aws/"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsPreflight:
    """Every method may raise CallFailedError."""

    clients: Clients

    def subnets(self, ids: Sequence[str]) -> tuple[SubnetFact, ...]:
        client = self.clients.client("ec2")
        said = ", ".join(ids)
        found = call(client, "describe_subnets", said, SubnetIds=[*ids])["Subnets"]
        vpc = found[0]["VpcId"]
        tables = call(
            client, "describe_route_tables", vpc, Filters=[{"Name": "vpc-id", "Values": [vpc]}]
        )["RouteTables"]
        return tuple(
            SubnetFact(
                id=subnet["SubnetId"],
                zone=subnet["AvailabilityZone"],
                free_addresses=subnet["AvailableIpAddressCount"],
                way_out=_way_out(subnet["SubnetId"], tables),
            )
            for subnet in found
        )

    def endpoints(self, vpc_id: str) -> frozenset[str]:
        """Names without the Region, `ecr.api`, of those that are there and ready."""
        client = self.clients.client("ec2")
        given = [{"Name": "vpc-id", "Values": [vpc_id]}]
        return frozenset(
            endpoint["ServiceName"].split(".", 3)[3]
            for page in pages(client, "describe_vpc_endpoints", vpc_id, Filters=given)
            for endpoint in page["VpcEndpoints"]
            if endpoint["VpcId"] == vpc_id and endpoint["State"].lower() == "available"
        )

    def certificate(self, arn: str) -> CertificateFact:
        client = self.clients.client("acm")
        found = _or_absent(lambda: call(client, "describe_certificate", arn, CertificateArn=arn))
        if found is None:
            return CertificateFact(arn=arn, status="")
        told = found["Certificate"]
        hosts = (told.get("DomainName", ""), *told.get("SubjectAlternativeNames", ()))
        names = tuple(dict.fromkeys(filter(None, hosts)))
        return CertificateFact(arn=arn, status=told["Status"], names=names)

    def key(self, id_: str) -> KeyFact:
        """With its policy, where it can be used at all."""
        client = self.clients.client("kms")
        found = _or_absent(lambda: call(client, "describe_key", id_, KeyId=id_))
        state = found["KeyMetadata"]["KeyState"] if found else ""
        if found is None or state != "Enabled":
            return KeyFact(id=id_, state=state)
        known = found["KeyMetadata"]["KeyId"]  # an alias has no policy
        text = call(client, "get_key_policy", id_, KeyId=known, PolicyName="default")["Policy"]
        return KeyFact(id=id_, state=state, policy=_parsed(text))

    def trust(self, role_arn: str) -> TrustFact:
        """Without whose workflow it is about."""
        client = self.clients.client("iam")
        name = role_arn.rpartition("/")[2]
        found = _or_absent(lambda: call(client, "get_role", role_arn, RoleName=name))
        if found is None:
            return TrustFact(role=role_arn, exists=False)
        policy = found["Role"].get("AssumeRolePolicyDocument", {})
        return TrustFact(role=role_arn, exists=True, policy=policy)

    def balancing(self, kind: str) -> tuple[BalancingQuota, ...]:
        """Of load balancers of the kind (application, network), and of target groups.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeAccountLimits.html
        """
        client = self.clients.client("elbv2")
        limits = self._balancing_limits()
        balancers = sum(
            one["Type"] == kind
            for page in pages(client, "describe_load_balancers", "")
            for one in page["LoadBalancers"]
        )
        groups = sum(
            len(page["TargetGroups"]) for page in pages(client, "describe_target_groups", "")
        )
        used = {f"{kind}-load-balancers": balancers, "target-groups": groups}
        return tuple(
            BalancingQuota(name=name, limit=limits[name], used=number)
            for name, number in used.items()
            if name in limits
        )

    def rules(self, balancer: str) -> tuple[BalancingQuota, ...]:
        """Of a load balancer that several services have, by its name or its ARN; () where there is
        none yet. Each listener's default rule does not count.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
        """
        client = self.clients.client("elbv2")
        arn = balancer if balancer.startswith("arn:") else self._balancer_arn(balancer)
        limit = self._balancing_limits().get(_RULES)
        if not arn or limit is None:
            return ()
        listeners = [
            listener["ListenerArn"]
            for page in pages(client, "describe_listeners", arn, LoadBalancerArn=arn)
            for listener in page["Listeners"]
        ]
        used = sum(
            not rule["IsDefault"]
            for listener in listeners
            for page in pages(client, "describe_rules", listener, ListenerArn=listener)
            for rule in page["Rules"]
        )
        return (BalancingQuota(name=_RULES, limit=limit, used=used),)

    def _balancer_arn(self, name: str) -> str:
        client = self.clients.client("elbv2")
        found = _or_absent(lambda: call(client, "describe_load_balancers", name, Names=[name]))
        return str(found["LoadBalancers"][0]["LoadBalancerArn"]) if found else ""

    def _balancing_limits(self) -> dict[str, int]:
        client = self.clients.client("elbv2")
        return {
            limit["Name"]: int(limit["Max"])
            for page in pages(client, "describe_account_limits", "")
            for limit in page["Limits"]
        }

    def secret(self, variable: str, value_from: str, *, read_value: bool) -> SecretFact:
        """By the ARN of a secret, or the ARN or name of a parameter."""
        fields = value_from.split(":")
        if fields[0] != "arn" or fields[2] == "ssm":
            return self._parameter(variable, value_from)
        arn = ":".join(fields[:_SECRET_FIELDS])
        tail = fields[_SECRET_FIELDS:]
        json_key = tail[0] if tail else ""
        client = self.clients.client("secretsmanager")
        found = _or_absent(lambda: call(client, "describe_secret", arn, SecretId=arn))
        if found is None:
            return SecretFact(variable=variable, where=arn, exists=False, json_key=json_key)
        key = str(found.get("KmsKeyId", ""))
        is_deleted = "DeletedDate" in found
        may_read = read_value and json_key and not is_deleted
        return SecretFact(
            variable=variable,
            where=arn,
            exists=True,
            json_key=json_key,
            is_deleted=is_deleted,
            kms_key="" if _AWS_KEY in key else key,
            keys=self._keys(arn) if may_read else None,
        )

    def _keys(self, arn: str) -> frozenset[str]:
        client = self.clients.client("secretsmanager")
        text = call(client, "get_secret_value", arn, SecretId=arn).get("SecretString", "")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return frozenset()
        return frozenset(value) if isinstance(value, dict) else frozenset()

    def _parameter(self, variable: str, value_from: str) -> SecretFact:
        """Its description: the value is not in it."""
        name = value_from.partition(":parameter")[2] or value_from
        client = self.clients.client("ssm")
        given = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
        found = call(client, "describe_parameters", name, ParameterFilters=given)["Parameters"]
        key = str(found[0].get("KeyId", "")) if found else ""
        return SecretFact(
            variable=variable,
            where=name,
            exists=bool(found),
            kms_key="" if not key or _AWS_KEY in key else key,
        )

    def has_log_group(self, name: str) -> bool:
        client = self.clients.client("logs")
        return any(
            group["logGroupName"] == name
            for page in pages(client, "describe_log_groups", name, logGroupNamePrefix=name)
            for group in page["logGroups"]
        )

    def has_dependency(self, type_: str, name: str) -> bool | None:
        """None for a type that is not looked at."""
        if type_ == "aws_sns_topic":
            return self._topic(name) is not None
        if type_ not in _READS:
            return None
        service, operation, parameter = _READS[type_]
        client = self.clients.client(service)
        return _or_absent(lambda: call(client, operation, name, **{parameter: name})) is not None

    def policy(self, type_: str, name: str) -> dict[str, Any]:
        """The dependency's own, where its type has one; {} without."""
        if type_ == "aws_kms_key":
            return self.key(name).policy
        found = self._policy_answer(type_, name) or {}
        return _parsed(found.get("ResourcePolicy") or found.get("Policy") or "")

    def _policy_answer(self, type_: str, name: str) -> dict[str, Any] | None:
        """An answer with the policy in it. Some types want more than the name."""
        match type_:
            case "aws_dynamodb_table":
                client = self.clients.client("dynamodb")
                arn = call(client, "describe_table", name, TableName=name)["Table"]["TableArn"]
                read, given = "get_resource_policy", {"ResourceArn": arn}
            case "aws_kinesis_stream":
                client = self.clients.client("kinesis")
                told = call(client, "describe_stream_summary", name, StreamName=name)
                arn = told["StreamDescriptionSummary"]["StreamARN"]
                read, given = "get_resource_policy", {"ResourceARN": arn}
            case "aws_sqs_queue":
                client = self.clients.client("sqs")
                url = call(client, "get_queue_url", name, QueueName=name)["QueueUrl"]
                asked = {"QueueUrl": url, "AttributeNames": ["Policy"]}
                answer = call(client, "get_queue_attributes", name, **asked)
                return dict(answer.get("Attributes", {}))
            case "aws_sns_topic":
                client = self.clients.client("sns")
                topic = self._topic(name)
                answer = call(client, "get_topic_attributes", name, TopicArn=topic)
                return dict(answer.get("Attributes", {}))
            case _ if type_ in _POLICIES:
                service, read, parameter = _POLICIES[type_]
                client, given = self.clients.client(service), {parameter: name}
            case _:
                return None
        return _or_absent(lambda: call(client, read, name, **given))

    def _topic(self, name: str) -> str | None:
        """ARN of the topic; None where there is none."""
        return next(
            (
                str(topic["TopicArn"])
                for page in pages(self.clients.client("sns"), "list_topics", name)
                for topic in page.get("Topics", [])
                if name in (topic["TopicArn"], topic["TopicArn"].rpartition(":")[2])
            ),
            None,
        )

    def quota(self) -> QuotaFact:
        """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""
        client = self.clients.client("service-quotas")
        limit = call(client, "get_service_quota", _VCPU, ServiceCode="fargate", QuotaCode=_VCPU)[
            "Quota"
        ]["Value"]
        now = datetime.now(UTC)
        found = call(
            self.clients.client("cloudwatch"),
            "get_metric_statistics",
            "AWS/Usage",
            Namespace="AWS/Usage",
            MetricName="ResourceCount",
            Dimensions=[{"Name": name, "Value": value} for name, value in _USAGE.items()],
            StartTime=now - _RECENT,
            EndTime=now,
            Period=300,
            Statistics=["Maximum"],
        )["Datapoints"]
        latest = sorted(found, key=lambda point: point["Timestamp"])[-1:]
        used = sum(point["Maximum"] for point in latest)
        return QuotaFact(limit=float(limit), used=float(used))

    def service_roles(self) -> frozenset[str]:
        """Services that have a role of their own in the account, by the role's path.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-identifiers.html
        """
        client = self.clients.client("iam")
        return frozenset(
            role["Path"].removeprefix(_SERVICE_ROLES).rstrip("/")
            for page in pages(client, "list_roles", _SERVICE_ROLES, PathPrefix=_SERVICE_ROLES)
            for role in page["Roles"]
        )

    def denied(self, role_arn: str, question: Simulation) -> dict[Pair, bool]:
        """(action, resource) of the question that the role may not do, and whether that is for a
        policy of AWS Organizations. Raises ActionsMixed where IAM answers only parts of it.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
        """
        entries = [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in sorted(question.context.items())
        ]
        try:
            results = [
                result
                for page in pages(
                    self.clients.client("iam"),
                    "simulate_principal_policy",
                    role_arn,
                    PolicySourceArn=role_arn,
                    ActionNames=[*question.actions],
                    ResourceArns=[*question.resources],
                    ContextEntries=entries,
                    MaxItems=MOST_ANSWERS,
                )
                for result in page["EvaluationResults"]
            ]
        except CallFailedError as error:
            groups = mixed_groups(aws_message(error)) if aws_code(error) == "InvalidInput" else None
            if groups is None:
                raise
            raise ActionsMixed(error, groups=groups) from error.__cause__
        refused = {pair: by for one in results for pair, by in _refused(one, question)}
        return {
            (action, resource): refused[action.lower(), resource]
            for action, resource in question.why
            if (action.lower(), resource) in refused
        }


def _refused(result: dict[str, Any], question: Simulation) -> Iterator[tuple[Pair, bool]]:
    """Of one action. Where several resources were asked for, its own decision is of none of them
    (and its resource a pattern: `arn:aws:s3:::${BucketName}/${KeyName}`): each has one of its own.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
    """
    action = result["EvalActionName"].lower()
    told = result.get("OrganizationsDecisionDetail", {})
    by_organization = not told.get("AllowedByOrganizations", True)
    named = result.get("EvalResourceName")
    own = (named,) if named in question.resources else question.resources
    decisions = {
        one["EvalResourceName"]: one["EvalResourceDecision"]
        for one in result.get("ResourceSpecificResults", ())
    } or dict.fromkeys(own, result["EvalDecision"])
    for resource, decision in decisions.items():
        if decision != "allowed":
            yield (action, resource), by_organization


def _parsed(text: str) -> dict[str, Any]:
    """A policy as AWS gives it; {} for what is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _or_absent(read: Any) -> dict[str, Any] | None:
    """The answer; None where AWS says that there is no such thing."""
    try:
        answer: dict[str, Any] = read()
    except CallFailedError as error:
        if aws_code(error) in _ABSENT:
            return None
        raise
    return answer


def _way_out(subnet_id: str, tables: Sequence[dict[str, Any]]) -> str:
    """Where 0.0.0.0/0 leads, by the subnet's own table, else by the VPC's main one.

    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
    """
    own = [table for table in tables if _is_associated(table, "SubnetId", subnet_id)]
    main = [table for table in tables if _is_associated(table, "Main", True)]
    for route in (own or main or [{}])[0].get("Routes", []):
        if route.get("DestinationCidrBlock") != "0.0.0.0/0" or route.get("State") == "blackhole":
            continue
        return "internet" if str(route.get("GatewayId", "")).startswith("igw-") else "nat"
    return "none"


def _is_associated(table: dict[str, Any], key: str, value: object) -> bool:
    return any(one.get(key) == value for one in table.get("Associations", []))
