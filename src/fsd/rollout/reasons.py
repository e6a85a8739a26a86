"""What ECS says of a stopped task, read in two steps: first the sentence, then its reason.

ECS wraps the reason into frames ("CannotPullContainerError: pull image manifest has been retried 5
time(s): failed to resolve ref …"), and names stand between: image references, ARNs, URLs, digests.
A name may hold any word or number, so it is cut out before anybody looks for words: a digest with
403 in it is not a refusal.

The frames are the agent's own.
https://github.com/aws/amazon-ecs-agent/tree/master/ecs-agent/api/errormessages
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class TaskStage(StrEnum):
    """What ECS was doing when it failed."""

    IMAGE = "pulling the image"
    REGISTRY_LOGIN = "logging in to ECR"
    SECRET = "reading a secret"
    PARAMETER = "reading a parameter"
    LOGGER = "preparing the logs"
    ENVIRONMENT_FILES = "reading the environment files"
    FILE_SYSTEM = "mounting a file system"
    NETWORK_INTERFACE = "preparing the network interface"
    CAPACITY_PROVIDER = "launching an instance"
    VOLUME = "attaching a volume"
    INITIALIZATION = "preparing the task"
    DEPENDENCY = "waiting for another container"
    START = "starting the container"
    PLATFORM = "running the container"
    MEMORY = "watching the memory"
    EXIT = "running the program"
    HEALTH = "checking the targets"
    CONTAINER_HEALTH = "checking the container"
    OTHER = "starting the task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One sentence of ECS, read. `words` has `<ecr>`, `<s3>`, `<arn>` … in place of names."""

    stage: TaskStage
    words: str


# A name → its placeholder. The narrow ones stand first.
_NAMES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), placeholder)
    for pattern, placeholder in (
        (r"\barn:aws[a-z-]*:[^\s\"',;)]+", "<arn>"),
        (r"https?://[^\s\"'/]*\.s3[.-][^\s\"']*?(?=[\"',;)]|:?\s|:?$)", "<s3>"),
        (
            r"(?:https?://)?(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.[^\s\"',;)]*?(?=[\"',;)\]]|:?\s|:?$)",
            "<ecr>",
        ),
        (r"(?:https?://)?public\.ecr\.aws\b[^\s\"']*?(?=[\"',;)]|:?\s|:?$)", "<ecr-public>"),
        (
            r"(?:https?://)?(?:(?:[a-z0-9-]+\.){0,9}docker\.(?:io|com)|dseasb33srnrn\.cloudfront\.net|"
            r"docker-images-prod\.[a-z0-9.]+\.cloudflarestorage\.com)\b"
            r"[^\s\"']*?(?=[\"',;)]|:?\s|:?$)",
            "<docker-hub>",
        ),
        # Where ghcr.io and ECR Public keep their layers.
        (r"https?://pkg-containers\.githubusercontent\.com\b[^\s\"']*", "<ghcr>"),
        (r"https?://[a-z0-9]+\.cloudfront\.net\b[^\s\"']*?(?=[\"',;)]|:?\s|:?$)", "<ecr-public>"),
        (r"(?:https?://)?ghcr\.io\b[^\s\"']*?(?=[\"',;)]|:?\s|:?$)", "<ghcr>"),
        (r"https?://[^\s\"']*?(?=[\"',;)]|:?\s|:?$)", "<url>"),
        (
            r"\b[a-z0-9-]+(?:\.[a-z0-9-]+){1,9}(?::\d+)?/[^\s\"',;)]+?(?=[\"',;)]|:?\s|:?$)",
            "<registry>",
        ),
        (r"(?<=resolve ref )\"?[^\s\"<]+?\"?(?=:\s|,|\s|:?$)", "<image>"),
        (r"(?<=denied for )\"?[^\s\"<]+?\"?(?=:\s|,|\s|:?$)", "<image>"),
        (r"(?<=image reference )\"[^\"]*\"", "<image>"),
        (r"(?<=invalid ssm parameters: ).*", "<parameters>"),
        (r"(?<=exec: )\"[^\"]*\"", "<program>"),
        (r"\bsha256:[0-9a-f]+\b", "<digest>"),
        (r"\[manifests [^\]]*\]", "<manifest>"),
        (r"\brequest ?id:? ?[0-9a-z-]*,?", ""),
        (r"\b\d{12}\b", "<account>"),
    )
)

# The first that fits: what stands at the beginning of a sentence counts before words inside it.
_STAGES: tuple[tuple[re.Pattern[str], TaskStage], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), stage)
    for pattern, stage in (
        (r"CannotPull|failed to normalize image", TaskStage.IMAGE),
        (r"dependent container", TaskStage.DEPENDENCY),
        (r"instance\(s\) for capacity provider", TaskStage.CAPACITY_PROVIDER),
        (r"failed to (?:validate logger args|initialize logging driver)", TaskStage.LOGGER),
        (r"download env files", TaskStage.ENVIRONMENT_FILES),
        (r"invoke EFS utils", TaskStage.FILE_SYSTEM),
        (r"configure ENI|network interface", TaskStage.NETWORK_INTERFACE),
        (r"registry auth from|retrieve ecr registry auth", TaskStage.REGISTRY_LOGIN),
        (r"from asm|Secrets Manager|secretsmanager:", TaskStage.SECRET),
        (r"from ssm|ssm:GetParameter", TaskStage.PARAMETER),
        (r"CannotCreateVolume", TaskStage.VOLUME),
        (r"^ResourceInitialization", TaskStage.INITIALIZATION),
        (
            r"ContainerRuntimeTimeout|DockerTimeout|CannotInspect|CannotStop|InternalError|"
            r"EphemeralStorage provisioning",
            TaskStage.PLATFORM,
        ),
        (r"CannotStart|CannotCreate|ContainerRuntimeError", TaskStage.START),
        (r"OutOfMemory", TaskStage.MEMORY),
        (r"Essential container", TaskStage.EXIT),
        (r"ELB health ?check", TaskStage.HEALTH),
        (r"container health ?check", TaskStage.CONTAINER_HEALTH),
    )
)


_LONGEST = 4000  # ECS cuts its own at 1024 characters


def read_reason(text: str, *, account: str = "") -> Reason:
    """Never fails: what is not known is `Stage.OTHER`. `account` is the task's, "" if unknown."""
    words = cut_names(text[:_LONGEST], account=account)
    stage = next((stage for pattern, stage in _STAGES if pattern.search(words)), TaskStage.OTHER)
    return Reason(stage=stage, words=words)


def cut_names(text: str, *, account: str = "") -> str:
    """The sentence on one line, without its wrapper; `<arn>`, `<ecr>` … in place of names.

    ECR of another account than `account`, where that is known, is `<ecr-other>`.
    """
    words = _WRAPPER.sub("", re.sub(r"\s+", " ", text.translate(_QUOTES)).strip())
    for pattern, placeholder in _NAMES:
        words = pattern.sub(partial(_placeholder, placeholder, account), words)
    return words


def _placeholder(placeholder: str, account: str, found: re.Match[str]) -> str:
    whose = found.groupdict().get("account")
    return "<ecr-other>" if account and whose and whose != account else placeholder


# What the console and events put before the sentence.
_WRAPPER = re.compile(r"^(?:(?:STOPPED \(|TaskFailedToStart: |Task failed to start: )\s*)+", re.I)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', " ": " "})
