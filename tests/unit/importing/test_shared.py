"""Services of Copilot behind the load balancer of an environment, as people wrote them."""

from __future__ import annotations

import pytest

from fsd.importing.values import Value, mapping
from tests.unit.importing.test_others import one

SERVICE = "name: api\ntype: Backend Service\nimage: {build: Dockerfile, port: 8080}\n"


def balancer(http: str) -> dict[str, Value]:
    tree, lost = one(f"{SERVICE}http: {http}\n")
    assert lost == []
    return mapping(mapping(mapping(tree["service"])["networking"])["loadBalancer"])


@pytest.mark.parametrize(
    ("http", "expected"),
    [
        # https://github.com/aws/copilot-cli/issues/5381
        (
            "{path: /service1, alias: env.example.com, hosted_zone: Z12AB}",
            {
                "shared": "main",
                "hosts": ["env.example.com"],
                "paths": ["/service1", "/service1/*"],
                "domain": {"name": "env.example.com", "hostedZone": "Z12AB"},
            },
        ),
        # https://github.com/aws/copilot-cli/issues/4380
        (
            "{path: /, alias: ['*.example.com', example.com]}",
            {"shared": "main", "hosts": ["*.example.com", "example.com"]},
        ),
        # https://github.com/aws/copilot-cli/issues/5795
        ("{path: /orders-api}", {"shared": "main", "paths": ["/orders-api", "/orders-api/*"]}),
        ("{path: /}", {}),
    ],
)
def test_read_copilot__http_of_an_environment__a_rule_of_a_shared_load_balancer(
    http: str, expected: dict[str, Value]
) -> None:
    found = balancer(http)

    assert {key: value for key, value in found.items() if key not in ("internal", "type")} == (
        expected
    )
