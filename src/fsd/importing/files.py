"""Which format a file is in, and which files of a folder belong together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from fsd.importing.app_runner import is_app_runner, read_app_runner
from fsd.importing.app_runner_service import is_app_runner_service, read_app_runner_service
from fsd.importing.cloudformation import placed, read_template, split_template
from fsd.importing.compose import is_compose, read_compose_file
from fsd.importing.copilot import is_copilot, read_copilot
from fsd.importing.ecs_service import is_service, unwrap_service
from fsd.importing.reader import Imported, Loss
from fsd.importing.scheduled_task import (
    family_of,
    is_schedule,
    joined,
    read_scheduled_task,
    unpaired,
)
from fsd.importing.task_definition import has_task_definition, read_task_definition, unwrap
from fsd.importing.values import Value, mapping, read_values, text_of, why_unreadable

# What a folder may have, apart from folders of other tools' own.
CANDIDATE = re.compile(r"[^/]*\.(?:json|ya?ml)")
# Of these names a file that cannot be read is said; a folder has other YAML, such as templates.
_OTHERS = re.compile(
    r"(?:docker-)?compose[^/]*|apprunner\.ya?ml|manifest\.ya?ml|[^/]*task-?def[^/]*\.json"
)
_ALONE = "its task definition belongs to it: import a folder that has both"
_HALF = (
    "a rule is two files, NAME.json by `aws events describe-rule` and NAME-targets.json by "
    "`aws events list-targets-by-rule`, in one folder with the task definition"
)
_ONE_SCHEDULE = "a Job has one schedule: write a Job with another name for this one"
_STATIC = "a static site: S3 and CloudFront serve it, no task of ECS"


def read_files(
    texts: Mapping[str, str], *, pack: str, folder: str
) -> tuple[list[Imported], list[Loss]]:
    """Path → text; `folder` names what has no name of its own. What is none of it is left out."""
    values, losses = _without_templates(texts)
    definitions = [mapping(each) for each in values.values() if has_task_definition(each)]
    found: list[Imported] = []
    for path, value in values.items():
        if has_task_definition(value):
            others = values if len(values) > 1 else {}
            found.append(_read_definition(mapping(value), others, source=path, pack=pack))
        elif is_copilot(value):
            imported = read_copilot(
                mapping(value), source=path, pack=pack, application=_application(texts)
            )
            if imported is None:
                losses.append(Loss(where=path, value="Static Site", reason=_STATIC))
            else:
                found.append(imported)
        elif is_app_runner(value) or is_app_runner_service(value):
            found.append(_read_app_runner(mapping(value), path, pack=pack, folder=folder))
        elif is_compose(value):
            more, lost = read_compose_file(texts[path], source=path, pack=pack)
            found += more
            losses += lost
        elif alone := _alone(value, definitions):
            losses.append(Loss(where=path, value=alone, reason=_ALONE))
        elif half := unpaired(values, path):
            losses.append(Loss(where=path, value=half, reason=_HALF))
        elif value is None and (len(texts) == 1 or _OTHERS.fullmatch(PurePosixPath(path).name)):
            losses += _unreadable(texts[path], path)
    of_template = values.keys() - texts.keys()
    return [placed(each) if each.source in of_template else each for each in found], losses


def _read_app_runner(value: dict[str, Value], path: str, *, pack: str, folder: str) -> Imported:
    if is_app_runner_service(value):
        return read_app_runner_service(value, source=path, pack=pack)
    name = PurePosixPath(path).parent.name or folder
    return read_app_runner(value, source=path, pack=pack, name=name)


def _without_templates(texts: Mapping[str, str]) -> tuple[dict[str, Value], list[Loss]]:
    """What the files have, and what templates have in their place."""
    values: dict[str, Value] = {}
    losses: list[Loss] = []
    for path, text in texts.items():
        value = read_values(text, path=path)
        template = read_template(text, value, path=path)
        found, lost = split_template(template, path=path) if template else ({path: value}, [])
        values |= found
        losses += lost
    return values, losses


def _read_definition(
    value: dict[str, Value], others: Mapping[str, Value], *, source: str, pack: str
) -> Imported:
    """With the service or the schedule beside it."""
    schedules = _schedules_of(joined(others), value)
    if schedules:
        imported = read_scheduled_task(schedules[0], value, source=source, pack=pack)
        more = [_another_schedule(each) for each in schedules[1:]]
        return replace(imported, losses=(*imported.losses, *more))
    services = [unwrap_service(mapping(each)) for each in others.values() if is_service(each)]
    return read_task_definition(
        value, source=source, pack=pack, service=_of_family(services, value)
    )


def _alone(value: Value, definitions: list[dict[str, Value]]) -> str:
    """What it is, where there is no task definition for it; else ""."""
    if is_service(value) and not definitions:
        return "a service definition"
    is_started = any(_schedules_of([mapping(value)], each) for each in definitions)
    return "a schedule" if is_schedule(value) and not is_started else ""


def _unreadable(text: str, path: str) -> list[Loss]:
    wrong = why_unreadable(text, path=path)
    return [Loss(where=str(wrong.where), value="", reason=wrong.message)] if wrong else []


def _another_schedule(schedule: dict[str, Value]) -> Loss:
    said = (text_of(schedule.get(key)) for key in ("Name", "ScheduleExpression"))
    return Loss(where="schedule", value=": ".join(filter(None, said)), reason=_ONE_SCHEDULE)


def _schedules_of(
    schedules: list[dict[str, Value]], value: dict[str, Value]
) -> list[dict[str, Value]]:
    """Those that start the family; one whose ARN says no family starts the only definition."""
    family = text_of(unwrap(value).get("family"))
    return [each for each in schedules if family_of(each) in (family, "")]


def _of_family(
    services: list[dict[str, Value]], value: dict[str, Value]
) -> dict[str, Value] | None:
    """The service definition beside it; with several the one that names the family."""
    family = text_of(mapping(value.get("taskDefinition") or value).get("family"))
    named = [
        each
        for each in services
        if text_of(each.get("taskDefinition")).rpartition("/")[2].partition(":")[0] == family
    ]
    return next(iter(named), services[0] if len(services) == 1 else None)


def _application(texts: Mapping[str, str]) -> str:
    """Copilot's `.workspace` says it."""
    for path, text in texts.items():
        if PurePosixPath(path).name == ".workspace":
            return text_of(mapping(read_values(text, path=path)).get("application"))
    return ""
