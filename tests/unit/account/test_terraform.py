"""The stack as HCL says what the template says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fsd.account.stack import AccountStack, write_template
from fsd.account.terraform import write_terraform
from tests.unit.account.test_stack import stack

RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{', re.MULTILINE)
REFERENCE = re.compile(r"\b(aws_\w+)\.(\w+)\b")


@pytest.mark.parametrize("network", ["", "nat", "endpoints"])
def test_write_terraform__every_resource__is_there_and_references_lead_somewhere(
    network: str,
) -> None:
    template: Any = write_template(stack(network=network))

    text = write_terraform(template)

    made = set(RESOURCE.findall(text))
    assert set(template["Resources"]) <= {name for _, name in made}
    without_data = re.sub(r"data\.aws_\w+\.\w+", "", text)
    assert set(REFERENCE.findall(without_data)) <= made
    assert "AWS::" not in text
    assert text.count("{") == text.count("}")


def test_write_terraform__repository__with_its_settings() -> None:
    text = write_terraform(write_template(stack("offer-api")))

    repository = text[text.index('resource "aws_ecr_repository"') :].partition("\n}\n")[0]
    assert repository.splitlines()[1:] == [
        "  image_scanning_configuration {",
        "    scan_on_push = true",
        "  }",
        '  image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"',
        "  image_tag_mutability_exclusion_filter {",
        '    filter      = "buildcache*"',
        '    filter_type = "WILDCARD"',
        "  }",
        "  lifecycle {",
        "    prevent_destroy = true",
        "  }",
        '  name = "offer-api"',
        "  tags = {",
        '    "fsd:created-by" = "bootstrap"',
        '    "fsd:service" = "offer-api"',
        "  }",
    ]


def test_write_terraform__accounts_name__is_terraforms_own() -> None:
    foreign = AccountStack(
        environment="dev",
        cluster="dev",
        joined=stack("offer-api").joined,
        foreign=frozenset({"GitHubOidcProvider"}),
    )

    text = write_terraform(write_template(foreign))

    assert (
        '"Federated" = "arn:${data.aws_partition.current.partition}:iam::'
        "${data.aws_caller_identity.current.account_id}:oidc-provider/"
        'token.actions.githubusercontent.com"'
    ) in text


def test_write_terraform__cluster__with_its_providers_and_its_namespace() -> None:
    text = write_terraform(write_template(stack("offer-api")))

    cluster = text[text.index('resource "aws_ecs_cluster"') :].partition("\n}\n")[0]
    assert "namespace = aws_service_discovery_http_namespace.Namespace.arn" in cluster
    providers = text[text.index('resource "aws_ecs_cluster_capacity_providers"') :]
    assert '"FARGATE_SPOT"' in providers.partition("\n}\n")[0]
