"""A task that EventBridge starts by the clock → a Job: a schedule, or a rule with its targets.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from fsd.compile.schedule import NEVER, RETRIES, TIMEOUT_CONTAINER
from fsd.importing.container import read_environment
from fsd.importing.ecs_service import read_service
from fsd.importing.reader import Imported, Loss, Reader, literal, without_empty
from fsd.importing.task_definition import main_container, merged, read_task_definition, unwrap
from fsd.importing.values import Value, listed, mapping, number, text_of
from fsd.manifest.container import OLD_SCHEDULE_PATTERN, ROLE_PATTERN

_ANSWERS = ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata", "CreatedBy")
_NAMES = ("Name", "GroupName", "Description", "EventBusName", "RoleArn")
_ASKED = {"", "rule", "rules", "target", "targets", "describe", "list", "by", "events"}
_A_DAY = 86_400  # seconds; EventBridge's own default
_AN_HOUR = 3_600
_BESIDE = (
    "FSD creates its own schedule: disable {which} before the first deployment, or both start it"
)
_TAKEN_OVER = (
    "the first deployment disables {which} when FSD's own schedule begins, and needs --adopt"
)


def is_schedule(value: Value) -> bool:
    """With what it starts: a rule alone does not say it."""
    found = mapping(value)
    return bool(found.get("ScheduleExpression")) and bool(_target(found).get("EcsParameters"))


def joined(values: Mapping[str, Value]) -> list[dict[str, Value]]:
    """The schedules of some files, by path; of a rule one for each task that it starts.

    `describe-rule` and `list-targets-by-rule` are two files of one rule, and the second does not
    say which: with several it is the one that the file is named after.
    """
    files = {path: mapping(each) for path, each in values.items()}
    found = [each for each in files.values() if is_schedule(each)]
    rules, targets = _halves(files)
    for path, rule in rules.items():
        own = _targets_of(path, rules, targets)
        if own:
            found.append({**rule, "Targets": targets[own]["Targets"]})
    return [one for each in found for one in _of_each_task(each)]


def unpaired(values: Mapping[str, Value], path: str) -> str:
    """What a file is that is half of a rule whose other half is not found; "" for others."""
    rules, targets = _halves({name: mapping(each) for name, each in values.items()})
    if path in rules and not _targets_of(path, rules, targets):
        return "a rule"
    used = {_targets_of(each, rules, targets) for each in rules}
    is_task = path in targets and bool(_target(targets[path]).get("EcsParameters"))
    return "targets of a rule" if is_task and path not in used else ""


def _halves(
    files: Mapping[str, dict[str, Value]],
) -> tuple[dict[str, dict[str, Value]], dict[str, dict[str, Value]]]:
    """(rules without targets, targets without a rule), by path."""
    rest = {path: each for path, each in files.items() if not is_schedule(each)}
    rules = {path: each for path, each in rest.items() if each.get("ScheduleExpression")}
    targets = {path: each for path, each in rest.items() if listed(each.get("Targets"))}
    return rules, {path: each for path, each in targets.items() if path not in rules}


def _targets_of(path: str, rules: Mapping[str, Value], targets: Mapping[str, Value]) -> str:
    """The path of a rule's targets; "" where it is not known."""
    name = text_of(mapping(rules[path]).get("Name"))
    own = [each for each in targets if _words(each) in (_words(path), _words(name))]
    if len(own) == 1:
        return own[0]
    return next(iter(targets)) if len(rules) == len(targets) == 1 else ""


def _words(path: str) -> tuple[str, ...]:
    """Of a file's name, without those that say what AWS was asked."""
    stem = re.sub(r"\.[a-z]+$", "", path.rpartition("/")[2])
    return tuple(each for each in re.split(r"[^a-z0-9]+", stem.lower()) if each not in _ASKED)


def _of_each_task(schedule: dict[str, Value]) -> list[dict[str, Value]]:
    """Each with its own task in front."""
    every = listed(schedule.get("Targets"))
    tasks = [each for each in every if mapping(each).get("EcsParameters")]
    if len(tasks) < 2:
        return [schedule]
    return [
        {**schedule, "Targets": [each, *(other for other in every if other is not each)]}
        for each in tasks
    ]


