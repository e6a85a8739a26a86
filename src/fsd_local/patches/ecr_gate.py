"""In front of MiniStack's ECR: whose registry is asked, and what nothing here would act on.

MiniStack takes every action and member, and ignores `registryId`. It also answers the actions that
upload a layer, and drops the layer: Docker's own protocol is the way in.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from ministack.core import router
from ministack.services import ecr

from fsd_local.members import find_refused, load_operations
from fsd_local.patches.registry import RepositoryPlace, find_denial
from fsd_local.patches.scope import current, json_error, read_parameters, scope

SERVICE = "ecr"
# Every answer is one page. MiniStack would leave out what is beyond the first.
_PAGING = ("maxResults", "nextToken")
_WHOLE_REGISTRY = "*"

Serve: TypeAlias = Callable[..., Awaitable[Any]]


def mount(*, is_enforced: bool) -> None:
    """After every other handler is mounted."""
    ecr.handle_request = _RegistryGate(ecr.handle_request, is_enforced=is_enforced).handle


class _RegistryGate:
    def __init__(self, serve: Serve, *, is_enforced: bool) -> None:
        self._serve = serve
        self._is_enforced = is_enforced

    async def handle(self, method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action not in load_operations(SERVICE):
            return json_error("UnknownOperationException", f"The embedded AWS has no {action}")
        parameters = read_parameters(body)
        if not isinstance(parameters, dict):
            return parameters
        member = find_refused(SERVICE, action, parameters)
        if member:
            said = f"Invalid parameter: the embedded AWS does not act on {member}"
            return json_error("InvalidParameterException", said)
        kept = {name: value for name, value in parameters.items() if name not in _PAGING}
        request = (method, path, headers, json.dumps(kept).encode(), query)
        own, region = current()
        registry = str(kept.get("registryId") or own)
        if registry == own:
            return await self._serve(*request)
        name = str(kept.get("repositoryName") or _WHOLE_REGISTRY)
        denied = self._denial(headers, query, action, RepositoryPlace(registry, region, name))
        if denied:
            return json_error("AccessDeniedException", denied)
        with scope(registry, region):
            return await self._serve(*request)

    def _denial(self, headers: Any, query: Any, action: str, place: RepositoryPlace) -> str:
        """Why the caller may not do it in another account's registry; "" where it may.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html
        """
        if not self._is_enforced:
            return ""
        access_key = router.extract_access_key_id(headers, query) or current()[0]
        return find_denial(access_key, f"ecr:{action}", place)
