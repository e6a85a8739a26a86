"""How many resources there are, in all accounts and regions: what `fsd delete` must bring back."""

from __future__ import annotations

from typing import Any

from ministack.services import (
    alb,
    cloudformation,
    cloudwatch_logs,
    ec2,
    ecr,
    iam,
    secretsmanager,
    ssm,
)


def count_resources() -> dict[str, int]:
    """Counts by kind, without what exists by default or is only history (deleted stacks)."""
    return {
        "stacks": sum(s["StackStatus"] != "DELETE_COMPLETE" for s in _all(cloudformation._stacks)),
        "repositories": len(_all(ecr._repositories)),
        "images": sum(len(images) for images in _all(ecr._images)),
        "log_groups": len(_all(cloudwatch_logs._log_groups)),
        "load_balancers": len(_all(alb._lbs)),
        "listeners": len(_all(alb._listeners)),
        "target_groups": len(_all(alb._tgs)),
        "security_groups": sum(
            group["GroupName"] != "default" for group in _all(ec2._security_groups)
        ),
        "roles": len(_all(iam._roles)),
        "secrets": len(_all(secretsmanager._secrets)),
        "parameters": len(_all(ssm._parameters)),
    }


def _all(store: Any) -> list[Any]:
    return list(store._data.values())
