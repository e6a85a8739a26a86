from __future__ import annotations

import pytest

from fsd.manifest.spelling import nearest

KNOWN = ("cpu", "port", "type", "image", "secrets", "desiredCount", "deregistrationDelay")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("prot", "port"),
        ("ports", "port"),
        ("Port", "port"),
        ("cppu", "cpu"),
        ("imgae", "image"),
        ("secret", "secrets"),
        ("desirdCout", "desiredCount"),
        ("DEREGISTRATIONDELAI", "deregistrationDelay"),
        ("gpu", None),
        ("tape", None),
        ("stage", None),
        ("sidecars", None),
        ("", None),
        ("p" * 1000, None),
    ],
)
def test_nearest(written: str, meant: str | None) -> None:
    assert nearest(written, KNOWN) == meant


def test_nearest__two_as_near__neither() -> None:
    assert nearest("loca", ("local", "locai")) is None
