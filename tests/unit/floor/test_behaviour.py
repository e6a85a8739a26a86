"""Every key of the table has a test of its behaviour in each runtime, or says why it has none."""

from __future__ import annotations

import pytest

from tests.unit.floor.behaviour import BEHAVIOURS, RUNTIMES, exists, runtimes_of
from tests.unit.floor.rows import ROWS


def test_behaviours__keys__those_of_the_table() -> None:
    assert sorted(BEHAVIOURS) == sorted(row.key for row in ROWS)


@pytest.mark.parametrize("key", BEHAVIOURS)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_behaviour__runtime__its_test_runs_there_or_a_reason_says_why_not(
    key: str, runtime: str
) -> None:
    behaviour = BEHAVIOURS[key]
    test = {"process": behaviour.process, "container": behaviour.container}[runtime]

    assert test or behaviour.why
    if test:
        assert exists(test), test
        assert runtime in runtimes_of(test), test


@pytest.mark.parametrize("key", [key for key, each in BEHAVIOURS.items() if each.control])
def test_behaviour__control_plane__its_test_is_there(key: str) -> None:
    assert exists(BEHAVIOURS[key].control)


def test_behaviours__cells__most_are_shown_by_a_test() -> None:
    """Each new reason without a test is one that somebody decided on."""
    shown = [key for key, each in BEHAVIOURS.items() if each.process or each.container]
    decided = [key for key, each in BEHAVIOURS.items() if key not in shown and each.control]

    assert {key for key in BEHAVIOURS if key not in {*shown, *decided}} == UNSHOWN


UNSHOWN = {
    *("service.init", "service.dockerLabels", "service.tags", "service.build"),
    *("service.resources.ephemeralStorage", "service.deployment.steadyFor"),
    *("service.observability.logs.kmsKey", "service.observability.logs.driver"),
    "service.networking.loadBalancer.ingress",
}


def test_runtimes_of__a_test_of_one_runtime__is_not_of_the_other() -> None:
    one = "floor/test_access_logs.py::test_access_logs__a_request__its_line_is_in_the_bucket"
    both = "floor/test_domain.py::test_domain__alias_record__its_requests_reach_the_service"

    assert runtimes_of(one) == {"process"}
    assert runtimes_of(both) == set(RUNTIMES)
