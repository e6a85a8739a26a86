"""Names that a Service YAML can have, from those of others."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_ENVIRONMENT = re.compile(r"-(?:dev|develop|development|staging|stage|stg|prod|production|prd)$")


def service_name(text: str) -> str:
    """Without the environment at its end, which FSD adds itself."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-")
    name = name.lstrip("0123456789-")
    short = _ENVIRONMENT.sub("", name)
    name = short if _NAME.fullmatch(short) else name
    return name if _NAME.fullmatch(name) else "my-service"


def part_name(text: str) -> str:
    """Of a container or a volume: what only the task knows it by may be spelled otherwise."""
    name = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text).lower())
    return name.strip("-") or text
