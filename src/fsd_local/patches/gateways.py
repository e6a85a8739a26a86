"""NAT gateways and their addresses as resources of a stack, which MiniStack has by API only.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-natgateway.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-eip.html
"""

from __future__ import annotations

import re
from typing import Any

from ministack.services import ec2
from ministack.services.cloudformation import provisioners


def mount() -> None:
    resources = provisioners._RESOURCE_HANDLERS
    resources["AWS::EC2::EIP"] = {
        "create": _create_address,
        "update": _keep,
        "delete": _release_address,
    }
    resources["AWS::EC2::NatGateway"] = {
        "create": _create_gateway,
        "update": _keep,
        "delete": _delete_gateway,
    }


def _create_address(_logical_id: str, props: Any, _stack_name: str) -> Any:
    id_ = _made("allocationId", ec2._allocate_address({"Domain": ["vpc"]}))
    _tag(id_, props)
    return ec2._addresses[id_]["PublicIp"], {"AllocationId": id_}


def _release_address(physical_id: str, _props: Any) -> None:
    for id_, address in list(ec2._addresses.items()):
        if address["PublicIp"] == physical_id:
            del ec2._addresses[id_]


def _create_gateway(_logical_id: str, props: Any, _stack_name: str) -> Any:
    given = {key: [props[key]] for key in ("SubnetId", "AllocationId") if key in props}
    id_ = _made("natGatewayId", ec2._create_nat_gateway(given))
    _tag(id_, props)
    return id_, {"NatGatewayId": id_}


def _delete_gateway(physical_id: str, _props: Any) -> None:
    ec2._delete_nat_gateway({"NatGatewayId": [physical_id]})


def _keep(physical_id: str, _old: Any, new: Any, _stack_name: str) -> Any:
    """Only tags change in place; an address keeps its allocation."""
    _tag(physical_id, new)
    for id_, address in ec2._addresses.items():
        if address["PublicIp"] == physical_id:
            return physical_id, {"AllocationId": id_}
    return physical_id, {"NatGatewayId": physical_id}


def _tag(id_: str, props: Any) -> None:
    ec2._tags[id_] = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in props.get("Tags") or []]


def _made(element: str, answer: Any) -> str:
    status, _, body = answer
    found = re.search(f"<{element}>([^<]+)</{element}>", body.decode())
    if status != 200 or found is None:
        raise ValueError(body.decode())
    return found[1]
