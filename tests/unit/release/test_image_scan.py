"""Which of a scan's findings an environment refuses."""

from __future__ import annotations

import pytest

from fsd.release.image_scan import (
    ScanFinding,
    ScanResult,
    count_severities,
    find_blocking,
    find_unrated,
)


def finding(name: str, severity: str) -> ScanFinding:
    return ScanFinding(name=name, severity=severity)


FOUND = tuple(
    finding(f"CVE-{number}", severity)
    for number, severity in enumerate(("LOW", "HIGH", "CRITICAL", "MEDIUM", "UNTRIAGED", "HIGH"))
)


@pytest.mark.parametrize(
    ("block", "names"), [("critical", ["CVE-2"]), ("high", ["CVE-2", "CVE-1", "CVE-5"])]
)
def test_find_blocking__severity__it_and_above_the_worst_first(
    block: str, names: list[str]
) -> None:
    result = ScanResult(status="COMPLETE", findings=FOUND)

    assert [one.name for one in find_blocking(result, block=block)] == names


def test_find_blocking__only_counted__blocks_without_a_name() -> None:
    counts = {"CRITICAL": 1, "HIGH": 2, "LOW": 9}
    result = ScanResult(status="COMPLETE", findings=FOUND[1:2], counts=counts)

    assert [(one.name, one.severity) for one in find_blocking(result, block="high")] == [
        ("", "CRITICAL"),
        ("CVE-1", "HIGH"),
        ("", "HIGH"),
    ]


def test_count_severities__several__the_worst_first_and_what_is_unknown_last() -> None:
    assert count_severities(FOUND) == (
        ("CRITICAL", 1),
        ("HIGH", 2),
        ("MEDIUM", 1),
        ("LOW", 1),
        ("UNTRIAGED", 1),
    )


def test_count_severities__more_counted_than_listed__by_the_higher_number() -> None:
    counts = {"HIGH": 1, "LOW": 3, "UNDEFINED": 2}

    assert count_severities(FOUND[:2], counts) == (("HIGH", 1), ("LOW", 3), ("UNDEFINED", 2))


def test_find_unrated__several__those_alone_each_once() -> None:
    findings = (*FOUND, finding("CVE-0", "UNDEFINED"), finding("CVE-0", "UNDEFINED"))

    assert find_unrated(ScanResult(status="COMPLETE", findings=findings)) == ("CVE-0", "CVE-4")
