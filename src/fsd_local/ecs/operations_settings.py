"""Account settings.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html
"""

from __future__ import annotations

from fsd_local.ecs import arns
from fsd_local.ecs.context import CallContext, paginate
from fsd_local.ecs.faults import invalid
from fsd_local.ecs.model import Json, Scope

_SWITCH = ("enabled", "disabled")
_VALUES: dict[str, tuple[str, ...]] = {
    "awsvpcTrunking": _SWITCH,
    "containerInsights": (*_SWITCH, "enhanced"),
    "containerInstanceLongArnFormat": _SWITCH,
    "defaultLogDriverMode": ("blocking", "non-blocking"),
    "dualStackIPv6": _SWITCH,
    "fargateEventWindows": _SWITCH,
    "fargateFIPSMode": _SWITCH,
    "fargateTaskRetirementWaitPeriod": ("0", "7", "14"),
    "guardDutyActivate": ("on", "off"),
    "serviceLongArnFormat": _SWITCH,
    "tagResourceAuthorization": ("on", "off"),
    "taskLongArnFormat": _SWITCH,
}
_DEFAULTS = {
    "awsvpcTrunking": "disabled",
    "containerInsights": "disabled",
    "containerInstanceLongArnFormat": "enabled",
    "fargateTaskRetirementWaitPeriod": "7",
    "serviceLongArnFormat": "enabled",
    "tagResourceAuthorization": "off",
    "taskLongArnFormat": "enabled",
}


def put_account_setting(context: CallContext, parameters: Json) -> Json:
    """Also as the default of the account: here is one principal only, its root user."""
    name, value = parameters["name"], parameters["value"]
    allowed = _VALUES.get(name, (value,))
    if value not in allowed:
        raise invalid(f"Invalid value {value!r} of {name}: must be one of {', '.join(allowed)}.")
    context.scope.account_settings[name] = value
    return {"setting": _setting(context.scope, name, value)}


def delete_account_setting(context: CallContext, parameters: Json) -> Json:
    """The default applies again."""
    name = parameters["name"]
    value = context.scope.account_settings.pop(name, _DEFAULTS.get(name, ""))
    return {"setting": _setting(context.scope, name, value)}


def list_account_settings(context: CallContext, parameters: Json) -> Json:
    scope = context.scope
    effective = _DEFAULTS if parameters.get("effectiveSettings") else {}
    found = [
        _setting(scope, name, value)
        for name, value in sorted((effective | scope.account_settings).items())
        if parameters.get("name", name) == name and parameters.get("value", value) == value
    ]
    page, token = paginate(found, parameters, default=10)
    return {"settings": list(page), **token}


def _setting(scope: Scope, name: str, value: str) -> Json:
    principal = f"arn:{arns.partition(scope.region)}:iam::{scope.account}:root"
    return {"name": name, "value": value, "principalArn": principal, "type": "user"}
