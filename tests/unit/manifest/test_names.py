from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsd.manifest import names

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,200}[a-z0-9]", fullmatch=True)
ENVIRONMENTS = st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True)


def test_names__short_name__as_documented() -> None:
    assert (
        names.service_name("offer-api", "dev"),
        names.log_group("offer-api", "dev"),
        names.stack("offer-api", "dev"),
        names.repository("offer-api"),
        names.task_role("offer-api", "dev"),
        names.execution_role("offer-api", "dev"),
        names.load_balancer("offer-api", "dev"),
    ) == (
        "offer-api-dev",
        "/ecs/offer-api-dev",
        "fsd-offer-api-dev",
        "offer-api",
        "offer-api-dev-task",
        "offer-api-dev-execution",
        "offer-api-dev",
    )


def test_load_balancer__33_characters__cut_with_a_hash() -> None:
    name = "a" * 29  # with "-dev": 33

    assert re.fullmatch(r"a{23}-[0-9a-f]{8}", names.load_balancer(name, "dev"))


def test_load_balancer__32_characters__left_alone() -> None:
    assert names.load_balancer("a" * 28, "dev") == "a" * 28 + "-dev"


def test_load_balancer__reserved_prefix__gets_another() -> None:
    assert names.load_balancer("internal-x", "dev").startswith("fsd-internal-x-dev-")


@pytest.mark.parametrize("derive", [names.task_role, names.execution_role, names.load_balancer])
def test_names__long_names_that_differ_at_the_end__stay_different(derive: object) -> None:
    assert callable(derive)

    assert derive("a" * 90 + "b", "dev") != derive("a" * 90 + "c", "dev")


@given(name=NAMES, env=ENVIRONMENTS)
def test_names__any_name__fits_the_limits_of_aws(name: str, env: str) -> None:
    role = r"[a-z0-9-]{1,64}"

    assert re.fullmatch(r"[a-z][a-z0-9-]{0,254}", names.service_name(name, env))
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,127}", names.stack(name, env))
    assert re.fullmatch(role + "(?<=-task)", names.task_role(name, env))
    assert re.fullmatch(role + "(?<=-execution)", names.execution_role(name, env))
    load_balancer = names.load_balancer(name, env)
    assert len(load_balancer) <= 32
    assert not load_balancer.startswith("internal-")
