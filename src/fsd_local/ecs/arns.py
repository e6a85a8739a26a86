"""ARNs and ids, in AWS's shapes. `Ids` is the only source of randomness."""

from __future__ import annotations

import hashlib
import random
import string
import uuid

_DEPLOYMENT_ALPHABET = string.ascii_letters + string.digits + "_-"


def partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def arn(account: str, region: str, resource: str) -> str:
    return f"arn:{partition(region)}:ecs:{region}:{account}:{resource}"


def last_part(name_or_arn: str) -> str:
    """The name in an ARN, long or short; a name is itself."""
    return name_or_arn.rsplit("/", 1)[-1] if name_or_arn.startswith("arn:") else name_or_arn


def namespace_arn(cluster_arn: str, wanted: str) -> str:
    """A name stands for the namespace of that name, which ECS makes where there is none."""
    if not wanted or wanted.startswith("arn:"):
        return wanted
    prefix = cluster_arn.partition(":cluster/")[0].replace(":ecs:", ":servicediscovery:")
    number = hashlib.sha256(f"{prefix}/{wanted}".encode()).hexdigest()[:16]
    return f"{prefix}:namespace/ns-{number}"


class Ids:
    """Every id that the control plane gives out."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)

    def number(self) -> str:
        """The 19 digits of `ecs-svc/…` and of a service revision."""
        return str(self._random.randrange(10**18, 10**19))

    def deployment(self) -> str:
        """The 21 characters of a service deployment."""
        return "".join(self._random.choices(_DEPLOYMENT_ALPHABET, k=21))

    def task(self) -> str:
        """32 hex digits."""
        return f"{self._random.getrandbits(128):032x}"

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def eni(self) -> str:
        return f"eni-{self._random.getrandbits(68):017x}"

    def mac(self) -> str:
        return "0a:" + ":".join(f"{self._random.randrange(256):02x}" for _ in range(5))
