from __future__ import annotations

from datetime import timedelta

import click
import pytest

from fsd.app.image import split_reference
from fsd.cli.options import Duration
from fsd.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("20m", 1200), ("1h", 3600), ("1h30m5s", 5405)]
)
def test_duration__usual_forms__timedelta(text: str, seconds: int) -> None:
    assert Duration().convert(text, None, None) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "x", "20 minutes", "1d", "-5", "m"])
def test_duration__anything_else__usage_error(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Duration().convert(text, None, None)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("repo", ("repo", "", "")),
        ("repo:v1", ("repo", "v1", "")),
        ("127.0.0.1:4566/repo", ("127.0.0.1:4566/repo", "", "")),
        ("127.0.0.1:4566/a/repo:v1", ("127.0.0.1:4566/a/repo", "v1", "")),
        ("host/repo@sha256:ab", ("host/repo", "", "sha256:ab")),
        ("host/repo:v1@sha256:ab", ("host/repo", "v1", "sha256:ab")),
    ],
)
def test_split_reference__registry_ports_tags_digests__told_apart(
    reference: str, parts: tuple[str, str, str]
) -> None:
    assert split_reference(reference) == parts


@pytest.mark.parametrize("reference", ["", ":v1", "host/", "a b", "@sha256:ab"])
def test_split_reference__no_image__usage_error(reference: str) -> None:
    with pytest.raises(UsageError):
        split_reference(reference)
