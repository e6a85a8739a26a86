"""What the commands print."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fsd_local.instance import Instance, Status
from fsd_local.instances import KnownInstance
from fsd_local.page.link import page_url

NOT_RUNNING = "The embedded AWS is not running; `{program} up` starts it"
_WHERE = {
    "container": "containers, in the Docker engine of this machine",
    "process": "processes on this machine, each on an address of its own (127.77.x.y)",
}
_ENFORCED = "enforced: roles may do only what their policies say"


def up_text(instance: Instance, *, was_running: bool, steps: Sequence[str]) -> str:
    verb = "is already running" if was_running else "is up"
    iam = f"\n  iam       {_ENFORCED}" if instance.enforce_iam else ""
    return f"""\
The embedded AWS {verb} at {instance.endpoint}
  account   {instance.account} · {instance.region}
  tasks     {_WHERE[instance.runtime]}
  speed     health checks, grace periods and draining are {instance.speed:g} times as fast{iam}
{_page_line(instance)}
Next:
""" + "\n".join(f"  {step}" for step in steps)


def _page_line(instance: Instance) -> str:
    """To look at in a browser."""
    return f"  page      {page_url(instance.endpoint, instance.secret)}"


def status_json(found: Status | None) -> dict[str, Any]:
    if found is None:
        return {"running": False}
    instance = found.instance
    return {
        "running": True,
        **asdict(instance),
        "started_at": instance.started_at.isoformat(),
        "uptime": found.uptime,
        "services": [dict(service) for service in found.services],
        "resources": dict(found.resources),
        "notes": list(found.notes),
    }


def instances_json(found: Sequence[KnownInstance]) -> list[dict[str, Any]]:
    """Without their secrets."""
    return [
        {
            "endpoint": known.instance.endpoint,
            "runtime": known.instance.runtime,
            "checkout": known.checkout,
            "state_dir": known.instance.state_dir,
            "pid": known.instance.pid,
            "started_at": known.instance.started_at.isoformat(),
        }
        for known in found
    ]


def instances_text(found: Sequence[KnownInstance]) -> str:
    if not found:
        return "No embedded AWS is running"
    return "\n".join(
        f"{known.instance.endpoint}   {known.instance.runtime:9}   up since "
        f"{_local_time(known.instance.started_at)}   {known.checkout or known.instance.state_dir}"
        for known in found
    )


def _local_time(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def status_text(found: Status) -> str:
    instance = found.instance
    lines = [
        f"The embedded AWS at {instance.endpoint}, up since {_local_time(instance.started_at)}",
        f"  account   {instance.account} · {instance.region}",
        f"  tasks     {_WHERE[instance.runtime]}",
        _wrapped("  stored    ", ", ".join(_stored(found.resources)) or "nothing"),
        _page_line(instance),
        *(_wrapped("  note      ", note) for note in found.notes),
        *(line for service in found.services for line in _service_lines(service)),
    ]
    return "\n".join(lines)


def _stored(resources: Mapping[str, int]) -> list[str]:
    """2 log groups, 1 repository …"""
    return [f"{count} {_noun(kind, count)}" for kind, count in resources.items() if count]


def _noun(kind: str, count: int) -> str:
    plural = kind.replace("_", " ")
    if count != 1:
        return plural
    return plural.removesuffix("ies") + "y" if plural.endswith("ies") else plural.removesuffix("s")


def _wrapped(label: str, text: str) -> str:
    return textwrap.fill(text, width=100, initial_indent=label, subsequent_indent=" " * len(label))


def _service_lines(service: Mapping[str, Any]) -> list[str]:
    title = f"{service['cluster']}/{service['name']}   {service['task_definition']}"
    return [
        f"{title}   {service['running']} of {service['desired']} running",
        *(f"  {url}" for url in service["urls"]),
        *(_task_line(task) for task in service["tasks"]),
    ]


def _task_line(task: Mapping[str, Any]) -> str:
    places = ", ".join(f"{task['address']}:{port}" for port in task["ports"]) or task["address"]
    return f"  task {task['id'][:8]}   {task['status']}   {places}"
