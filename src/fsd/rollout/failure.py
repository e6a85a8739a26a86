"""One kind of failure, as data: by which words it is known, what it means, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fsd.rollout.known_causes import QuotedText
from fsd.rollout.reasons import Reason, TaskStage

GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
STOPPED = f"{GUIDE}/stopped-task-error-codes.html"
PULL = f"{GUIDE}/task_cannot_pull_image.html"
INITIALIZATION = f"{GUIDE}/resource-initialization-error.html"
EVENTS = f"{GUIDE}/service-event-messages-list.html"

DENIED = r"AccessDenied|not authorized|403 Forbidden|no basic auth|\bdenied\b|\bunauthorized\b"
UNREACHABLE = (
    r"(?:dial|read) tcp|TLS handshake timeout|request canceled|context (?:deadline|canceled)|"
    r"check your (?:task )?network configuration|send(?: request)? failed"
)
THROTTLED = r"Throttling|RequestLimitExceeded"

NAT = (
    "give the subnets a route to the internet through a NAT gateway or a public IP, and allow "
    "port 443 in the security group's egress"
)
ENDPOINTS = "VPC endpoints for ecr.api, ecr.dkr, s3 (gateway), logs, secretsmanager and ssm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One kind of failure: at which stages, and by which words of the reason.

    Rows that are no rest exclude each other: their order says nothing. A rest is what is left of
    its stages where no other row is known.
    """

    code: str
    pattern: str  # regular expression, case-insensitive, over a reason without its names
    summary: str
    advice: str
    after: int | None  # sightings that decide; None: never
    example: str  # what ECS says, or has said
    source: str  # the page or thread of the example
    exit_codes: tuple[int, ...] = ()  # () any
    stages: tuple[TaskStage, ...] = ()  # () any
    where: str = ""  # words that must stand in it as well: whose registry, which part
    unless: str = ""  # words that make it another row's
    is_rest: bool = False
    also: tuple[QuotedText, ...] = ()  # more examples
    unlike: tuple[QuotedText, ...] = ()  # it looks alike, and is another cause

    def matches(self, reason: Reason, exit_code: int | None) -> bool:
        if self.exit_codes and exit_code not in self.exit_codes:
            return False
        if self.stages and reason.stage not in self.stages:
            return False
        if self.where and not _finds(self.where, reason.words):
            return False
        if self.unless and _finds(self.unless, reason.words):
            return False
        return _finds(self.pattern, reason.words)

    def examples(self) -> Iterator[QuotedText]:
        yield QuotedText(self.example, self.source)
        yield from self.also


def _finds(pattern: str, words: str) -> bool:
    return re.search(pattern, words, re.IGNORECASE | re.DOTALL) is not None