def family_of(schedule: dict[str, Value]) -> str:
    """Of what it starts: "" where the ARN is another's text, such as a template's."""
    ecs = mapping(_target(schedule).get("EcsParameters"))
    return text_of(ecs.get("TaskDefinitionArn")).rpartition("/")[2].partition(":")[0]


def read_scheduled_task(
    schedule: dict[str, Value], definition: dict[str, Value], *, source: str, pack: str
) -> Imported:
    definition, timeout = _without_timeout(unwrap(definition))
    imported = read_task_definition(definition, source=source, pack=pack)
    losses = [*imported.losses]
    reader = Reader(schedule, "schedule", losses)
    found: dict[str, Value] = {
        **_when(reader),
        "timeout": timeout,
        "existingSchedule": _existing(schedule),
    }
    targets = listed(reader.take("Targets"))
    target = Reader(_target(schedule), "schedule.Target", losses)
    reader.ignore("Target", *_ANSWERS, *_NAMES)
    if len(targets) > 1:
        losses.append(
            Loss(
                where="schedule.Targets", value=str(len(targets)), reason="a Job starts one of them"
            )
        )
    found = merged(found, _retries(target))
    found = merged(found, _place(target))
    service = merged(mapping(imported.tree.get("service")), found)
    service = merged(service, _overrides(target, _main_names(definition)))
    target.ignore("Arn", "Id", "RoleArn")
    target.finish()
    reader.finish()
    tree: dict[str, Value] = {**imported.tree, "kind": "Job", "service": without_empty(service)}
    return replace(
        imported, tree=tree, losses=tuple(losses), notes=(*imported.notes, _beside(schedule))
    )


def _beside(schedule: dict[str, Value]) -> str:
    """With the command for a rule; Scheduler has none that only disables."""
    name = text_of(schedule.get("Name"))
    is_rule = bool("Targets" in schedule and name)
    if _existing(schedule):
        return _TAKEN_OVER.format(which=f"the {'rule' if is_rule else 'schedule'} {name}")
    others = len(listed(schedule.get("Targets"))) > 1
    target = text_of(_target(schedule).get("Id"))
    if others and is_rule and target:
        end = f"remove-targets --rule {name} --ids {target}"
        return _BESIDE.format(which=f"this target of the rule (`aws events {end}`)")
    return _BESIDE.format(
        which=f"this rule (`aws events disable-rule --name {name}`)" if is_rule else "this one"
    )


def _existing(schedule: dict[str, Value]) -> dict[str, Value]:
    """What a deployment may disable: {} for a rule that starts something else too, for what is
    disabled, and where no ARN says which it is."""
    arn, role = text_of(schedule.get("Arn")), text_of(_target(schedule).get("RoleArn"))
    is_alone = len(listed(schedule.get("Targets"))) <= 1
    is_on = schedule.get("State") != "DISABLED"
    if not (is_alone and is_on and re.fullmatch(OLD_SCHEDULE_PATTERN, arn)):
        return {}
    if ":events:" in arn:
        return {"arn": arn}
    return {"arn": arn, "role": role} if re.fullmatch(ROLE_PATTERN, role) else {}


def _target(schedule: dict[str, Value]) -> dict[str, Value]:
    """The first that is ECS's; of Scheduler the only one."""
    both = [schedule.get("Target"), *listed(schedule.get("Targets"))]
    return next((t for t in map(mapping, both) if t.get("EcsParameters")), {})


def _without_timeout(definition: dict[str, Value]) -> tuple[dict[str, Value], Value]:
    """FSD's own container that ends a Job after its time is the key `timeout`."""
    containers = listed(definition.get("containerDefinitions"))
    names = [text_of(mapping(each).get("name")) for each in containers]
    if TIMEOUT_CONTAINER not in names:
        return definition, None
    clock = mapping(containers[names.index(TIMEOUT_CONTAINER)])
    seconds = number(next(iter(listed(clock.get("command"))), None))
    others = [each for each in containers if each is not clock]
    return {**definition, "containerDefinitions": others}, f"{seconds}s" if seconds else None


