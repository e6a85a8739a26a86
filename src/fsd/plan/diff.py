"""Differences between what runs and what is wanted. Values of the environment stay out:
a value may be a secret that somebody misplaced, so only its name is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fsd.change import BareRemark, Change, Sign
from fsd.compile.desired import HEALTH_CHECK_LABEL, Json, JsonValue, Scaling
from fsd.plan.canonical import canonical_text
from fsd.plan.container_words import describe_field
from fsd.plan.normalise import normalise_task_definition
from fsd.plan.template_parts import object_at

_SCALAR_FIELDS = {
    "cpu": "cpu",
    "memory": "memory",
    "taskRoleArn": "task role",
    "executionRoleArn": "execution role",
    "runtimePlatform": "platform",
}


def diff_task_definitions(before: Json, after: Json) -> tuple[Change, ...]:
    """() where both are the same release."""
    old, new = normalise_task_definition(before), normalise_task_definition(after)
    if old == new:
        return ()
    changes = [*_diff_fields(old, new), *_diff_containers(old, new)]
    return tuple(changes) or (Change(what="task definition", remark=BareRemark.OTHER_FIELDS),)


def diff_templates(before: Json, after: Json) -> tuple[Change, ...]:
    """Logical resources that are added, changed or removed."""
    old, new = object_at(before, "Resources"), object_at(after, "Resources")
    changes = [
        *(Change(what=name, sign=Sign.ADD) for name in sorted(new.keys() - old.keys())),
        *(Change(what=name, sign=Sign.REMOVE) for name in sorted(old.keys() - new.keys())),
        *(
            Change(what=name, sign=Sign.CHANGE)
            for name in sorted(new.keys() & old.keys())
            if canonical_text(new[name]) != canonical_text(old[name])
        ),
    ]
    if not changes and canonical_text(before) != canonical_text(after):
        changes = [Change(what="outputs", remark=BareRemark.DESCRIPTIONS)]
    return tuple(changes)


def diff_scaling(before: Scaling | None, after: Scaling) -> tuple[Change, ...]:
    if before is None:
        before = Scaling(
            minimum=0, maximum=0, cpu=None, memory=None, scale_in_cooldown=0, scale_out_cooldown=0
        )
    fields = (
        ("minimum", before.minimum, after.minimum),
        ("maximum", before.maximum, after.maximum),
        ("cpu target", before.cpu, after.cpu),
        ("memory target", before.memory, after.memory),
    )
    cooldowns = (
        ("scale-in cooldown", before.scale_in_cooldown, after.scale_in_cooldown),
        ("scale-out cooldown", before.scale_out_cooldown, after.scale_out_cooldown),
    )
    # Cooldowns belong to the policies; without one AWS keeps none.
    has_policy = after.cpu is not None or after.memory is not None or bool(after.tracked)
    kept = cooldowns if has_policy else ()
    return (
        *(
            Change(what=what, before=_said(old), after=_said(new))
            for what, old, new in (*fields, *kept)
            if old != new
        ),
        *_diff_tracked(before, after),
        *_diff_schedules(before, after),
    )


def _diff_schedules(before: Scaling, after: Scaling) -> Iterator[Change]:
    old, new = ({one.name: one for one in scaling.schedules} for scaling in (before, after))
    added, removed = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
    changed = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
    if added or removed or changed:
        yield Change(
            what="schedules",
            added=tuple(added),
            removed=tuple(removed),
            changed=tuple(changed),
        )


def _diff_tracked(before: Scaling, after: Scaling) -> Iterator[Change]:
    """A target, or what it is the target of."""
    old, new = ({one.name: one for one in scaling.tracked} for scaling in (before, after))
    for name in sorted(old.keys() | new.keys()):
        was, is_ = old.get(name), new.get(name)
        targets = _said(was.target if was else None), _said(is_.target if is_ else None)
        if targets[0] != targets[1]:
            yield Change(what=f"{name} target", before=targets[0], after=targets[1])
        elif was != is_:
            yield Change(what=f"{name} target", remark=BareRemark.OTHER_METRIC)


def _diff_fields(old: Json, new: Json) -> Iterator[Change]:
    for field, what in _SCALAR_FIELDS.items():
        if old.get(field) != new.get(field):
            yield Change(what=what, before=_flat(old.get(field)), after=_flat(new.get(field)))
    if old.get("volumes") != new.get("volumes"):
        yield _diff_volumes(_by_name(old, "volumes", "name"), _by_name(new, "volumes", "name"))
    faults = [bool(definition.get("enableFaultInjection")) for definition in (old, new)]
    if faults[0] != faults[1]:
        before, after = ("on" if each else "off" for each in faults)
        yield Change(what="fault injection", before=before, after=after)
    sizes = [_storage(definition) for definition in (old, new)]
    if sizes[0] != sizes[1]:
        yield Change(what="ephemeral storage", before=f"{sizes[0]} GiB", after=f"{sizes[1]} GiB")


def _diff_volumes(old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> Change:
    return Change(
        what="task volumes",
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(k for k in new.keys() & old.keys() if new[k] != old[k])),
    )


def _storage(definition: Json) -> int:
    """Fargate's own 20 without it."""
    size = definition.get("ephemeralStorage")
    return int(str(size["sizeInGiB"])) if isinstance(size, dict) else 20


