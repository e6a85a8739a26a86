"""A listener's certificates, SSL policies, and other accounts' registries."""

from __future__ import annotations

import base64
import json
from typing import Any

import boto3
import pytest

from fsd_local.instance import Instance
from tests.local.server.conftest import Clients
from tests.local.server.refusals import refusal
from tests.local.server.test_refused_load_balancing import PLAIN, SUBNETS


class SecureListener:
    """An HTTPS listener on 443 with its default certificate, and two more certificates."""

    def __init__(self, aws: Clients) -> None:
        acm, self.elbv2 = aws("acm"), aws("elbv2")
        self.default, *self.more = (
            acm.request_certificate(DomainName=f"{name}.example")["CertificateArn"]
            for name in ("main", "one", "two")
        )
        (balancer,) = self.elbv2.create_load_balancer(Name="b", Subnets=SUBNETS)["LoadBalancers"]
        (made,) = self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": self.default}],
            DefaultActions=[PLAIN],
        )["Listeners"]
        self.arn = made["ListenerArn"]
        self.balancer = balancer["LoadBalancerArn"]

    def shown(self) -> list[tuple[str, bool]]:
        found = self.elbv2.describe_listener_certificates(ListenerArn=self.arn)["Certificates"]
        return [(one["CertificateArn"], one["IsDefault"]) for one in found]


@pytest.fixture
def listener(aws: Clients) -> SecureListener:
    return SecureListener(aws)


def listed(*arns: str) -> list[dict[str, str]]:
    return [{"CertificateArn": arn} for arn in arns]


def test_certificates__added_twice_and_removed__shown_after_the_default(
    listener: SecureListener,
) -> None:
    one, two = listener.more

    for arn in (one, two, one):
        listener.elbv2.add_listener_certificates(ListenerArn=listener.arn, Certificates=listed(arn))
    both = listener.shown()
    listener.elbv2.remove_listener_certificates(ListenerArn=listener.arn, Certificates=listed(one))

    assert both == [(listener.default, True), (one, False), (two, False)]
    assert listener.shown() == [(listener.default, True), (two, False)]


def test_certificates__ghosts__are_refused(listener: SecureListener) -> None:
    add = listener.elbv2.add_listener_certificates
    ghost = listener.default[:-4] + "none"
    plain = listener.elbv2.create_listener(
        LoadBalancerArn=listener.balancer, Protocol="HTTP", Port=80, DefaultActions=[PLAIN]
    )["Listeners"][0]["ListenerArn"]

    assert refusal(add, ListenerArn=listener.arn, Certificates=listed(ghost)) == (
        "CertificateNotFound",
        f"Certificate '{ghost}' not found",
    )
    assert refusal(add, ListenerArn=plain, Certificates=listed(listener.default)) == (
        "ValidationError",
        "A certificate cannot be specified for HTTP listeners",
    )
    assert refusal(add, ListenerArn=listener.arn + "x", Certificates=listed(ghost))[0] == (
        "ListenerNotFound"
    )


def test_certificates__in_a_stack__come_and_go(aws: Clients, listener: SecureListener) -> None:
    template: dict[str, Any] = {
        "Resources": {
            "More": {
                "Type": "AWS::ElasticLoadBalancingV2::ListenerCertificate",
                "Properties": {
                    "ListenerArn": listener.arn,
                    "Certificates": listed(listener.more[0]),
                },
            }
        }
    }
    cloudformation = aws("cloudformation")

    cloudformation.create_stack(StackName="more", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="more")
    during = listener.shown()
    cloudformation.delete_stack(StackName="more")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="more")

    assert during == [(listener.default, True), (listener.more[0], False)]
    assert listener.shown() == [(listener.default, True)]


def test_describe_ssl_policies__all_and_by_name__with_their_protocols(aws: Clients) -> None:
    elbv2 = aws("elbv2")
    name = "ELBSecurityPolicy-TLS13-1-2-2021-06"

    everything = elbv2.describe_ssl_policies()["SslPolicies"]
    (one,) = elbv2.describe_ssl_policies(Names=[name])["SslPolicies"]

    assert len(everything) > 20
    assert (one["Name"], one["SslProtocols"]) == (name, ["TLSv1.2", "TLSv1.3"])
    assert refusal(elbv2.describe_ssl_policies, Names=["ELBSecurityPolicy-none"]) == (
        "SSLPolicyNotFound",
        "SSL policy 'ELBSecurityPolicy-none' not found",
    )


def test_ecr__registry_ids__one_token_each(aws: Clients) -> None:
    found = aws("ecr").get_authorization_token(registryIds=["111111111111", "222222222222"])

    tokens = [base64.b64decode(one["authorizationToken"]) for one in found["authorizationData"]]
    assert len(tokens) == 2
    assert all(token.startswith(b"AWS:") for token in tokens)


def test_ecr__registry_id__is_that_accounts_registry(
    aws: Clients, account: str, instance: Instance
) -> None:
    aws("ecr").create_repository(repositoryName="app")
    other = boto3.client(
        "ecr",
        endpoint_url=instance.endpoint,
        region_name="us-east-1",
        aws_access_key_id="999999999999",
        aws_secret_access_key=instance.secret,
    )

    (found,) = other.describe_repositories(registryId=account)["repositories"]
    code, _ = refusal(other.describe_images, repositoryName="app")
    other.close()

    assert (found["registryId"], found["repositoryName"]) == (account, "app")
    assert code == "RepositoryNotFoundException"
