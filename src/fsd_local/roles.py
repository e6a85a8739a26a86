"""The roles of the embedded AWS's tasks: credentials in the task, and what they allow.

A task finds its role's credentials as on ECS, by a URL that its environment names. Fargate has
that at 169.254.170.2; here it is the one port, and the URL holds a number that only the task knows.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from fsd_local.patches import iam
from fsd_local.patches.scope import scope
from fsd_local.ports import LogTarget, RoleError, RoleSession
from fsd_local.references import parse
from fsd_local.secrets import find_secret

CREDENTIALS_PATH = "/_fsd/credentials/"
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html#ecs-exec-required-iam-permissions
_CHANNEL_ACTIONS = (
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)


class LocalRoles:
    """Implements the `Roles` port.

    `repository` is the ARN of the ECR repository that an image is in; "" for another registry's.
    Without `endpoint` tasks cannot reach the embedded AWS, and are not pointed at it.
    """

    def __init__(
        self, *, is_enforced: bool, endpoint: str, repository: Callable[[str], str]
    ) -> None:
        self._is_enforced = is_enforced
        self._endpoint = endpoint
        self._repository = repository
        self._lock = threading.Lock()
        self._sessions: dict[str, RoleSession] = {}  # by the number in the URL

    # ---- the port

    def assume(self, session: RoleSession) -> None:
        if self._is_enforced and not iam.trusts_tasks(session):
            raise RoleError(session.role_arn)

    def check_registry(self, session: RoleSession, image: str) -> None:
        if self._repository(image):
            self._require(session, "ecr:GetAuthorizationToken", "*")

    def check_image(self, session: RoleSession, image: str) -> None:
        repository = self._repository(image)
        if repository:
            self._require(session, "ecr:BatchGetImage", repository)
            self._require(session, "ecr:GetDownloadUrlForLayer", repository)

    def check_secret(self, session: RoleSession, value_from: str) -> None:
        reference = parse(value_from, account=session.account, region=session.region)
        if reference.kind == "parameter":
            name = reference.name.lstrip("/")
            place = f"arn:aws:ssm:{reference.region}:{reference.account}:parameter/{name}"
            self._require(session, "ssm:GetParameters", place)
            return
        with scope(reference.account, reference.region):
            found = find_secret(reference)
        arn = str(found["ARN"]) if found else reference.arn
        self._require(session, "secretsmanager:GetSecretValue", arn)

    def check_file(self, session: RoleSession, arn: str) -> None:
        self._require(session, "s3:GetBucketLocation", arn.partition("/")[0])
        self._require(session, "s3:GetObject", arn)

    def check_stream(self, session: RoleSession, target: LogTarget) -> None:
        self._require(session, "logs:CreateLogStream", _stream_arn(target))

    def may_write(self, session: RoleSession, target: LogTarget) -> bool:
        return not self._refusal(session, "logs:PutLogEvents", _stream_arn(target))

    def may_open_channels(self, session: RoleSession) -> bool:
        return not any(self._refusal(session, action, "*") for action in _CHANNEL_ACTIONS)

    def environment(self, session: RoleSession) -> Mapping[str, str]:
        if not self._endpoint:
            return {}
        number = str(uuid.uuid4())
        with self._lock:
            self._sessions[number] = session
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self._endpoint}{CREDENTIALS_PATH}{number}",
            "AWS_ENDPOINT_URL": self._endpoint,
        }

    def end(self, task_id: str) -> None:
        with self._lock:
            over = [n for n, session in self._sessions.items() if session.task_id == task_id]
            for number in over:
                del self._sessions[number]

    # ---- what the URL answers

    def credentials(self, number: str) -> dict[str, Any] | None:
        """New ones for each question, as SDKs ask only when the last ones end. None: no such."""
        with self._lock:
            session = self._sessions.get(number)
        return iam.issue(session) if session is not None else None

    def reset(self) -> None:
        with self._lock:
            self._sessions.clear()

    # ---- behind

    def _require(self, session: RoleSession, action: str, resource: str) -> None:
        refusal = self._refusal(session, action, resource)
        if refusal:
            raise RoleError(
                f"AccessDeniedException: {refusal} status code: 400, request id: {uuid.uuid4()}"
            )

    def _refusal(self, session: RoleSession, action: str, resource: str) -> str:
        return iam.refusal(session, action, resource) if self._is_enforced else ""


def _stream_arn(target: LogTarget) -> str:
    return (
        f"arn:aws:logs:{target.region}:{target.account}:log-group:{target.group}"
        f":log-stream:{target.stream}"
    )
