"""The HTTP API of an account's registry, with ECR's login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsd.release.ports import Registry, Repository

if TYPE_CHECKING:
    from fsd.image.registry_api import RegistryApi


def open_registry(registry: Registry, repository: Repository) -> RegistryApi:
    from fsd.image.registry_api import RegistryApi

    _, _, endpoint = registry.login()

    def log_in() -> tuple[str, str]:
        user, password, _ = registry.login()
        return user, password

    return RegistryApi(
        endpoint=endpoint, repository=repository.uri.partition("/")[2], log_in=log_in
    )
