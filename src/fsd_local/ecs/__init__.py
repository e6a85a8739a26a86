"""The embedded ECS control plane: AWS's API over an honest rolling scheduler.

    request ─▶ handlers ─▶ operations ─▶ model  ◀─ transitions ◀─ scheduler.decide (pure)
                                           │                          ▲
                                           └──▶ engine (threads) ─────┘ ─▶ runtime, target groups

`scheduler` and `rolling` decide over plain state and a `now` that is passed in; `transitions`
applies what was decided; `engine` alone has threads and talks to the ports. botocore's model of ECS
is the contract of every request, answer and error.
"""

from fsd_local.ecs.handlers import EcsService, ServiceSummary, TaskSummary

__all__ = ["EcsService", "ServiceSummary", "TaskSummary"]
