"""Each rule alone: where it finds something, and where it must not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypedDict

import pytest

from fsd.errors import Location
from fsd.lint.run import ALL_RULES, lint
from fsd.manifest.dependencies import data_date
from fsd.manifest.environments import Environment, OverrideValue, find_document
from fsd.manifest.finding import Finding, Severity
from fsd.manifest.load import load_manifest
from fsd.manifest.yaml_tree import Document
from tests.unit.manifest.manifests import manifest

DIGEST = "sha256:" + "9b1f" * 16
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/main/0a1b/2c3d"
BEHIND = "networking: {loadBalancer: {internal: true}}"
ROLE = "arn:aws:iam::123456789012:role/offers"
POLICY = "arn:aws:iam::123456789012:policy/limit"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`at` is (line, column) of the finding; None: nothing is found."""

    rule: str
    name: str = "offer-api"  # `metadata.name`, on line 4
    service: str = ""
    metadata: str = ""
    dependencies: str = ""
    environment: str | None = None
    overrides: Mapping[str, OverrideValue] = field(default_factory=dict)
    at: tuple[int, int] | None = None
    severity: Severity | None = None
    kind: str = "Service"


def run(case: Case) -> tuple[Finding, ...]:
    text = manifest(
        case.service, metadata=case.metadata, dependencies=case.dependencies, name=case.name
    )
    text = text.replace("kind: Service", f"kind: {case.kind}")
    loaded = load_manifest(text, path="service.yml", **written(case.overrides))
    assert loaded.findings == ()
    rules = [rule for rule in ALL_RULES if rule.id == case.rule]
    return lint(loaded, case.environment, rules=rules)


class Written(TypedDict):
    environment_overrides: Mapping[str, OverrideValue]
    environment_document: Document | None


def written(overrides: Mapping[str, OverrideValue]) -> Written:
    """Overrides of an environment `dev`, from line 5 of `environments.yml` on."""
    lines = [f"    {path}: {json.dumps(value)}\n" for path, value in overrides.items()]
    text = "metadata:\n  name: dev\nspec:\n  overrides:\n" + "".join(lines)
    return {
        "environment_overrides": overrides,
        "environment_document": find_document(text, path="environments.yml", name="dev"),
    }


def table(name: str, *permissions: str, type_: str = "aws_dynamodb_table") -> str:
    listed = ", ".join(f"'{permission}'" for permission in permissions)
    return f"- type: {type_}\n  name: {name}\n  permissions: [{listed}]"


def secrets(*values: str) -> str:
    return "secrets:\n" + "\n".join(
        f"  - {{name: S{index}, valueFrom: '{value}'}}" for index, value in enumerate(values)
    )


BALANCED = "port: 80\nnetworking: {loadBalancer: {}}"
LARGE = "resources: {cpu: 1024, memory: 2048}"

CONSUMER = (
    "kafka-cluster:Connect",
    "kafka-cluster:DescribeCluster",
    "kafka-cluster:ReadData",
    "kafka-cluster:DescribeGroup",
)

SIDECAR_TOKEN = f"sidecars: [{{name: x, image: y, environment: {{K: ghp_{36 * 'a'}}}}}]"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/0a1b"

