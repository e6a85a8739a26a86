"""Why a task could not start, in the words that ECS and containerd use.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

from __future__ import annotations

_PULL = "CannotPullContainerError: pull image manifest has been retried"
_START = (
    "CannotStartContainerError: Error response from daemon: failed to create task for container: "
    "failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: "
)


def image_not_found(image: str) -> str:
    return f"{_PULL} 1 time(s): failed to resolve ref {image}: {image}: not found"


def registry_unreachable(image: str, cause: str) -> str:
    return f"{_PULL} 5 time(s): failed to resolve ref {image}: failed to do request: {cause}"


def cannot_pull(image: str, cause: str) -> str:
    return f"CannotPullContainerError: failed to pull image {image}: {cause}"


def no_snapshot(image: str) -> str:
    return (
        f"CannotPullContainerError: {image}: the image has no process snapshot; "
        "start the local AWS with --runtime container"
    )


def no_program(program: str) -> str:
    """`stat …` for a path, `$PATH` for a name: runc tells them apart."""
    if "/" in program:
        return f'{_START}exec: "{program}": stat {program}: no such file or directory: unknown'
    return f'{_START}exec: "{program}": executable file not found in $PATH: unknown'


def not_executable(program: str) -> str:
    return f'{_START}exec: "{program}": permission denied: unknown'


def not_running(container: str) -> str:
    return f"the container {container} does not run"


def no_command() -> str:
    return "CannotCreateContainerError: Error response from daemon: no command specified"


def cannot_start(cause: str) -> str:
    return f"CannotStartContainerError: Error response from daemon: {cause}"


def cannot_create(cause: str) -> str:
    return f"CannotCreateContainerError: Error response from daemon: {cause}"


def gone_from_cache(path: str) -> str:
    return (
        f"CannotCreateContainerError: {path} is gone from this machine's cache of installed "
        "packages; stop the local AWS, start it and deploy again"
    )


def no_address() -> str:
    return (
        "ResourceInitializationError: unable to find a free loopback address for the task "
        "in 127.77.0.0/16"
    )
