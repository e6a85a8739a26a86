from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fsd.errors import CallFailedError
from fsd.release.pace import Pace
from fsd.release.reporter import Silent
from fsd.release.watch import Watcher
from fsd.snapshot import Event, Snapshot
from tests.fakes.aws import START, FakeAws, FakeClock

UNHEALTHY = Event(
    id="1",
    at=START + timedelta(minutes=1),
    message="(service web-dev) (port 8000) is unhealthy in (target-group x) due to "
    "(reason Request timed out).",
)


def watching(aws: FakeAws) -> Watcher:
    """Just after a look at a service whose deployment runs."""
    service, deployment = aws.ecs.services["web-dev"], aws.ecs.deployments[0]
    watcher = Watcher(
        aws=aws.aws(),
        clock=FakeClock(),
        reporter=Silent(),
        cluster="dev",
        service="web-dev",
        pace=Pace(),
        deadline=START + timedelta(hours=1),
        started=START,
    )
    watcher.reader.snapshot = Snapshot(service=service, deployment=deployment)
    return watcher


def test_refresh_evidence__event_since_the_last_look__is_among_it() -> None:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    watcher = watching(aws)
    aws.ecs.services["web-dev"] = replace(aws.ecs.services["web-dev"], events=(UNHEALTHY,))

    watcher.refresh_evidence()

    assert watcher.snapshot.events == (UNHEALTHY,)


def test_refresh_evidence__service_cannot_be_read__keeps_what_was_seen() -> None:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    aws.ecs.crash(41, times=1)
    watcher = watching(aws)
    watcher.reader.snapshot = replace(watcher.snapshot, events=(UNHEALTHY,))
    aws.ecs.fail("find_service", CallFailedError("reset", where="ecs", fix="again"))

    watcher.refresh_evidence()

    assert watcher.snapshot.events == (UNHEALTHY,)
    assert len(watcher.snapshot.stopped) == 1
