"""A name of the manifest's for its load balancer: the record in Route 53, and a certificate for it.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-to-elb-load-balancer.html
"""

from __future__ import annotations

from fsd.compile.desired import Json, Target
from fsd.compile.network import LOAD_BALANCER, find_load_balancer, logical_id
from fsd.compile.network_parts import CERTIFICATE, shared_value
from fsd.manifest.models import Domain, LoadBalancer, Manifest, Service

DOMAIN_RECORD = "DomainRecord"


def compile_domain(manifest: Manifest, *, target: Target) -> Json:
    """{} without a domain, or where whose load balancer it is is not known."""
    balancer = find_load_balancer(manifest.service)
    if balancer is None or balancer.domain is None or balancer.listener_arn is not None:
        return {}
    if balancer.target_group_arn is not None:
        return {}
    record = _record(balancer, balancer.domain, manifest.service, target)
    certificate = {CERTIFICATE: _certificate(balancer.domain)} if balancer.makes_certificate else {}
    return {**certificate, DOMAIN_RECORD: record}


def _record(balancer: LoadBalancer, domain: Domain, service: Service, target: Target) -> Json:
    """A zone's apex cannot be a CNAME, so it is an alias everywhere."""
    made = logical_id(LOAD_BALANCER, service)
    name: Json = {"Fn::GetAtt": [made, "DNSName"]}
    zone: Json = {"Fn::GetAtt": [made, "CanonicalHostedZoneID"]}
    if balancer.shared is not None:
        name, zone = (
            shared_value(balancer, target, output) for output in ("DNSName", "HostedZoneId")
        )
    return {
        "Type": "AWS::Route53::RecordSet",
        "Properties": {
            "HostedZoneId": domain.hosted_zone,
            "Name": domain.name,
            "Type": "A",
            "AliasTarget": {"DNSName": name, "HostedZoneId": zone, "EvaluateTargetHealth": False},
        },
    }


def _certificate(domain: Domain) -> Json:
    """With the zone in it CloudFormation writes the record that proves the domain's owner itself.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-certificatemanager-certificate.html
    """
    return {
        "Type": "AWS::CertificateManager::Certificate",
        "Properties": {
            "DomainName": domain.name,
            "ValidationMethod": "DNS",
            "DomainValidationOptions": [
                {"DomainName": domain.name, "HostedZoneId": domain.hosted_zone}
            ],
        },
    }
