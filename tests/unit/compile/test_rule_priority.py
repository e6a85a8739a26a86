"""Which of two services' rules a listener asks first, where no manifest says it."""

from __future__ import annotations

from typing import Any

from tests.unit.floor.test_floor import compiled


def priority(rule: str, more: str = "") -> int:
    balancer = f"{{shared: main, {rule}{more}}}"
    template: Any = compiled(f"{{networking: {{loadBalancer: {balancer}}}}}").template
    return int(template["Resources"]["ListenerRule"]["Properties"]["Priority"])


def test_priority__rules_of_one_host__the_more_special_comes_first() -> None:
    ordered = [
        priority("hosts: [a.example], paths: ['/api/v2/*']"),
        priority("hosts: [a.example], paths: ['/api/*']"),
        priority("hosts: [a.example]"),
        priority("paths: ['/api/*']"),
        priority("hosts: ['*.example']"),
    ]

    assert ordered == sorted(ordered)
    assert len(set(ordered)) == len(ordered)
    assert 1000 <= min(ordered) <= max(ordered) < 49_000


def test_priority__every_path_of_a_host__comes_with_the_host_alone() -> None:
    assert priority("hosts: [a.example], paths: ['/*']") == priority("hosts: [a.example]")


def test_priority__said__is_that() -> None:
    assert priority("hosts: [a.example]", ", priority: 12") == 12