CASES = [
    Case(
        rule="listener-rule-setting",
        service="port: 80\nnetworking: {loadBalancer: {hosts: [a.example]}}",
        at=(9, 31),
    ),
    Case(
        rule="listener-rule-setting",
        service=f"port: 80\nnetworking: {{loadBalancer: {{listenerArn: '{LISTENER}'}}}}",
        at=(9, 44),
    ),
    Case(
        rule="listener-rule-setting",
        service=f"port: 80\nnetworking: {{loadBalancer: {{listenerArn: '{LISTENER}', "
        "paths: [/a], idleTimeout: 5}}",
        at=(9, 153),
    ),
    Case(
        rule="listener-rule-setting",
        service=f"port: 80\nnetworking: {{loadBalancer: {{listenerArn: '{LISTENER}', "
        "paths: [/a]}}",
    ),
    Case(
        rule="health-check-timing",
        service="healthCheck: {command: 'true', interval: 10, timeout: 10}",
    ),
    Case(
        rule="target-group-setting",
        service=f"port: 80\nnetworking: {{loadBalancer: {{targetGroupArn: '{GROUP}', "
        "priority: 5}}",
        at=(9, 131),
    ),
    Case(
        rule="target-group-setting",
        service=f"port: 80\nnetworking: {{loadBalancer: {{targetGroupArn: '{GROUP}'}}}}",
    ),
    Case(rule="sidecar-name-taken", service="sidecars: [{name: service, image: a}]", at=None),
    Case(
        rule="sidecar-name-taken",
        service="sidecars: [{name: a, image: a}, {name: a, image: b}]",
        at=(8, 42),
    ),
    Case(rule="container-dependency", service="dependsOn: {db: START}", at=(8, 19)),
    Case(
        rule="container-dependency",
        service="dependsOn: {a: SUCCESS}\nsidecars: [{name: a, image: b}]",
        at=(8, 18),
    ),
    Case(
        rule="container-dependency",
        service="dependsOn: {a: HEALTHY}\nsidecars: [{name: a, image: b}]",
        at=(8, 18),
    ),
    Case(
        rule="container-dependency",
        service="sidecars: [{name: a, image: b, dependsOn: {b: START}}, "
        "{name: b, image: b, dependsOn: {a: START}}]",
        at=(8, 34),
    ),
    Case(
        rule="container-dependency",
        service="dependsOn: {a: SUCCESS}\nsidecars: [{name: a, image: b, essential: false}]",
    ),
    Case(
        rule="volume-misused",
        service="volumes: [{name: a, path: /a}, {name: a, path: /b}]",
        at=(8, 41),
    ),
    Case(
        rule="volume-misused",
        service="volumes: [{name: a, path: /a, efs: {fileSystem: fs-01234567, "
        "accessPoint: fsap-01234567, root: /x}}]",
        at=(8, 98),
    ),
    Case(
        rule="volume-misused",
        service="sidecars: [{name: a, image: b, volumes: [{name: c, path: /c}]}]",
        at=(8, 51),
    ),
    Case(rule="volume-misused", service="volumes: [{name: a, path: /a}]"),
    Case(
        rule="deploy-step-size",
        service="beforeDeploy: {command: [a], resources: {cpu: 256, memory: 4096}}",
        at=(8, 62),
    ),
    Case(rule="deploy-step-size", service="afterDeploy: {command: a}"),
    Case(
        rule="connect-without-port",
        service="networking: {connect: {name: offers}}",
        at=(8, 32),
    ),
    Case(rule="connect-without-port", service="networking: {connect: {name: a, port: 80}}"),
    Case(rule="connect-without-port", service="networking: {connect: {}}"),
    Case(
        rule="port-protocol",
        service=f"ports: [{{port: 80, protocol: grpc}}]\n{BEHIND}",
        at=(9, 16),
    ),
    Case(
        rule="port-protocol",
        service=f"ports: [{{port: 80, protocol: tcp}}]\n{BEHIND}",
        at=(9, 16),
    ),
    Case(rule="port-protocol", service=f"ports: [{{port: 80, protocol: http}}]\n{BEHIND}"),
    Case(rule="port-protocol", service="ports: [{port: 80, protocol: tcp}]"),
    Case(
        rule="health-check-protocol",
        service="port: 80\nhealthCheck: {protocol: tcp}\n" + BEHIND,
        at=(9, 27),
    ),
    Case(
        rule="health-check-protocol",
        service="port: 80\nhealthCheck: {protocol: grpc}\n" + BEHIND,
        at=(9, 27),
    ),
    Case(
        rule="health-check-protocol",
        service="ports: [{port: 80, protocol: grpc}]\nhealthCheck: {protocol: http}\n" + BEHIND,
        at=(9, 27),
    ),
    Case(
        rule="health-check-protocol",
        service="port: 80\nhealthCheck: {matcher: '0'}",
        at=(9, 26),
    ),
    Case(
        rule="health-check-protocol",
        service="port: 80\nhealthCheck: {protocol: grpc, matcher: '200'}",
        at=(9, 42),
    ),
    Case(
        rule="health-check-protocol",
        service="port: 80\nhealthCheck: {protocol: grpc, path: /health}",
        at=(9, 39),
    ),
    Case(
        rule="health-check-protocol",
        service="port: 80\nhealthCheck: {protocol: tcp, path: /health}",
        at=(9, 38),
    ),
    Case(rule="health-check-protocol", service="port: 80\nhealthCheck: {protocol: tcp}"),
    Case(
        rule="health-check-protocol",
        service="ports: [{port: 80, protocol: grpc}]\nhealthCheck: {path: /a.B/C, matcher: 0-99}",
    ),
    Case(
        rule="listener-rule-setting",
        service="port: 80\nnetworking: {loadBalancer: {shared: main, ingress: [10.0.0.0/8]}}",
        at=(9, 39),
    ),
    Case(
        rule="listener-rule-setting",
        service="port: 80\nnetworking: {loadBalancer: {hosts: [a.b], shared: main, listenerArn: '"
        + LISTENER
        + "'}}",
        at=(9, 53),
    ),
    Case(
        rule="listener-rule-setting",
        service="port: 80\nnetworking: {loadBalancer: {shared: main, hosts: [a.b], "
        "ingress: [10.0.0.0/8]}}",
    ),
    Case(rule="port-clash", service="port: 80\nports: [{port: 81}]", at=(8, 9)),
    Case(rule="port-clash", service="ports: [{port: 80}, {port: 80}]", at=(8, 30)),
    Case(
        rule="port-clash",
        service="ports: [{name: a, port: 80}, {name: a, port: 81}]",
        at=(8, 39),
    ),
    Case(rule="port-clash", service="ports: [{port: 80}, {port: 81}]"),
    Case(
        rule="scaling-setting",
        service="autoScaling: {schedules: [{name: a, cron: '0 8 * * ? *'}]}",
        at=(8, 29),
    ),
    Case(
        rule="scaling-setting",
        service="autoScaling: {schedules: [{name: a, cron: '0 8 * * ? *', minCapacity: 1}]}",
    ),
    Case(rule="job-setting", service="schedule: rate(1 hour)", at=(8, 3)),
    Case(rule="job-setting", kind="Job", service="schedule: rate(1 hour)\nretries: 1"),
    Case(rule="job-setting", kind="Job", service="resources: {desiredCount: 2}", at=(8, 15)),
    Case(rule="job-setting", kind="Job", service="timezone: UTC", at=(8, 3)),
    Case(
        rule="job-setting",
        kind="Job",
        service="schedule: rate(1 hour)\nexistingSchedule: {arn: 'arn:aws:scheduler:eu-west-1:"
        f"123456789012:schedule/default/offer-api-prod', role: '{ROLE}'}}",
        environment="prod",
        at=(9, 27),
    ),
    Case(rule="schedule-malformed", kind="Job", service="schedule: cron(0 6 * * *)", at=(8, 13)),
    Case(
        rule="schedule-malformed",
        kind="Job",
        service="schedule: cron(0 6 * * ? *)\ntimezone: Europe/Berlim",
        at=(9, 13),
    ),
    Case(
        rule="schedule-malformed",
        kind="Job",
        service="schedule: cron(0 6 * * ? *)\ntimezone: America/Argentina/Buenos_Aires",
    ),
    Case(
        rule="production-single-replica", kind="Job", service="timeout: 5m", environment="prod"
    ),
    Case(rule="spot-never-used", service="resources: {spot: {base: 1}}", at=(8, 15)),
    Case(
        rule="spot-never-used",
        service="resources: {desiredCount: 3, spot: {percent: 0}}",
        at=(8, 32),
    ),
    Case(rule="spot-never-used", service="resources: {desiredCount: 2, spot: {base: 1}}"),
    Case(rule="spot-never-used", service="resources: {spot: true}"),
    Case(rule="role-setting-unused", service=f"exec: true\nroles: {{task: '{ROLE}'}}", at=(8, 9)),
    Case(
        rule="role-setting-unused",
        service=f"roles: {{task: '{ROLE}', execution: '{ROLE}', boundary: '{POLICY}'}}",
        at=(8, 120),
    ),
    Case(rule="role-setting-unused", service=f"roles: {{task: '{ROLE}', boundary: '{POLICY}'}}"),
    Case(rule="secret-arn-malformed", service=secrets("/team/a b"), at=(9, 29)),
    Case(rule="secret-arn-malformed", service=secrets("/aws/x"), at=(9, 29)),
    Case(rule="secret-arn-malformed", service=secrets("/team/db-url")),
    Case(rule="secret-arn-malformed", service=secrets(f"{ARN}:rds!cluster-1a2b-Ab1Cd2:key::")),
    Case(rule="build-unused", service=f"image: a@{DIGEST}\nbuild: {{target: x}}", at=(9, 3)),
    Case(rule="build-unused", service="build: {target: x}"),
    Case(rule="exec-read-only", service="exec: true\nreadonlyRootFilesystem: true", at=(8, 9)),
    Case(rule="exec-read-only", service="exec: true"),
    Case(
        rule="ulimit-order",
        service="ulimits: [{name: nofile, softLimit: 2, hardLimit: 1}]",
        at=(8, 39),
    ),
    Case(
        rule="ulimit-order",
        service="ulimits: [{name: nofile, softLimit: 2, hardLimit: 1048577}]",
        at=(8, 53),
    ),
    Case(
        rule="ulimit-order",
        service="sidecars: [{name: a, image: b, ulimits: [{name: nofile, softLimit: 2, "
        "hardLimit: 1}]}]",
        at=(8, 70),
    ),
    Case(
        rule="repository-credentials-unused",
        service="repositoryCredentials: arn:aws:secretsmanager:us-east-1:123456789012:secret:a",
        at=(8, 3),
    ),
    Case(
        rule="repository-credentials-unused",
        service="sidecars: [{name: a, image: 'public.ecr.aws/a/b:1', repositoryCredentials: "
        "'arn:aws:secretsmanager:us-east-1:123456789012:secret:a'}]",
        at=(8, 55),
    ),
    Case(
        rule="repository-credentials-unused",
        service="image: 'ghcr.io/a/b:1'\nrepositoryCredentials: "
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:a-a1B2c3",
    ),
    Case(
        rule="secret-arn-partial",
        service="image: 'ghcr.io/a/b:1'\nrepositoryCredentials: "
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:a",
        at=(9, 26),
    ),
    Case(
        rule="system-control-clash",
        service="systemControls: [{namespace: net.a, value: '1'}, {namespace: net.a, value: '1'}]",
        at=(8, 64),
    ),
    Case(
        rule="system-control-clash",
        service="systemControls: [{namespace: net.a, value: '1'}]\n"
        "sidecars: [{name: a, image: b, systemControls: [{namespace: net.a, value: '2'}]}]",
        at=(9, 77),
    ),
    Case(
        rule="system-control-clash",
        service="systemControls: [{namespace: net.a, value: '1'}, {namespace: kernel.sem, "
        "value: '1'}]\nsidecars: [{name: a, image: b, systemControls: [{namespace: net.a, "
        "value: '1'}, {namespace: kernel.sem, value: '2'}]}]",
    ),
    Case(rule="ulimit-order", service="ulimits: [{name: core, softLimit: 0, hardLimit: 0}]"),
    Case(
        rule="domain-setting",
        service="port: 80\nnetworking: {loadBalancer: {hosts: [a.b], domain: {name: c.b, "
        "hostedZone: Z1}, shared: main}}",
        at=(9, 45),
    ),
    Case(
        rule="domain-setting",
        service="port: 80\nnetworking: {loadBalancer: {domain: {name: c.b, hostedZone: Z1}, "
        "hosts: [c.b], listenerArn: '" + LISTENER + "'}}",
        at=(9, 31),
    ),
    Case(
        rule="domain-setting",
        service="port: 80\nnetworking: {loadBalancer: {hosts: ['*.b'], shared: main, domain: "
        "{name: c.b, hostedZone: Z1}}}",
    ),
    Case(
        rule="log-setting",
        service="observability: {logs: {retention: 30, driver: awsfirelens}}",
        at=(8, 49),
    ),
    Case(rule="log-setting", service="observability: {logs: {group: /a}}"),
    Case(
        rule="network-balancer-setting",
        service="port: 80\nnetworking: {loadBalancer: {type: network, stickiness: 60}}",
        at=(9, 46),
    ),
    *(
        Case(
            rule="network-balancer-setting",
            service=f"port: 80\nnetworking: {{loadBalancer: {{type: network, {setting}}}}}",
            at=(9, 46),
        )
        for setting in (
            "shared: main",
            "hosts: [a.example.com]",
            "paths: [/a]",
            "priority: 5",
        )
    ),
    Case(
        rule="network-balancer-setting",
        service="port: 80\nnetworking: {loadBalancer: {type: network, idleTimeout: 59}}",
        at=(9, 59),
    ),
    Case(
        rule="network-balancer-setting",
        service="port: 80\nnetworking: {loadBalancer: {type: application, idleTimeout: 4001}}",
        at=(9, 63),
    ),
    Case(
        rule="network-balancer-setting",
        service="port: 80\nnetworking: {loadBalancer: {type: network, idleTimeout: 6000}}",
    ),
    Case(
        rule="network-balancer-setting",
        service="port: 80\nautoScaling: {targetRequestsPerTask: 100}\n"
        "networking: {loadBalancer: {type: network}}",
        at=(9, 17),
    ),
    Case(
        rule="network-balancer-setting",
        service="ports: [{port: 80, protocol: grpc}]\nnetworking: {loadBalancer: {type: network}}",
        at=(9, 16),
    ),
    Case(
        rule="network-balancer-setting",
        service="port: 80\n"
        "networking: {loadBalancer: {type: network, accessLogs: {bucket: offers-logs}}}",
        at=(9, 46),
        severity=Severity.WARNING,
    ),
    Case(
        rule="listener-rule-setting",
        service="port: 80\nnetworking: {loadBalancer: {type: network, paths: [/a]}}",
    ),
    Case(
        rule="port-protocol",
        service="ports: [{port: 80, protocol: tcp}]\nnetworking: {loadBalancer: {type: network}}",
    ),
    Case(
        rule="network-balancer-setting",
        service="ports: [{port: 80, protocol: tcp}]\nnetworking: {loadBalancer: {type: network}}",
    ),
    Case(
        rule="security-group-limit",
        service="networking: {securityGroups: [sg-0a1b2c01, sg-0a1b2c02, sg-0a1b2c03, "
        "sg-0a1b2c04, sg-0a1b2c05]}",
        at=(8, 16),
    ),
    Case(
        rule="security-group-limit",
        service="networking: {securityGroups: {ids: [sg-0a1b2c01, sg-0a1b2c02, sg-0a1b2c03, "
        "sg-0a1b2c04, sg-0a1b2c05], only: true}}",
    ),
    Case(rule="tag-reserved", service="tags: {'fsd:service': x}", at=(8, 10)),
    Case(rule="tag-reserved", service="tags: {a: b}"),
    Case(rule="fargate-size", service="resources: {cpu: 1024, memory: 1000}", at=(8, 34)),
    Case(rule="fargate-size", service="resources: {cpu: 2048}", at=(8, 20)),
    Case(rule="fargate-size", service="resources: {cpu: 300, memory: 512}", at=(8, 20)),
    Case(rule="fargate-size", service="resources: {cpu: 256, memory: 512}"),
    Case(rule="fargate-size"),
    Case(
        rule="capacity-order",
        service="resources: {desiredCount: 1, minCapacity: 3, maxCapacity: 5}",
        at=(8, 29),
    ),
    Case(
        rule="capacity-order",
        service="resources: {desiredCount: 6, minCapacity: 3, maxCapacity: 5}",
        at=(8, 29),
    ),
    Case(
        rule="capacity-order",
        service="resources: {desiredCount: 4, minCapacity: 5, maxCapacity: 3}",
        at=(8, 45),
    ),
    Case(
        rule="capacity-order",
        service="resources: {desiredCount: 3, minCapacity: 3, maxCapacity: 3}",
    ),
    Case(rule="capacity-order", service="resources: {minCapacity: 2}"),
    Case(
        rule="health-check-timing",
        service="healthCheck: {interval: 10, timeout: 10}",
        at=(8, 40),
    ),
    Case(rule="health-check-timing", service="healthCheck: {interval: 5}", at=(8, 27)),
    Case(rule="health-check-timing", service="healthCheck: {interval: 6}"),
    Case(
        rule="log-retention-value",
        service="observability: {logs: {retention: 31}}",
        at=(8, 37),
    ),
    Case(rule="log-retention-value", service="observability: {logs: {retention: 3653}}"),
    Case(
        rule="log-retention-missing",
        service="observability: {logs: {enabled: true}}",
        at=(8, 19),
        severity=Severity.WARNING,
    ),
    Case(rule="log-retention-missing"),
    Case(rule="log-retention-missing", service="observability: {logs: {retention: 7}}"),
    Case(rule="log-retention-missing", service="observability: {logs: {enabled: false}}"),
    Case(
        rule="external-load-balancer",
        service="port: 80\nnetworking: {loadBalancer: {internal: false}}",
        at=(9, 41),
    ),
    Case(rule="external-load-balancer", service="port: 80\nnetworking: {loadBalancer: {}}"),
    Case(
        rule="load-balancer-without-port",
        service="networking: {loadBalancer: {}}",
        at=(8, 16),
    ),
    Case(rule="load-balancer-without-port", service="port: 80\nnetworking: {loadBalancer: {}}"),
    Case(rule="vpc-disabled", service="networking: {vpc: false}", at=(8, 21)),
    Case(rule="vpc-disabled", service="networking: {vpc: true}"),
    Case(rule="vpc-disabled"),
    Case(
        rule="duplicate-secret-name",
        service=f"secrets: [{{name: A, valueFrom: '{ARN}:a-abcdef'}}, "
        f"{{name: A, valueFrom: '{ARN}:b-abcdef'}}]",
        at=(8, 107),
    ),
    Case(rule="duplicate-secret-name", service=secrets("a", "b")),
    Case(
        rule="environment-secret-clash",
        service="environment: {S0: x}\n" + secrets("a"),
        at=(8, 17),
    ),
    Case(rule="environment-secret-clash", service="environment: {T: x}\n" + secrets("a")),
    *(
        Case(rule="secret-arn-malformed", service=secrets(value), at=(9, 29))
        for value in (
            "openai-key",
            "arn:aws:s3:us-east-1:123456789012:x",
            "arn:aws:secretsmanager:us-east-1:1234:secret:a-abcdef",
            "arn:aws:secretsmanager::123456789012:secret:a-abcdef",
            f"{ARN}:",
            f"{ARN}:a-abcdef:password",
            f"{ARN}:a-abcdef:password:",
            f"{ARN}:a-abcdef:k:AWSCURRENT:1234",
            "arn:aws:ssm:us-east-1:123456789012:document/x",
        )
    ),
    *(
        Case(rule="secret-arn-malformed", service=secrets(value))
        for value in (
            f"{ARN}:a-abcdef",
            f"{ARN}:team/a-abcdef:password::",
            f"{ARN}:a-abcdef::AWSPREVIOUS:",
            f"{ARN}:a",
            "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/app/key",
            "arn:aws:secretsmanager:${AWS_REGION}:${AWS_ACCOUNT_ID}:secret:${ENV}-a-abcdef",
        )
    ),
    Case(rule="secret-arn-partial", service=secrets(f"{ARN}:database"), at=(9, 29)),
    Case(rule="secret-arn-partial", service=secrets(f"{ARN}:database:k::"), at=(9, 29)),
    Case(rule="secret-arn-partial", service=secrets(f"{ARN}:database-a1B2c3")),
    Case(rule="secret-arn-partial", service=secrets(f"{ARN}:ghcr-secret"), at=(9, 29)),
    Case(
        rule="secret-arn-partial",
        service=f"sidecars: [{{name: a, image: b, repositoryCredentials: '{ARN}:a'}}]",
        at=(8, 57),
    ),
    Case(
        rule="secret-arn-partial",
        service="sidecars:\n  - {name: a, image: b, secrets: [{name: A, valueFrom: "
        f"'{ARN}:a'}}]}}",
        at=(9, 58),
    ),
    Case(
        rule="secret-arn-partial",
        service=secrets("arn:aws:ssm:us-east-1:123456789012:parameter/x"),
    ),
    Case(
        rule="secret-in-environment",
        service="environment: {KEY: AKIAIOSFODNN7ABCDEFG}",
        at=(8, 22),
        severity=Severity.ERROR,
    ),
    *(
        Case(
            rule="secret-in-environment",
            service=f"environment: {{KEY: '{value}'}}",
            at=(8, 22),
            severity=Severity.ERROR,
        )
        for value in (
            "https://hooks.slack.com/services/T0/B0/" + 24 * "x",
            "https://discord.com/api/webhooks/1234/" + 24 * "x",
            "//registry.npmjs.org/:_authToken=npm_" + 9 * "a1B2",
            "pypi-AgE" + 40 * "x",
            f"SG.{22 * 'a'}.{43 * 'b'}",
            "hf_" + 34 * "a",
            "dapi" + 32 * "0",
            "dop_v1_" + 64 * "0",
            "hvs." + 24 * "a",
            f"glsa_{32 * 'a'}_0",
            "NRAK-" + 27 * "A",
            "AGE-SECRET-KEY-1QQ",
        )
    ),
    *(
        Case(
            rule="secret-in-environment",
            service=f"environment: {{{name}: '{value}'}}",
            at=(8, 19 + len(name)),
            severity=Severity.WARNING,
        )
        for name, value in (
            ("DB_PASSWORD", "hunter2"),
            ("API_KEY", "abcdefgh"),
            ("DATABASE_URL", "postgres://app:hunter2@db/app"),
            ("RANDOM", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEYq"),
            ("DB_PASSWORD", "hunter2-${ENV}"),
            ("HEADER", f"Bearer eyJ{17 * 'a'}.eyJ{17 * 'b'}.{43 * 'x'}"),
            ("CACHE", "redis://:hunter2@cache:6379/0"),
            ("DSN", "host=db user=app password=hunter2 dbname=offers"),
            ("JDBC", "jdbc:postgresql://db/app?user=a&password=hunter2"),
            ("STORE", "AccountName=x;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"),
            ("EXPORT", "https://x.blob.core.windows.net/c?sv=2022-11-02&sig=c2VjcmV0"),
        )
    ),
    *(
        Case(rule="secret-in-environment", service=service, at=at, severity=severity)
        for service, at, severity in (
            ("sidecars: [{name: x, image: y, environment: {DB_PASSWORD: hunter2}}]", (8, 61), None),
            (SIDECAR_TOKEN, (8, 51), Severity.ERROR),
            ("build: {args: {NPM_TOKEN: hunter2x}}", (8, 29), None),
            ("beforeDeploy: {command: [a], environment: {TOKEN: abc12345}}", (8, 53), None),
            ("command: [app, --db-password=hunter2]", (8, 18), None),
            ("command: [app, --db-password, hunter2]", (8, 33), None),
            ("command: [app, 'postgres://u:hunter2@db/x']", (8, 18), None),
            (f"entryPoint: [app, ghp_{36 * 'a'}]", (8, 21), Severity.ERROR),
            ("afterDeploy: {command: 'psql postgres://u:hunter2@db/x'}", (8, 26), None),
            ("sidecars: [{name: x, image: y, command: [a, --token=x1y2z3]}]", (8, 47), None),
        )
    ),
    *(
        Case(rule="secret-in-environment", service=service)
        for service in (
            "command: [app, --db-password, $DB_PASSWORD]",
            "command: [app, --password-file=/run/secrets/p1]",
            "command: [app, --token-ttl, '3600']",
            "command: [app, --secret-name=prod/db1]",
            "command: [app, --max-tokens=100]",
            "build: {args: {VERSION: '1.2.3', TOKEN_URL: 'https://x'}}",
            "command: [app, --password, --verbose2]",
        )
    ),
    *(
        Case(rule="secret-in-environment", service=f"environment: {{{name}: '{value}'}}")
        for name, value in (
            ("DB_PASSWORD", "${ENV}"),
            ("TOKEN_TTL", "3600"),
            ("USE_TOKEN", "true"),
            ("SECRET_NAME", "prod/database"),
            ("API_KEY", "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-abcdef"),
            ("ENDPOINT", "https://sagemaker-endpoint.us-east-1.amazonaws.com"),
            ("TOPIC", "orders-category-crud-events-v2"),
            ("CONSUMER_GROUP", "price-watcher-${ENV}"),
            ("DATABASE_URL", "postgres://db.internal:5432/app"),
            ("BASE64_LOOKING", "aaaaaaaaaaaaaaaaaaaaaaaa1"),
            ("JDBC", "jdbc:postgresql://db/app?user=a&password=${ENV}"),
            ("MODEL", "maker.model-3-5-large-20241022-v2:0"),
            ("BOOTSTRAP", "b-1.prod.abc123.c2.kafka.us-east-1.amazonaws.com:9098"),
            ("COMMIT", "4f2c1e9f1f2a83bd0dfb5cd91c1b0b1f47d7c3aa"),
            ("FLAGS", "passwords=on;design=new"),
        )
    ),
    Case(
        rule="wildcard-permission",
        dependencies=table("${ENV}-x", "dynamodb:*"),
        at=(11, 19),
    ),
    Case(
        rule="wildcard-permission",
        dependencies=table("${ENV}-*", "dynamodb:Query"),
        at=(10, 11),
    ),
    Case(rule="wildcard-permission", dependencies=table("${ENV}-x", "dynamodb:Query")),
    Case(
        rule="administrative-permission",
        dependencies=table("${ENV}-x", "dynamodb:GetItem", "dynamodb:PutResourcePolicy"),
        at=(11, 39),
        severity=Severity.WARNING,
    ),
    Case(
        rule="administrative-permission",
        dependencies=table("${ENV}-x", "lambda:UpdateFunctionCode", type_="aws_lambda_function"),
        at=(11, 19),
    ),
    Case(rule="administrative-permission", dependencies=table("${ENV}-x", "dynamodb:PutItem")),
    Case(
        rule="administrative-permission",
        dependencies=table("${ENV}-x", "rds-db:connect", type_="aws_rds_cluster"),
    ),
    Case(
        rule="resource-name-malformed",
        dependencies=table("a b", "dynamodb:GetItem"),
        at=(10, 11),
        severity=Severity.ERROR,
    ),
    Case(
        rule="resource-name-malformed",
        dependencies=table("arn:aws:s3:::offers", "dynamodb:GetItem"),
        at=(10, 11),
    ),
    Case(rule="resource-name-malformed", dependencies=table("${ENV}-x", "dynamodb:GetItem")),
    Case(
        rule="resource-name-malformed",
        dependencies=table(
            "arn:aws:dynamodb:us-east-1:123456789012:table/offers", "dynamodb:GetItem"
        ),
    ),
    Case(
        rule="template-reference",
        dependencies=table("'{{resolve:ssm:x}}'", "dynamodb:GetItem"),
        at=(10, 11),
        severity=Severity.ERROR,
    ),
    Case(rule="template-reference", service="environment: {GREETING: 'Hello {{ name }}'}"),
    Case(
        rule="unknown-permission",
        dependencies=table("${ENV}-x", "dynamodb:GetItem", "dynamodb:GetItems"),
        at=(11, 39),
    ),
    Case(rule="unknown-permission", dependencies=table("${ENV}-x", "*"), at=(11, 19)),
    Case(rule="unknown-permission", dependencies=table("${ENV}-x", "GetItem"), at=(11, 19)),
    Case(
        rule="unknown-permission",
        dependencies=table("${ENV}-x", "s3:HeadObject", type_="aws_s3_bucket"),
        at=(11, 19),
    ),
    Case(rule="unknown-permission", dependencies=table("${ENV}-x", "dynamodb:getitem")),
    Case(
        rule="permission-type-mismatch",
        dependencies=table("${ENV}-x", "s3:GetObject"),
        at=(11, 19),
    ),
    Case(
        rule="permission-type-mismatch",
        dependencies=table("${ENV}-x", "dynamodb:GetItem", "dynamodb:ListTables", "dynamodb:*"),
    ),
    Case(
        rule="permission-type-mismatch",
        dependencies=table("${ENV}-x", "dynamodb:ListTable*"),
        at=(11, 19),
    ),
    Case(
        rule="unknown-dependency-type",
        dependencies=table("${ENV}-x", "s3:GetObject", type_="aws_s3"),
        at=(9, 11),
    ),
    Case(rule="unknown-dependency-type", dependencies=table("${ENV}-x", "dynamodb:Query")),
    Case(
        rule="msk-permissions-incomplete",
        dependencies=table("${ENV}-x", *CONSUMER[:3], type_="aws_msk_cluster"),
        at=(11, 5),
    ),
    Case(
        rule="msk-permissions-incomplete",
        dependencies=table("${ENV}-x", "kafka-cluster:WriteData", type_="aws_msk_cluster"),
        at=(11, 5),
    ),
    Case(
        rule="msk-permissions-incomplete",
        dependencies=table("${ENV}-x", *CONSUMER, type_="aws_msk_cluster"),
    ),
    Case(
        rule="msk-permissions-incomplete",
        dependencies=table(
            "${ENV}-x", *CONSUMER[:2], "kafka-cluster:WriteData", type_="aws_msk_cluster"
        ),
    ),
    Case(
        rule="msk-permissions-incomplete",
        dependencies=table("${ENV}-x", "kafka:GetBootstrapBrokers", type_="aws_msk_cluster"),
    ),
    Case(
        rule="msk-iam-flag-missing",
        dependencies=table("${ENV}-x", *CONSUMER, type_="aws_msk_cluster"),
        at=(9, 11),
    ),
    Case(
        rule="msk-iam-flag-missing",
        service="environment: {USE_MSK_IAM: 'false'}",
        dependencies=table("${ENV}-x", *CONSUMER, type_="aws_msk_cluster"),
        at=(8, 30),
    ),
    Case(
        rule="msk-iam-flag-missing",
        service="environment: {USE_MSK_IAM: 'true'}",
        dependencies=table("${ENV}-x", *CONSUMER, type_="aws_msk_cluster"),
    ),
    Case(
        rule="s3-list-bucket-missing",
        dependencies=table("${ENV}-x", "s3:PutObject", "s3:GetObject", type_="aws_s3_bucket"),
        at=(11, 35),
    ),
    Case(
        rule="s3-list-bucket-missing",
        dependencies=table("${ENV}-x", "s3:ListBucket", "s3:GetObject", type_="aws_s3_bucket"),
    ),
    Case(
        rule="s3-list-bucket-missing",
        dependencies=table("${ENV}-x", "s3:PutObject", type_="aws_s3_bucket"),
    ),
    Case(
        rule="env-missing-in-resource-name",
        dependencies=table("offers", "dynamodb:Query"),
        at=(10, 11),
    ),
    Case(
        rule="env-missing-in-resource-name",
        dependencies=table("$${ENV}-offers", "dynamodb:Query"),
        at=(10, 11),
    ),
    Case(
        rule="env-missing-in-resource-name",
        dependencies=table("offers-${ENV}", "dynamodb:Query"),
    ),
    Case(
        rule="env-missing-in-resource-name",
        dependencies=table("maker.model-v1", "bedrock:InvokeModel", type_="aws_bedrock_model"),
    ),
    Case(rule="production-single-replica", environment="prod", at=(6, 1)),
    Case(
        rule="production-single-replica",
        environment="prod-eu",
        service="resources: {desiredCount: 1}",
        at=(8, 29),
    ),
    Case(
        rule="production-single-replica",
        environment="prod",
        service="resources: {desiredCount: 3, minCapacity: 1}\nautoScaling: {}",
        at=(8, 45),
    ),
    Case(
        rule="production-single-replica",
        environment="prod",
        service="resources: {desiredCount: 2}",
    ),
    Case(rule="production-single-replica", environment="dev"),
    Case(rule="production-single-replica", environment="product-preview"),
    Case(rule="production-single-replica"),
    Case(
        rule="production-sized-like-dev",
        environment="prod",
        service="resources: {desiredCount: 2}",
        at=(8, 3),
    ),
    *(
        Case(rule="production-sized-like-dev", environment=environment, service=service)
        for environment, service in (
            ("dev", "resources: {desiredCount: 2}"),
            (None, "resources: {desiredCount: 2}"),
            ("prod", "resources: {cpu: 1024, memory: 2048}"),
            ("prod", "resources: {desiredCount: 2, maxCapacity: 4}\nautoScaling: {}"),
        )
    ),
    Case(
        rule="msk-permission-companions",
        dependencies=table(
            "${ENV}-x", *CONSUMER, "kafka-cluster:WriteDataIdempotently", type_="aws_msk_cluster"
        ),
        at=(11, 134),
    ),
    Case(
        rule="msk-permission-companions",
        dependencies=table(
            "${ENV}-x", *CONSUMER[:2], "kafka-cluster:WriteData", type_="aws_msk_cluster"
        ),
        at=(11, 77),
    ),
    *(
        Case(
            rule="msk-permission-companions",
            dependencies=table("${ENV}-x", *permissions, type_="aws_msk_cluster"),
        )
        for permissions in (
            CONSUMER,
            CONSUMER[:3],
            ("kafka-cluster:Connect", "kafka:GetBootstrapBrokers"),
            ("kafka-cluster:*",),
            (*CONSUMER[:2], "kafka-cluster:WriteData", "kafka-cluster:DescribeTopic"),
        )
    ),
    Case(
        rule="oversized-for-simple-api",
        service=f"{BALANCED}\nresources: {{cpu: 1024, memory: 2048}}",
        dependencies=table("${ENV}-x", "dynamodb:GetItem"),
        at=(10, 20),
    ),
    *(
        Case(
            rule="oversized-for-simple-api", service=service, dependencies=dependencies
        )
        for service, dependencies in (
            (f"{BALANCED}\nresources: {{cpu: 512}}", table("x", "dynamodb:GetItem")),
            (f"{BALANCED}\n{LARGE}", ""),
            (f"port: 80\n{LARGE}", table("x", "dynamodb:GetItem")),
            (f"{BALANCED}\n{LARGE}", table("x", *CONSUMER, type_="aws_msk_cluster")),
        )
    ),
    Case(rule="health-check-missing", service="port: 80", at=(8, 9)),
    Case(rule="health-check-missing", service="port: 80\nhealthCheck: {path: /}"),
    Case(rule="health-check-missing"),
    Case(
        rule="early-success-percent",
        service="deployment:\n  earlySuccess: {healthyPercent: 99}",
        at=(9, 36),
    ),
    Case(rule="early-success-percent", service="deployment: {earlySuccess: {}}"),
    Case(
        rule="early-success-percent",
        service="deployment: {minimumHealthyPercent: 50, earlySuccess: {healthyPercent: 50}}",
    ),
    *(
        Case(rule="deployment-strategy", service=service, at=at)
        for service, at in (
            ("deployment: {strategy: canary}", (8, 26)),
            (f"{BALANCED}\ndeployment: {{approval: {{}}}}", (10, 16)),
            (
                f"{BALANCED}\ndeployment: {{strategy: blueGreen, approval: {{timeout: 337h}}}}",
                (10, 57),
            ),
            (f"{BALANCED}\ndeployment: {{strategy: linear}}", None),
            (f"{BALANCED}\ndeployment: {{strategy: linear, canary: {{percent: 5}}}}", (10, 34)),
            (f"{BALANCED}\ndeployment: {{linear: {{stepPercent: 5}}}}", (10, 16)),
            (f"{BALANCED}\ndeployment: {{strategy: blueGreen, earlySuccess: {{}}}}", (10, 37)),
            (
                f"{BALANCED}\ndeployment: {{strategy: blueGreen}}\n"
                "autoScaling: {targetRequestsPerTask: 9}",
                (11, 17),
            ),
            (
                "port: 80\nnetworking: {loadBalancer: {type: network}}\n"
                "deployment: {strategy: blueGreen}",
                (9, 37),
            ),
        )
    ),
    Case(rule="health-check-unused", service="healthCheck: {path: /x}", at=(8, 23)),
    Case(
        rule="health-check-unused", service="healthCheck: {path: /x, command: [a]}", at=(8, 23)
    ),
    Case(rule="health-check-unused", service="healthCheck: {command: [a], interval: 5}"),
    Case(rule="health-check-unused", service="port: 80\nhealthCheck: {path: /x}"),
    Case(rule="health-check-unused"),
    *(
        Case(rule="rollout-slow", service=f"{BALANCED}\n{service}", at=at, severity=severity)
        for service, at, severity in (
            ("deployment: {deregistrationDelay: 300}", (10, 37), Severity.INFO),
            ("deployment: {bakeTime: 5}", (10, 26), Severity.INFO),
            ("healthCheck: {interval: 300}", (10, 27), Severity.INFO),
            ("healthCheck: {gracePeriod: 600}", (10, 30), Severity.INFO),
            (
                "resources: {desiredCount: 10}\ndeployment: {maximumPercent: 110}",
                (11, 32),
                Severity.INFO,
            ),
            ("deployment: {maximumPercent: 150}", (10, 32), Severity.WARNING),
            (
                "deployment: {maximumPercent: 100, minimumHealthyPercent: 50}",
                (10, 32),
                Severity.WARNING,
            ),
        )
    ),
    *(
        Case(rule="rollout-slow", service=service)
        for service in (
            BALANCED,
            "deployment: {deregistrationDelay: 300}",
            "healthCheck: {gracePeriod: 600}",
            f"{BALANCED}\ndeployment: {{maximumPercent: 100, minimumHealthyPercent: 0}}",
            "resources: {desiredCount: 0}\ndeployment: {maximumPercent: 110}",
        )
    ),
    *(
        Case(rule="rollout-slow", service=service, at=at, severity=Severity.ERROR)
        for service, at in (
            ("deployment: {maximumPercent: 100}", (8, 32)),
            ("resources: {desiredCount: 0}\ndeployment: {maximumPercent: 100}", (9, 32)),
        )
    ),
    Case(rule="autoscaling-without-bounds", service="autoScaling: {}", at=(8, 3)),
    Case(
        rule="autoscaling-without-bounds",
        service="autoScaling: {}\nresources: {desiredCount: 3, minCapacity: 1}",
        at=(8, 3),
    ),
    Case(
        rule="autoscaling-without-bounds",
        service="autoScaling: {}\nresources: {minCapacity: 2, maxCapacity: 2}",
        at=(9, 44),
    ),
    Case(
        rule="autoscaling-without-bounds", service="autoScaling: {}\nresources: {maxCapacity: 2}"
    ),
    Case(rule="autoscaling-without-bounds"),
    *(
        Case(rule="image-tag-mutable", service=f"image: '{image}'", at=(8, 10))
        for image in (
            "nginx",
            "nginx:latest",
            "localhost:5000/team/app",
            "localhost:5000/team/app:main",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/app",
        )
    ),
    *(
        Case(rule="image-tag-mutable", service=f"image: '{image}'")
        for image in (
            "nginx:1.29.3",
            "localhost:5000/app:${COMMIT}",
            "localhost:5000/app@sha256:" + 64 * "a",
            "nginx:latest@sha256:" + 64 * "a",
        )
    ),
    Case(rule="image-tag-mutable"),
    Case(
        rule="plain-http-public",
        service="port: 80\nnetworking: {loadBalancer: {internal: false}}",
        at=(9, 16),
    ),
    Case(
        rule="plain-http-public",
        service="port: 80\nnetworking: {loadBalancer: {internal: false, "
        "certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/a'}}",
    ),
    Case(rule="plain-http-public", service=BALANCED),
    *(
        Case(
            rule="unused-override",
            environment="dev",
            service="resources: {cpu: 512}",
            overrides=overrides,
            at=at,
        )
        for overrides, at in (
            ({"resources.cpu": "512"}, (5, 20)),
            ({"service.resources.memory": "1024"}, (5, 31)),
            ({"autoScaling": None}, (5, 18)),
            ({"resources.cpu": "1024", "resources.memory": "1024"}, (6, 23)),
        )
    ),
    *(
        Case(rule="unused-override", service="resources: {cpu: 512}", overrides=overrides)
        for overrides in (
            {},
            {"resources.cpu": "1024", "resources.memory": "2048"},
            {"environment.A": "${ENV}"},
            {"resources": None, "resources.cpu": "256", "resources.memory": "512"},
        )
    ),
    Case(rule="owners-missing", environment="prod", at=(3, 1)),
    Case(rule="owners-missing", environment="prod", metadata="owners: ['@me']"),
    Case(rule="owners-missing", environment="dev"),
    Case(rule="owners-missing"),
    *(
        Case(rule="yaml-boolean-trap", service=f"environment:\n  A: {value}", at=(9, 8))
        for value in ("no", "Yes", "ON", "y", "True", "1.10", "0777", "0x1F", "12:30", "1_000",
                      "1e3", ".5", "2024-01-01", "+5")
    ),
    *(
        Case(rule="yaml-boolean-trap", service=f"environment:\n  A: {value}")
        for value in ("true", "8000", "0.75", "'no'", '"1.10"', "v1.10", "10.0.0.1", "nope")
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.rule}-{'found' if case.at else 'clean'}"
)
def test_rule__manifest__found_at_its_place_or_not_at_all(case: Case) -> None:
    findings = run(case)

    if case.at is None:
        assert findings == ()
        return
    (finding,) = findings
    assert isinstance(finding.where, Location)
    assert (finding.where.line, finding.where.column) == case.at
    assert finding.id == case.rule
    assert finding.message
    assert finding.fix
    if case.severity:
        assert finding.severity is case.severity


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)
def test_all_rules__every_rule__has_a_case_that_finds_and_one_that_does_not(rule: object) -> None:
    outcomes = {case.at is None for case in CASES if case.rule == getattr(rule, "id", "")}

    assert outcomes == {True, False}


