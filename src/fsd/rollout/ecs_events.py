"""What ECS says in the events of a service, as patterns.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""

from __future__ import annotations

import re

STEADY_STATE = re.compile(r"has reached a steady state")
DRAINING = re.compile(r"has begun draining connections")
# Of a classic load balancer; a target group's event names the target group.
CLASSIC_CHECK_FAILED = re.compile(r"is unhealthy in \(elb ")
