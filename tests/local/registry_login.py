"""Logging in to the embedded registry, as on AWS: by a token of GetAuthorizationToken."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any


def registry_token(ecr: Any) -> str:
    """`AWS:PASSWORD` in base64, as HTTP's basic authentication and Docker's config want it."""
    return str(ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"])


def registry_password(ecr: Any) -> str:
    return base64.b64decode(registry_token(ecr)).decode().partition(":")[2]


def write_docker_config(folder: Path, ecr: Any, registry: str) -> dict[str, str]:
    """The environment for a docker command that is logged in to the registry, host:port."""
    folder.mkdir(parents=True, exist_ok=True)
    auths = {registry: {"auth": registry_token(ecr)}}
    (folder / "config.json").write_text(json.dumps({"auths": auths}))
    return {"DOCKER_CONFIG": str(folder)}
