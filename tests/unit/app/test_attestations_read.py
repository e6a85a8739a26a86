"""How many of an image's attestations are read."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.app.provenance import _MOST, _up_to
from fsd.release.provenance import UnprovedAttestation


def endless() -> Iterator[str]:
    number = 0
    while True:
        yield str(number)
        number += 1


def test_up_to__more__cut_and_said() -> None:
    assert [*_up_to(2, endless())] == ["0", "1", UnprovedAttestation(most_read=2)]
    assert [*_up_to(2, ["0", "1"])] == ["0", "1"]
    assert _MOST >= 100
