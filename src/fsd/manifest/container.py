"""Settings of a container that most services leave alone, in the words of a task definition.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from typing import Annotated, Literal

from fsd.manifest.section import Limits, key, section

TAG_VALUE_PATTERN = r"^[\w .:/=+@-]*$"
TagValue = Annotated[str, Limits(pattern=TAG_VALUE_PATTERN, max_length=256)]
Limit = Annotated[int, Limits(ge=0, le=2_147_483_647)]

# UlimitName of the ECS API.
UlimitName = Literal[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
]


@section
class Ulimit:
    name: UlimitName = key(description="As in setrlimit; nofile is the number of open files.")
    soft_limit: Limit = key(description="What a process has.")
    hard_limit: Limit = key(description="What a process may raise it to.")


@section
class Capabilities:
    add: tuple[Literal["SYS_PTRACE"], ...] = key(
        default=(), description="Fargate gives no other than SYS_PTRACE."
    )
    drop: tuple[str, ...] = key(
        default=(), description="Linux names without CAP_, or ALL.", examples=(("NET_RAW",),)
    )
