"""Where a task's containers write, by the task definition: any group, with whatever deployed."""

from __future__ import annotations

from fsd.compile.desired import Json


def log_places(definition: Json) -> tuple[tuple[str, str], ...]:
    """(log group, beginning of the stream's name) of each essential container that logs to
    CloudWatch; of the others where no essential one does. The task's id follows the beginning.

    Without `awslogs-stream-prefix` the stream has the container's own id, which ECS does not tell.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
    """
    containers = definition.get("containerDefinitions")
    found = [
        (bool(container.get("essential", True)), place)
        for container in (containers if isinstance(containers, list) else [])
        if isinstance(container, dict) and (place := _place(container))
    ]
    essential = [place for is_essential, place in found if is_essential]
    return tuple(essential or [place for _, place in found])


def _place(container: Json) -> tuple[str, str] | None:
    log = container.get("logConfiguration")
    if not isinstance(log, dict) or log.get("logDriver") != "awslogs":
        return None
    options = log.get("options")
    options = options if isinstance(options, dict) else {}
    group, prefix = options.get("awslogs-group"), options.get("awslogs-stream-prefix")
    name = container.get("name")
    return (str(group), f"{prefix}/{name}/") if group and prefix and name else None