@pytest.mark.parametrize(
    ("case", "message", "fix"),
    [
        (
            Case(rule="fargate-size", service="resources: {cpu: 1024, memory: 1000}"),
            "cpu 1024 cannot be combined with memory 1000",
            "use `memory: 2048`; with cpu 1024, memory can be 2048, 3072, … 8192",
        ),
        (
            Case(rule="fargate-size", service="resources: {cpu: 2, memory: 4}"),
            "Fargate has no cpu 2; it counts CPU units, 1024 is one vCPU",
            "use 2048 with memory 4096; cpu can be 256, 512, 1024, 2048, 4096, 8192, 16384, 32768",
        ),
        (
            Case(rule="fargate-size", service="resources: {cpu: 1024, memory: 3}"),
            "cpu 1024 cannot be combined with memory 3; it counts MiB",
            "use `memory: 3072`; with cpu 1024, memory can be 2048, 3072, … 8192",
        ),
        (
            Case(rule="fargate-size", service="resources: {memory: 512}"),
            "cpu 512, the default, cannot be combined with memory 512",
            "use `memory: 1024`; with cpu 512, memory can be 1024, 2048, 3072 or 4096",
        ),
        (
            Case(
                rule="unknown-permission",
                dependencies=table("${ENV}-x", "dynamodb:GetItems"),
            ),
            "`dynamodb:GetItems` is not an IAM action",
            "`dynamodb:GetItem` or `dynamodb:BatchGetItem`",
        ),
        (
            Case(
                rule="permission-type-mismatch",
                dependencies=table("${ENV}-x", "s3:GetObject"),
            ),
            "`s3:GetObject` does not apply to `aws_dynamodb_table` (DynamoDB table)",
            "put it on a dependency of type `aws_s3_bucket`",
        ),
        (
            Case(rule="log-retention-value", service="observability: {logs: {retention: 31}}"),
            "CloudWatch cannot keep logs for 31 days",
            "use `retention: 30` or `retention: 60`",
        ),
        (
            Case(
                rule="s3-list-bucket-missing",
                dependencies=table("${ENV}-x", "s3:GetObject", type_="aws_s3_bucket"),
            ),
            "reads from `${ENV}-x` cannot tell a missing object from a forbidden one",
            "add `s3:ListBucket`",
        ),
        (
            Case(rule="rollout-slow", service=f"{BALANCED}\ndeployment: {{bakeTime: 10}}"),
            "a rollout takes about 700 s: 600 s bakeTime, 40 s to start a task, "
            "30 s healthCheck.interval, 30 s deregistrationDelay",
            "shorten `bakeTime` if the alarms go off sooner",
        ),
        (
            Case(
                rule="rollout-slow",
                service=f"{BALANCED}\nresources: {{desiredCount: 10}}\n"
                "deployment: {maximumPercent: 130}",
            ),
            "a rollout takes about 400 s in 4 batches: 300 s for more batches, "
            "40 s to start a task, 30 s healthCheck.interval, 30 s deregistrationDelay",
            "set `minimumHealthyPercent: 100` and `maximumPercent: 200` to replace all tasks at "
            "once",
        ),
        (
            Case(rule="rollout-slow", service="port: 80\nhealthCheck: {gracePeriod: 900}"),
            "a release that never becomes healthy is noticed after about 1030 s: 900 s "
            "gracePeriod, 90 s healthCheck.interval, 40 s to start a task",
            "set `gracePeriod: 60`, or the time that the service needs to start",
        ),
        (
            Case(rule="image-tag-mutable", service="image: 'registry/app:latest'"),
            "the image app has the mutable tag `latest`",
            "use a version, such as `registry/app:v1.2.3`, or better, a digest, such as "
            "`registry/app@sha256:…`",
        ),
        (
            Case(
                rule="msk-permission-companions",
                dependencies=table(
                    "${ENV}-x",
                    *CONSUMER,
                    "kafka-cluster:AlterTransactionalId",
                    type_="aws_msk_cluster",
                ),
            ),
            "`kafka-cluster:AlterTransactionalId` does not work without "
            "`kafka-cluster:DescribeTransactionalId` and `kafka-cluster:WriteData`, which FSD "
            "also grants",
            "add `kafka-cluster:DescribeTransactionalId`, `kafka-cluster:WriteData`: "
            "the list then says what is granted",
        ),
    ],
)
def test_rule__finding__says_the_value_and_the_fix(case: Case, message: str, fix: str) -> None:
    (finding,) = run(case)

    assert (finding.message, finding.fix) == (message, fix)


