"""Which VPC and subnets an environment uses, found by tags or by what their routes say."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fsd.aws.errors import call, pages
from fsd.aws.session import Clients
from fsd.errors import CallFailedError, ErrorCode
from fsd.release.ports import Network
from fsd.release.reads import ONE_BY_ONE, Reads

ENVIRONMENT_TAG = "fsd:environment"
SUBNET_TAG = "fsd:subnet"  # private or public; wins over what the routes say


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcNetworks:
    """`fsd.release.ports.Networks`."""

    clients: Clients
    reads: Reads = ONE_BY_ONE

    def find(
        self, environment: str, *, vpc_id: str | None, with_subnets: bool = True
    ) -> Network | None:
        """By id, else by tag fsd:environment, else by Name, else the default VPC, else None.

        One subnet an availability zone, as an Application Load Balancer wants them. In the default
        VPC, whose subnets are all public, the same subnets are also the private ones. Raises
        CallFailedError where a tag names several VPCs, or the id none.
        """
        if vpc_id is not None:
            answer = call(self._client, "describe_vpcs", vpc_id, VpcIds=[vpc_id])
            how = f"vpc.id {vpc_id}"
            return self._network(answer["Vpcs"], how=how, with_subnets=with_subnets)
        # All at once: an account has few, and each question of its own would be a call.
        vpcs = self._list("vpcs", "Vpcs")
        for how, chosen in (
            (f"tag {ENVIRONMENT_TAG}={environment}", _tagged(vpcs, ENVIRONMENT_TAG, environment)),
            (f"tag Name={environment}", _tagged(vpcs, "Name", environment)),
            ("default VPC", [vpc for vpc in vpcs if vpc.get("IsDefault")]),
        ):
            found = self._network(chosen, how=how, with_subnets=with_subnets)
            if found is not None:
                return found
        return None

    def _network(
        self, vpcs: list[dict[str, Any]], *, how: str, with_subnets: bool
    ) -> Network | None:
        if not vpcs:
            return None
        if len(vpcs) > 1:
            ids = ", ".join(sorted(vpc["VpcId"] for vpc in vpcs))
            raise CallFailedError(
                f"{len(vpcs)} VPCs have the {how}: {ids}",
                where=how,
                fix="set `vpc.id` in .fsd/environments.yml, or leave the tag on one of them",
                code=ErrorCode.VPC_AMBIGUOUS,
            )
        vpc = vpcs[0]
        is_default = bool(vpc.get("IsDefault"))
        private, public = (
            self._subnets(vpc["VpcId"], is_default=is_default) if with_subnets else ([], [])
        )
        return Network(
            vpc_id=vpc["VpcId"],
            vpc_cidr=vpc["CidrBlock"],
            private_subnets=_one_per_zone(private),
            public_subnets=_one_per_zone(public),
            how=how,
            is_default=is_default,
        )

    def _subnets(
        self, vpc_id: str, *, is_default: bool
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """(private, public)."""
        of_vpc = {"vpc-id": vpc_id}
        listed = self.reads.start(partial(self._list, "subnets", "Subnets", **of_vpc))
        # In a default VPC no route says more than that it is one.
        read_tables = (
            (lambda: [])
            if is_default
            else self.reads.start(partial(self._list, "route_tables", "RouteTables", **of_vpc))
        )
        subnets = [subnet for subnet in listed() if subnet.get("State", "available") == "available"]
        tables = read_tables()
        public_ids = {
            subnet["SubnetId"]
            for subnet in subnets
            if _is_public(subnet, tables=tables, is_default=is_default)
        }
        public = [s for s in subnets if s["SubnetId"] in public_ids]
        private = [s for s in subnets if s["SubnetId"] not in public_ids]
        return (private or public) if is_default else private, public

    def _list(self, what: str, key: str, **filters: str) -> list[dict[str, Any]]:
        said = " ".join(f"{name}={value}" for name, value in filters.items()) or f"all {what}"
        given = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        return [
            entry
            for page in pages(
                self._client,
                f"describe_{what}",
                said,
                **({"Filters": given} if given else {}),
            )
            for entry in page[key]
        ]

    @property
    def _client(self) -> Any:
        return self.clients.client("ec2")


def _is_public(
    subnet: dict[str, Any], *, tables: Iterable[dict[str, Any]], is_default: bool
) -> bool:
    said = _tags(subnet).get(SUBNET_TAG, "")
    if said in {"private", "public"}:
        return said == "public"
    if is_default or subnet.get("MapPublicIpOnLaunch"):
        return True
    table = _route_table(subnet["SubnetId"], tables)
    return any(
        str(route.get("GatewayId", "")).startswith("igw-")
        for route in (table or {}).get("Routes", [])
    )


def _route_table(subnet_id: str, tables: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The subnet's own, else the VPC's main one.

    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
    """
    main = None
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("SubnetId") == subnet_id:
                return table
            if association.get("Main"):
                main = table
    return main


def _one_per_zone(subnets: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """The widest of each zone, in the order of the zones: always the same ones, whatever is free.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
    """
    chosen: dict[str, dict[str, Any]] = {}
    for subnet in sorted(subnets, key=lambda s: (_prefix(s), s["SubnetId"])):
        chosen.setdefault(subnet["AvailabilityZone"], subnet)
    return tuple(chosen[zone]["SubnetId"] for zone in sorted(chosen))


def _prefix(subnet: dict[str, Any]) -> int:
    """IPv6-only subnets have no CidrBlock, and come last."""
    block = subnet.get("CidrBlock")
    return ipaddress.ip_network(block).prefixlen if block else 128


def _tagged(vpcs: list[dict[str, Any]], key: str, value: str) -> list[dict[str, Any]]:
    return [vpc for vpc in vpcs if _tags(vpc).get(key) == value]


def _tags(entry: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in entry.get("Tags", [])}
