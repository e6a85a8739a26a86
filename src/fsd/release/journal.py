"""What was done to a service besides releases, and why releases failed: tags on the revision.

ECS lists deployments, but not who asked for one, nor a count that was set; and its own reason for a
rollback that FSD asked for is that one was asked for. A revision has at most SLOTS entries, the
oldest is written over: a resource has 50 tags.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from fsd.compile.tags import VALUE_LIMIT, clean_value
from fsd.errors import CallFailedError
from fsd.release.ledger import untold, write_tags
from fsd.release.notes import CouldNot
from fsd.release.ports import Ecs

NOTED = "fsd:failed"  # "crashed: the main process ended"
ENTRY = "fsd:action-"  # with the number of its slot: "2026-03-04T14:00:00Z scale 2 to 3 by alice"
SLOTS = 8
DEPLOYED = "deploy"  # of a revision that was registered before

_WRITTEN = re.compile(r"(?P<at>\S+Z) (?P<action>[a-z]+)(?: (?P<what>.*?))??(?: by (?P<by>\S+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One thing that was done to a revision after it was registered."""

    at: datetime
    action: str  # scale, restart, rollback, deploy
    what: str = ""  # "2 to 3", "from web-dev:42"
    by: str = ""


def note_failure(ecs: Ecs, arn: str, cause: str) -> CouldNot | None:
    """`cause` in words, "crashed: the main process ended". Returns what to tell where AWS does not
    let us; the release ended as it did all the same."""
    return write_tags(ecs, arn, {NOTED: encode_value(cause)})


def noted_failure(tags: Mapping[str, str]) -> str:
    """Why a revision's release failed, as `note_failure` wrote it; "" where it says nothing."""
    return decode_value(tags.get(NOTED, ""))


def note_action(ecs: Ecs, arn: str, entry: JournalEntry) -> CouldNot | None:
    """The same, of an operation that has begun."""
    try:
        found = ecs.find_task_definition(arn)
    except CallFailedError as error:
        return untold(error)
    slot = _next_slot(found.tags if found else {})
    what = f" {entry.what}" if entry.what else ""
    by = f" by {'_'.join(entry.by.split())}" if entry.by else ""
    text = f"{entry.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {entry.action}{what}{by}"
    return write_tags(ecs, arn, {f"{ENTRY}{slot}": clean_value(text)})


def entries_of(tags: Mapping[str, str]) -> tuple[JournalEntry, ...]:
    """Newest first; without those that were not written so."""
    found = [_read(value) for key, value in tags.items() if key.startswith(ENTRY)]
    return tuple(sorted((e for e in found if e), key=lambda entry: entry.at, reverse=True))


def _read(text: str) -> JournalEntry | None:
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return None
    try:
        at = datetime.strptime(match["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return JournalEntry(
        at=at, action=match["action"], what=match["what"] or "", by=match["by"] or ""
    )


def _next_slot(tags: Mapping[str, str]) -> int:
    """A free one, else the oldest; a time sorts as text."""
    return min(range(SLOTS), key=lambda slot: tags.get(f"{ENTRY}{slot}", ""))


def encode_value(sentence: str) -> str:
    """A sentence as a tag's value, to be read again: what AWS does not take is `=` and its UTF-8 in
    hexadecimal, as in quoted-printable text."""
    encoded = quote(sentence, safe=" .:/+@-_").replace("%", "=")[:VALUE_LIMIT]
    return re.sub(r"=[0-9A-F]?$", "", encoded).rstrip()


def decode_value(value: str) -> str:
    return unquote(value.replace("=", "%"), errors="ignore")
