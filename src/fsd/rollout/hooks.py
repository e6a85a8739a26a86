"""A lifecycle hook that holds a deployment: ECS waits, and says so only in a field. Pure."""

from __future__ import annotations

from datetime import UTC

from fsd.snapshot import LifecycleHook


def paused_text(hook: LifecycleHook, stage: str) -> str:
    """Who holds the deployment, until when, and what happens then.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContinueServiceDeployment.html
    """
    where = f" at {stage}" if stage else ""
    until = (
        f" until {hook.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if hook.expires_at else ""
    )
    then = {"ROLLBACK": "; then ECS rolls back", "CONTINUE": "; then ECS goes on"}
    what = then.get(hook.timeout_action, "")
    return f"hook {hook.id} pauses the deployment{where}{until}{what}: somebody must continue it"


def continue_command(deployment_arn: str, hook: LifecycleHook) -> str:
    return (
        f"aws ecs continue-service-deployment --service-deployment-arn {deployment_arn} "
        f"--hook-id {hook.id} --action CONTINUE"
    )
