"""Where a task's containers write, by the task definition: any group, with whatever deployed."""

from __future__ import annotations

from dataclasses import dataclass

from fsd.compile.desired import Json
from fsd.rollout.log_remarks import FIRELENS, LogElsewhere

# The plugins of Fluent Bit that write to CloudWatch Logs: in Go, and in C.
# https://docs.fluentbit.io/manual/data-pipeline/outputs/cloudwatch
_CLOUDWATCH_PLUGINS = frozenset({"cloudwatch", "cloudwatch_logs"})
# What names a destination; other options may be a key or a password.
_DESTINATIONS = ("host", "bucket", "delivery_stream", "stream", "log_group_name")

_OF_FIRELENS = "-firelens-"  # between a container's name and the ID of the task


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlace:
    """Streams of CloudWatch; the ID of the task follows the prefix."""

    group: str
    prefix: str = ""  # "" for all streams of the group

    def stream(self, task: str) -> str:
        return f"{self.prefix}{task}"

    def task(self, stream: str) -> str:
        """Its ID. Of the group's other streams, what is the ID of no task."""
        return stream.removeprefix(self.prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRoutes:
    """Of one task definition."""

    places: tuple[StreamPlace, ...] = ()  # of the essential containers, or of the others
    all_places: tuple[StreamPlace, ...] = ()  # of every container
    elsewhere: tuple[LogElsewhere, ...] = ()  # of the essential containers
    required_groups: tuple[str, ...] = ()  # without which no task starts

    @property
    def group(self) -> str:
        return self.places[0].group if self.places else ""


def task_of(stream: str) -> str:
    """The ID of the task that a stream is named after, by awslogs or by FireLens."""
    return stream.rpartition("/")[2].rpartition(_OF_FIRELENS)[2]


def log_routes(definition: Json, *, region: str = "") -> LogRoutes:
    """`region` is the one whose logs FSD reads; "" for whichever the containers write to.

    Sidecars, and the log router of FireLens, are read where no essential container's lines are
    in CloudWatch: theirs are better than none.

    Without `awslogs-stream-prefix` the stream has the container's own ID, which ECS does not tell.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
    """
    containers = definition.get("containerDefinitions")
    all_places: list[StreamPlace] = []
    essential: list[StreamPlace] = []
    elsewhere: list[LogElsewhere] = []
    required: dict[str, None] = {}
    for container in containers if isinstance(containers, list) else []:
        if not isinstance(container, dict):
            continue
        is_service = bool(container.get("essential", True)) and not is_router(container)
        place = _place(container) if _is_in(region, container) else None
        if place is not None:
            all_places.append(place)
        if place is not None and _is_required(container):
            required[place.group] = None
        if place is not None and is_service:
            essential.append(place)
        if place is None and is_service:
            elsewhere.append(_elsewhere(container))
    return LogRoutes(
        places=tuple(essential or all_places),
        all_places=tuple(all_places),
        elsewhere=tuple(elsewhere),
        required_groups=tuple(required),
    )


def is_router(container: Json) -> bool:
    return bool(container.get("firelensConfiguration"))


def _place(container: Json) -> StreamPlace | None:
    driver, options = _driver(container), _options(container)
    name = str(container.get("name", ""))
    if driver == "awsfirelens":
        return _firelens_place(name, options)
    group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
    if driver != "awslogs" or not (group and prefix and name):
        return None
    return StreamPlace(group=group, prefix=f"{prefix}/{name}/")


def _is_in(region: str, container: Json) -> bool:
    return not region or _region(container) in ("", region)


def _region(container: Json) -> str:
    """Where its lines go; "" where the definition does not say it, or by a variable.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
    """
    is_routed = _driver(container) == "awsfirelens"
    named = _options(container).get("region" if is_routed else "awslogs-region", "")
    return "" if "$" in named else named


def _is_required(container: Json) -> bool:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html"""
    creates = _options(container).get("awslogs-create-group", "")
    return _driver(container) == "awslogs" and creates.lower() != "true"


def _firelens_place(name: str, options: dict[str, str]) -> StreamPlace | None:
    """A record's tag is `<container>-firelens-<task ID>`, and follows the prefix of the stream.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/firelens-taskdef.html
    """
    group, prefix = options.get("log_group_name", ""), options.get("log_stream_prefix")
    is_fixed = "$" not in group and prefix is not None and "$" not in prefix
    if options.get("name") not in _CLOUDWATCH_PLUGINS or not group or not is_fixed:
        return None
    return StreamPlace(group=group, prefix=f"{prefix}{name}{_OF_FIRELENS}")


def _elsewhere(container: Json) -> LogElsewhere:
    driver, options = _driver(container), _options(container)
    name = str(container.get("name", ""))
    if driver != "awsfirelens":
        return LogElsewhere(container=name, driver=driver, destination=_awslogs_group(container))
    named = options.get("name", "")
    place = next((options[key] for key in _DESTINATIONS if key in options), "")
    destination = f"{named} ({place})" if named and place else named or place
    if destination and (region := _region(container)):
        destination = f"{destination} in {region}"
    return LogElsewhere(container=name, driver=FIRELENS, destination=destination)


def _awslogs_group(container: Json) -> str:
    """With its Region, where the definition says both."""
    group, region = _options(container).get("awslogs-group", ""), _region(container)
    is_known = _driver(container) == "awslogs" and group and region
    return f"{group} in {region}" if is_known else ""


def _driver(container: Json) -> str:
    log = container.get("logConfiguration")
    return str(log.get("logDriver", "")) if isinstance(log, dict) else ""


def _options(container: Json) -> dict[str, str]:
    """Fluent Bit reads its keys in any case."""
    log = container.get("logConfiguration")
    options = log.get("options") if isinstance(log, dict) else None
    options = options if isinstance(options, dict) else {}
    return {str(key).lower(): str(value) for key, value in options.items()}
