"""What every operation is given: the account's state, the time, and how to have work done."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fsd_local.ecs.actions import Effect
from fsd_local.ecs.arns import Ids, last_part
from fsd_local.ecs.faults import cluster_not_found, invalid, service_not_found
from fsd_local.ecs.model import Cluster, EcsServiceRecord, Json, Scope, Task, TaskDefinition
from fsd_local.ecs.surroundings import Around
from fsd_local.ports import Alarm
from fsd_local.sessions.store import Sessions

_Item = TypeVar("_Item")
_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTargetGroup:
    """What was known of a target group before the state was locked."""

    exists: bool
    is_attached: bool
    target_type: str  # ip, instance …


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    scope: Scope
    now: float
    ids: Ids
    enqueue: Callable[[Sequence[Effect]], None]
    target_groups: Mapping[str, KnownTargetGroup]
    rules: Mapping[str, Mapping[str, int]]  # those that exist: what they forward to
    alarms: Mapping[str, Alarm]  # by name: those that a deployment would watch
    around: Around
    sessions: Sessions

    def cluster(self, parameters: Json) -> Cluster:
        found = self.scope.clusters.get(last_part(parameters.get("cluster") or "default"))
        if found is None:
            raise cluster_not_found()
        return found

    def service(self, parameters: Json) -> EcsServiceRecord:
        """ACTIVE, DRAINING or INACTIVE. A service's long ARN names its cluster too."""
        wanted = parameters["service"]
        cluster = self.cluster(parameters)
        found = self.scope.services.get((cluster.name, last_part(wanted)))
        if found is None or (wanted.startswith("arn:") and wanted != found.arn):
            raise service_not_found()
        return found

    def find_task(self, cluster: Cluster, wanted: str) -> Task | None:
        found = self.scope.tasks.get(last_part(wanted))
        return found if found is not None and found.cluster == cluster.name else None

    def find_task_definition(self, wanted: str) -> TaskDefinition | None:
        """By `family` (its latest ACTIVE revision), `family:revision` or ARN."""
        family, _, number = last_part(wanted).partition(":")
        revisions = self.scope.task_definitions.get(family, {})
        if number:
            return revisions.get(int(number)) if number.isdecimal() else None
        active = [number for number, found in revisions.items() if found.status == "ACTIVE"]
        return revisions[max(active)] if active else None


def paginate(
    items: Sequence[_Item], parameters: Json, *, default: int = _PAGE, limit: int = _PAGE
) -> tuple[Sequence[_Item], Json]:
    """One page, and `nextToken` where there are more."""
    size = parameters.get("maxResults", default)
    if not 1 <= size <= limit:
        raise invalid(f"maxResults must be between 1 and {limit}.")
    start = _offset(parameters.get("nextToken"))
    end = start + size
    token = base64.b64encode(f"from:{end}".encode()).decode()
    return items[start:end], {"nextToken": token} if end < len(items) else {}


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        kind, _, number = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        kind, number = "", ""
    if kind != "from" or not number.isdecimal():
        raise invalid("Invalid token")
    return int(number)


def load_tags(tags: Sequence[Json] | None) -> dict[str, str]:
    found = {tag["key"]: tag.get("value", "") for tag in tags or () if "key" in tag}
    if len(found) != len(tags or ()):
        raise invalid("Tag keys must be present and unique.")
    if len(found) > 50:
        raise invalid("The maximum number of tags that can be applied is 50.")
    for key, value in found.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise invalid(f"Tag {key!r}: a key has 1 to 128 characters, a value at most 256.")
        if key.lower().startswith("aws:"):
            raise invalid(f"Tag {key!r}: the prefix aws: is reserved.")
    return found
