"""Route 53's alias records: which load balancer a name of this machine leads to.

Nobody asks a resolver here: every name below `localhost` is this machine, so the request is told by
its `Host`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ministack.services import route53

from fsd_local.dataplane import HOST_SUFFIXES
from fsd_local.instance import ACCOUNT, REGION
from fsd_local.patches.scope import scope


def mount() -> None:
    """CloudFormation refuses a record that is there in Route 53's words."""
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::Route53::RecordSet"]
    handlers["create"] = _refusing_in_its_words(handlers["create"])


def _refusing_in_its_words(create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def create_record(logical_id: str, props: Any, stack_name: str) -> Any:
        try:
            return create(logical_id, props, stack_name)
        except ValueError as error:
            if "already exists" not in str(error):
                raise
            name = f"{str(props['Name']).rstrip('.')}."
            raise ValueError(
                f"[Tried to create resource record set [name='{name}', type='{props['Type']}'] "
                "but it already exists]"
            ) from error

    return create_record


def find_balancer_name(host: str) -> str:
    """As in `NAME.elb.localhost`; "" where no record of the instance's own account has the host."""
    with scope(ACCOUNT, REGION):
        records = [record for zone in list(route53._records.values()) for record in zone]
    for record in records:
        target = record.get("AliasTarget")
        if target and record["Type"] == "A" and record["Name"].rstrip(".").lower() == host:
            name = target["DNSName"].rstrip(".").partition(":")[0]
            for suffix in HOST_SUFFIXES:
                name = name.removesuffix(suffix)
            return str(name)
    return ""
