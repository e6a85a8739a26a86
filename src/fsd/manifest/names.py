"""Every name on AWS that is derived from a service's name and an environment.

One place, because the same name is written by the stack, asked for by `status` and shown by a
report. Pure functions of (name, environment): no name depends on what exists. A name that would
exceed its limit is cut and gets a hash of the whole, so two long names never become one.
"""

from __future__ import annotations

from hashlib import sha256

# Limits in characters.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
SERVICE_LIMIT = 255
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
STACK_LIMIT = 128
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
ROLE_LIMIT = 64
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
LOAD_BALANCER_LIMIT = 32

# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
SCHEDULE_LIMIT = 64

ROLE_PATH = "/fsd/"
_HASH_LENGTH = 8
_RESERVED_LOAD_BALANCER_PREFIX = "internal-"


def service_name(name: str, env: str) -> str:
    """Name of the ECS service, and family of its task definitions."""
    return fit(f"{name}-{env}", limit=SERVICE_LIMIT)


def log_group(name: str, env: str) -> str:
    return f"/ecs/{service_name(name, env)}"


def stack(name: str, env: str) -> str:
    return fit(f"fsd-{name}-{env}", limit=STACK_LIMIT)


def repository(name: str) -> str:
    """Name of the ECR repository: one for all environments, so that a digest can be promoted."""
    return name


def task_role(name: str, env: str) -> str:
    """Role name without its path, which is `ROLE_PATH`."""
    return fit(f"{name}-{env}", limit=ROLE_LIMIT, suffix="-task")


def execution_role(name: str, env: str) -> str:
    """Role name without its path, which is `ROLE_PATH`."""
    return fit(f"{name}-{env}", limit=ROLE_LIMIT, suffix="-execution")


def schedule_role(name: str, env: str) -> str:
    """Role name without its path, which is `ROLE_PATH`."""
    return fit(f"{name}-{env}", limit=ROLE_LIMIT, suffix="-schedule")


def infrastructure_role(name: str, env: str) -> str:
    """Role name without its path, which is `ROLE_PATH`."""
    return fit(f"{name}-{env}", limit=ROLE_LIMIT, suffix="-infrastructure")


def schedule(name: str, env: str) -> str:
    """Of EventBridge Scheduler, in its group `default`."""
    return fit(f"{name}-{env}", limit=SCHEDULE_LIMIT)


def load_balancer(name: str, env: str) -> str:
    """Never starts with `internal-`, which Elastic Load Balancing keeps for its DNS names."""
    full = f"{name}-{env}"
    if full.startswith(_RESERVED_LOAD_BALANCER_PREFIX):
        return _hashed(f"fsd-{full}", limit=LOAD_BALANCER_LIMIT, suffix="")
    return fit(full, limit=LOAD_BALANCER_LIMIT)


def shared_stack(name: str, env: str, *, is_internal: bool) -> str:
    """Of a load balancer that several services have. An internal and a public one of the same name
    are two: the scheme can't change."""
    return stack(f"shared-{name}{'' if is_internal else '-public'}", env)


def shared_load_balancer(name: str, env: str, *, is_internal: bool) -> str:
    return load_balancer(f"shared-{name}", env if is_internal else f"{env}-public")


def fit(text: str, *, limit: int, suffix: str = "") -> str:
    """`text` with `suffix`; cut, and with a hash of the whole, where it is over the limit."""
    whole = f"{text}{suffix}"
    return whole if len(whole) <= limit else _hashed(text, limit=limit, suffix=suffix)


def _hashed(text: str, *, limit: int, suffix: str) -> str:
    digest = sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
    room = limit - len(suffix) - _HASH_LENGTH - 1
    return f"{text[:room].rstrip('-')}-{digest}{suffix}"
