"""What Copilot fills in itself: the names of its application and environment, and exports."""

from __future__ import annotations

import re

from fsd.importing.values import Value

# What Copilot itself gives every container.
_ENVIRONMENT = re.compile(r"\$\{?COPILOT_ENVIRONMENT_NAME\}?")
_APPLICATION = re.compile(r"\$\{?COPILOT_APPLICATION_NAME\}?")
EXPORT = "a stack's export is no value that a manifest could name"
MARK = "\ue000"  # stands for the name of the environment, which is a variable of FSD's too


def spelled_out(value: Value, *, environment: str, application: str) -> Value:
    """With the two names in the place of Copilot's variables; "" leaves the application's."""
    match value:
        case dict():
            return {
                key: spelled_out(each, environment=environment, application=application)
                for key, each in value.items()
            }
        case list():
            return [
                spelled_out(each, environment=environment, application=application)
                for each in value
            ]
        case str():
            text = _ENVIRONMENT.sub(lambda _: environment, value)
            return _APPLICATION.sub(lambda _: application, text) if application else text
    return value


def unmarked(value: Value, name: str) -> Value:
    """With the environment's name in the place of the mark."""
    match value:
        case dict():
            return {key: unmarked(each, name) for key, each in value.items()}
        case list():
            return [unmarked(each, name) for each in value]
        case str():
            return value.replace(MARK, name)
    return value


def names_application(value: Value) -> bool:
    match value:
        case dict():
            return any(map(names_application, value.values()))
        case list():
            return any(map(names_application, value))
        case str():
            return _APPLICATION.search(value) is not None
    return False