def _when(reader: Reader) -> dict[str, Value]:
    expression = reader.text("ScheduleExpression")
    zone = reader.text("ScheduleExpressionTimezone")
    if reader.text("State") == "DISABLED":
        # FSD's own for a Job without a schedule loses nothing.
        for key in ("ScheduleExpression", "ScheduleExpressionTimezone"):
            if expression == NEVER:
                reader.ignore(key)
            else:
                reader.lose(key, "the schedule is disabled: `fsd run` starts the Job")
        reader.ignore("FlexibleTimeWindow")
        return {}
    if reader.inside("FlexibleTimeWindow").text("Mode") not in ("OFF", ""):
        reader.lose("FlexibleTimeWindow", "FSD's schedules start on time")
    for key in ("StartDate", "EndDate"):
        reader.lose(key, "FSD's schedules have no beginning and no end")
    reader.lose("KmsKeyArn", "FSD's schedules are encrypted with AWS's own key")
    reader.ignore("ActionAfterCompletion")  # of one that runs once
    is_cron = expression.startswith("cron(")
    return {
        "schedule": literal(expression),
        "timezone": zone if is_cron and zone not in ("", "UTC") else None,
    }


def _retries(target: Reader) -> dict[str, Value]:
    target.lose("DeadLetterConfig", "FSD has no queue for starts that failed")
    policy = target.inside("RetryPolicy")
    age = policy.number("MaximumEventAgeInSeconds")
    if age not in (None, _AN_HOUR, _A_DAY):
        policy.lose("MaximumEventAgeInSeconds", "a start that is refused is tried for an hour")
    found = policy.number("MaximumRetryAttempts")
    policy.finish()
    return {"retries": found if found != RETRIES else None}


def _place(target: Reader) -> dict[str, Value]:
    """In the words of a service, which says the same of its tasks."""
    ecs = target.inside("EcsParameters")
    if ecs.number("TaskCount") not in (None, 1):
        ecs.lose("TaskCount", "a Job is one task")
    ecs.ignore("TaskDefinitionArn", "ReferenceId", "Tags")
    ecs.lose("Group", "FSD's tasks are of their family's group")
    for key in ("PlacementConstraints", "PlacementStrategy"):
        ecs.lose(key, "FSD runs on Fargate")
    words = {_lowered(key): _spelled(ecs.take(key)) for key in ecs.values if key not in ecs.taken}
    return read_service(Reader(words, ecs.at, ecs.losses))


def _lowered(key: str) -> str:
    return key[:1].lower() + key[1:]


def _spelled(value: Value) -> Value:
    match value:
        case dict():
            return {_lowered(key): _spelled(each) for key, each in value.items()}
        case list():
            return [_spelled(each) for each in value]
    return value


def _main_names(definition: dict[str, Value]) -> tuple[str, ...]:
    """The name of the container that becomes the Job's own; () where there is no other one."""
    containers = list(Reader(definition, "", []).readers("containerDefinitions"))
    main = main_container(containers, text_of(definition.get("family")))
    return (main.text("name"),) if main is not None and len(containers) > 1 else ()


def _overrides(target: Reader, names: tuple[str, ...]) -> dict[str, Value]:
    """`Input` is RunTask's `overrides`: of the Job's own container they become its settings."""
    text = target.text("Input")
    try:
        given = mapping(json.loads(text)) if text else {}
    except (ValueError, RecursionError):
        target.taken.discard("Input")
        target.lose("Input", "it is not JSON")
        return {}
    overrides = Reader(given, "schedule.Target.Input", target.losses)
    found: dict[str, Value] = {}
    containers = [*overrides.readers("containerOverrides")]
    for container in containers:
        is_main = container.text("name") in names or not names
        if not is_main:
            container.lose("command", "another container's")
            container.lose("environment", "another container's")
        command: list[Value] = [literal(text_of(word)) for word in container.items("command")]
        environment = read_environment(container)
        container.finish()
        found = merged(found, {"command": command, "environment": environment} if is_main else {})
    overrides.finish()
    return found
