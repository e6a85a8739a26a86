"""How many tasks a Copilot manifest asks for, on what capacity, and what changes their number.

https://aws.github.io/copilot-cli/docs/manifest/lb-web-service/#count
"""

from __future__ import annotations

import re

from fsd.importing.reader import Reader
from fsd.importing.values import Value

_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})")
_TARGETS = {
    "cpu_percentage": "targetCPUUtilization",
    "memory_percentage": "targetMemoryUtilization",
    "requests": "targetRequestsPerTask",
}


def read_count(reader: Reader) -> dict[str, Value]:
    written = reader.take("count")
    if not isinstance(written, dict):
        return {"resources": {"desiredCount": reader.number("count")}}
    count = Reader(written, reader.place("count"), reader.losses)
    low, high, spot_from = _range(count)
    spot: Value = {"base": max(spot_from - 1, 0), "percent": 100} if spot_from else None
    spot_count = count.number("spot")
    cooldown = count.inside("cooldown")
    scaling: dict[str, Value] = {
        "scaleInCooldown": cooldown.seconds("in"),
        "scaleOutCooldown": cooldown.seconds("out"),
    }
    cooldown.finish()
    for key, target in _TARGETS.items():
        scaling[target] = _target(count, key, scaling)
    queue = count.inside("queue_delay")
    queue.lose("acceptable_latency", "FSD scales by messages a task: `targetQueueDepth`")
    queue.lose("msg_processing_time", "FSD scales by messages a task: `targetQueueDepth`")
    queue.finish()
    count.lose("response_time", "FSD does not scale by response time")
    count.finish()
    return {
        "resources": {
            "desiredCount": spot_count if spot_count is not None else low,
            "minCapacity": low,
            "maxCapacity": high,
            "spot": True if spot_count is not None else spot,
        },
        "autoScaling": scaling,
    }


def _range(count: Reader) -> tuple[int | None, int | None, int | None]:
    """The least, the most, and the number that Spot begins with."""
    spread = count.values.get("range")
    if isinstance(spread, dict):
        inner = count.inside("range")
        found = inner.number("min"), inner.number("max"), inner.number("spot_from")
        inner.finish()
        return found
    between = _RANGE.fullmatch(count.text("range"))
    if between is None:
        count.lose("range", "it is no range, such as 1-10")
        return None, None, None
    return int(between[1]), int(between[2]), None


def _target(count: Reader, key: str, scaling: dict[str, Value]) -> int | None:
    """Where there is one target its cooldown is that of the service, which FSD has one of."""
    if not isinstance(count.values.get(key), dict):
        return count.number(key)
    target = count.inside(key)
    is_alone = not any(other in count.values for other in _TARGETS if other != key)
    cooldown = target.inside("cooldown")
    own = {
        "scaleInCooldown": cooldown.seconds("in"),
        "scaleOutCooldown": cooldown.seconds("out"),
    }
    said = {name: seconds for name, seconds in own.items() if seconds is not None}
    if is_alone:
        scaling.update(said)
    elif any(scaling.get(name) != seconds for name, seconds in said.items()):
        target.lose("cooldown", "FSD has one cooldown for all targets: `count.cooldown`")
    cooldown.finish()
    found = target.number("value")
    target.finish()
    return found
