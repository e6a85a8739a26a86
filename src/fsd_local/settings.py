"""How an instance is set up: one value from the command line to the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

SPEED = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """None is no wish: any instance that runs will do, and a new one takes the default."""

    runtime: str | None = None  # container | process; None: containers where an engine answers
    speed: float | None = None  # intervals are divided by it
    port: int | None = None  # on 127.0.0.1; None: a free one
    enforce_iam: bool | None = None  # roles may do only what their policies say
    slow_stacks: float | None = None  # seconds that each CloudFormation operation takes at least

    def filled(self) -> Settings:
        """Of a new instance. Its runtime and its port are known once it runs."""
        return replace(
            self,
            speed=self.speed or SPEED,
            port=self.port or 0,
            enforce_iam=bool(self.enforce_iam),
            slow_stacks=self.slow_stacks or 0.0,
        )

    def wishes(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def load_settings(found: Mapping[str, Any]) -> Settings:
    return Settings(**{field.name: found.get(field.name) for field in fields(Settings)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlace:
    """What the server is handed by whoever starts it."""

    state_dir: Path
    descriptor: int
    port: int
    settings: Settings
    secret: str = field(repr=False)  # see fsd_local.instance
