"""Free addresses of a subnet, by its size: MiniStack says the same of every one.

AWS keeps five for itself. What tasks and load balancers take of them is not counted: they have
addresses of this machine.
https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

from ministack.services import ec2

_KEPT = 5


def mount() -> None:
    ec2._subnet_fields_xml = _counted(ec2._subnet_fields_xml)


def _counted(fields: Callable[..., str]) -> Callable[..., str]:
    def subnet_fields(subnet: dict[str, Any], tag: str = "item") -> str:
        size = IPv4Network(subnet["CidrBlock"], strict=False).num_addresses
        return fields({**subnet, "AvailableIpAddressCount": max(0, size - _KEPT)}, tag=tag)

    return subnet_fields