@pytest.mark.parametrize(
    "overrides", [{"resources.cpu": "256"}, {"service.resources.desiredCount": "4"}]
)
def test_production_sized_like_dev__a_size_in_some_environment__nothing(
    overrides: dict[str, OverrideValue],
) -> None:
    loaded = load_manifest(manifest("resources: {desiredCount: 2}"), path="service.yml")
    sized = Environment(name="dev", overrides=overrides)
    plain = Environment(name="dev", overrides={"environment.resources": "x"})

    def ids(environment: Environment) -> set[str]:
        return {found.id for found in lint(loaded, "prod", environments=[environment])}

    assert "production-sized-like-dev" not in ids(sized)
    assert "production-sized-like-dev" in ids(plain)


def test_production_sized_like_dev__the_only_environment__nothing() -> None:
    loaded = load_manifest(manifest("resources: {desiredCount: 2}"), path="service.yml")

    found = lint(loaded, "prod", environments=[Environment(name="prod")])

    assert "production-sized-like-dev" not in {finding.id for finding in found}


@pytest.mark.parametrize(
    ("id_", "service", "override"),
    [
        ("production-sized-like-dev", "resources: {desiredCount: 2}", "resources.cpu=1024"),
        ("oversized-for-simple-api", BALANCED, "resources.cpu=1024"),
    ],
)
def test_rule__the_value_comes_from_an_override__nothing(
    id_: str, service: str, override: str
) -> None:
    loaded = load_manifest(
        manifest(service, dependencies=table("${ENV}-x", "dynamodb:GetItem")),
        path="service.yml",
        overrides=[override, "resources.memory=2048"],
    )

    assert id_ not in {found.id for found in lint(loaded, "prod")}


