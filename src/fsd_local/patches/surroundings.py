"""What MiniStack's EC2 and Cloud Map have, for the control plane. Implements `Surroundings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fsd_local.patches.scope import scope
from fsd_local.ports import Subnet


class MiniStackSurroundings:
    """Its services are imported when they are first asked: they take longer than a start may."""

    def subnets(self, ids: Sequence[str], *, account: str, region: str) -> Mapping[str, Subnet]:
        found = _records("_subnets", ids, account=account, region=region)
        return {
            id_: Subnet(vpc=str(record["VpcId"]), zone=str(record["AvailabilityZone"]))
            for id_, record in found.items()
        }

    def security_groups(
        self, ids: Sequence[str], *, account: str, region: str
    ) -> Mapping[str, str]:
        found = _records("_security_groups", ids, account=account, region=region)
        return {id_: str(record["VpcId"]) for id_, record in found.items()}

    def has_vpc(self, id_: str, *, account: str, region: str) -> bool:
        return bool(_records("_vpcs", [id_], account=account, region=region))

    def has_certificate(self, arn: str, *, account: str, region: str) -> bool:
        from ministack.services import acm

        with scope(account, region):
            return arn in acm._certificates

    def has_registry(self, arn: str, *, account: str, region: str) -> bool:
        return any(record["Arn"] == arn for record in _cloud_map("_services", account, region))

    def namespace(self, name_or_arn: str, *, account: str, region: str) -> str:
        records = _cloud_map("_namespaces", account, region)
        known = (r for r in records if name_or_arn in {r["Name"], r["Arn"]})
        return next((str(record["Arn"]) for record in known), "")


def _records(store: str, ids: Sequence[str], *, account: str, region: str) -> dict[str, Any]:
    if not ids:
        return {}
    from ministack.services import ec2

    with scope(account, region):
        ec2._ensure_defaults_initialized()
        records = getattr(ec2, store)
        return {id_: records[id_] for id_ in ids if id_ in records}


def _cloud_map(store: str, account: str, region: str) -> list[Any]:
    from ministack.services import servicediscovery

    with scope(account, region):
        return list(getattr(servicediscovery, store).values())