def _diff_containers(old: Json, new: Json) -> Iterator[Change]:
    before, after = _containers(old), _containers(new)
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield Change(what="container", added=(name,))
        elif name not in after:
            yield Change(what="container", removed=(name,))
        else:
            yield from _diff_container(before[name], after[name])


def _diff_container(old: Json, new: Json) -> Iterator[Change]:
    if old.get("image") != new.get("image"):
        yield Change(what="image", before=_image(old), after=_image(new))
    for what, field, by in (
        ("environment", "environment", "name"),
        ("environment files", "environmentFiles", "value"),
        ("secrets", "secrets", "name"),
    ):
        yield from _diff_names(what, _by_name(old, field, by), _by_name(new, field, by))
    yield from _diff_labels(_labels(old), _labels(new))
    seen = {"image", "environment", "environmentFiles", "secrets", "dockerLabels"}
    for field in sorted((old.keys() | new.keys()) - seen):
        if old.get(field) != new.get(field):
            yield describe_field(field, old, new)


def health_path(definition: Json) -> str:
    """That the load balancer asks for; "" where none does."""
    containers = _containers(definition).values()
    texts = [str(_labels(container).get(HEALTH_CHECK_LABEL, "")) for container in containers]
    return next((text.split()[1] for text in texts if text), "")


def _diff_labels(old: Json, new: Json) -> Iterator[Change]:
    before, after = old.pop(HEALTH_CHECK_LABEL, None), new.pop(HEALTH_CHECK_LABEL, None)
    if before != after:
        yield from _diff_check(_said(before), _said(after))
    yield from _diff_names("labels", old, new)


# What `fsd.compile.task_definition` writes in the label.
_CHECK = re.compile(
    r"(?P<method>\S+)(?: (?P<path>/\S*))?(?: on port (?P<port>\d+))?(?P<scheme> by https)?"
    r"(?:, expecting (?P<matcher>\S+),)? every (?P<interval>\d+ s), timeout (?P<timeout>\d+ s), "
    r"(?P<healthyThreshold>\d+) good, (?P<unhealthyThreshold>\d+) bad"
)


def _diff_check(before: str | None, after: str | None) -> Iterator[Change]:
    """A change for each key, or one of the whole check where it is of another protocol."""
    old, new = (_CHECK.fullmatch(text or "") for text in (before, after))
    if (
        old is None
        or new is None
        or (old["method"], old["scheme"]) != (new["method"], new["scheme"])
    ):
        yield Change(what="health check", before=before, after=after)
        return
    codes = "0" if new["method"] == "gRPC" else "200-299"
    defaults = {"port": "service.port", "matcher": codes}
    for key in _CHECK.groupindex:
        default = defaults.get(key)
        was, is_ = old[key] or default, new[key] or default
        if was != is_:
            yield Change(what=f"healthCheck.{key}", before=was, after=is_)


def _labels(container: Json) -> Json:
    labels = container.get("dockerLabels")
    return dict(labels) if isinstance(labels, dict) else {}


def _diff_names(
    what: str, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]
) -> Iterator[Change]:
    if old == new:
        return
    yield Change(
        what=what,
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(key for key in sorted(new.keys() & old.keys()) if new[key] != old[key]),
    )


def _by_name(container: Json, field: str, by: str) -> dict[str, JsonValue]:
    entries = container.get(field)
    if not isinstance(entries, list):
        return {}
    return {str(e[by]): e for e in entries if isinstance(e, dict)}


def _containers(definition: Json) -> dict[str, Json]:
    containers = definition.get("containerDefinitions")
    if not isinstance(containers, list):
        return {}
    return {str(c["name"]): c for c in containers if isinstance(c, dict)}


def _image(container: Json) -> str:
    reference = str(container.get("image", ""))
    repository, _, digest = reference.partition("@sha256:")
    return f"sha256:{digest}" if digest else repository


def _flat(value: JsonValue) -> str | None:
    if isinstance(value, dict):
        return " ".join(str(item) for item in value.values())
    if value is None:
        return None
    return str(value).rpartition("/")[2]


def _said(value: object) -> str | None:
    return None if value is None else str(value)