def test_unused_override__one_on_the_command_line__nothing() -> None:
    loaded = load_manifest(
        manifest("resources: {cpu: 512}"), path="service.yml", overrides=["resources.cpu=512"]
    )

    assert "unused-override" not in {found.id for found in lint(loaded, "dev")}


def test_unused_override__place_not_known__named_all_the_same() -> None:
    loaded = load_manifest(
        manifest(), path="service.yml", environment_overrides={"resources.cpu": "512"}
    )

    assert "the environment's override resources.cpu" in {
        found.where for found in lint(loaded, "dev") if found.id == "unused-override"
    }


@pytest.mark.parametrize(
    ("permission", "days", "expected"),
    [
        ("dynamodb:GetItems", None, Severity.ERROR),
        ("dynamodb:GetItems", 180, Severity.ERROR),
        ("dynamodb:GetItems", 181, Severity.WARNING),
        ("dynamodb:GetItems*", 181, Severity.ERROR),
        ("s3:GetItems", 181, Severity.ERROR),
        ("*", 181, Severity.ERROR),
    ],
)
def test_unknown_permission__age_of_what_is_known__decides_how_grave(
    permission: str, days: int | None, expected: Severity
) -> None:
    text = manifest(dependencies=table("${ENV}-x", permission))
    today = data_date() + timedelta(days=days) if days else None

    found = lint(load_manifest(text, path="service.yml"), None, today=today)

    assert [each.severity for each in found if each.id == "unknown-permission"] == [expected]


def test_unknown_permission__old_knowledge__says_how_old_and_what_to_do() -> None:
    text = manifest(dependencies=table("${ENV}-x", "dynamodb:GetItems"))

    found = lint(
        load_manifest(text, path="service.yml"), None, today=data_date() + timedelta(days=200)
    )

    assert [(each.message, each.fix) for each in found if each.id == "unknown-permission"] == [
        (
            "`dynamodb:GetItems` is not an IAM action that FSD knows; its list is 200 days old",
            "`dynamodb:GetItem` or `dynamodb:BatchGetItem`; or update FSD, which then knows more "
            "actions",
        )
    ]
