"""A saved plan: what a plan was made of, as digests, so that a deployment may be held to it.

A saved plan gives no orders. The deployment makes its plan again from the manifest and from AWS,
and goes on only where everything that it read is as it was: so a file that somebody has forged can
only refuse. It holds digests in place of values, so that nothing of a manifest or of AWS is in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from fsd.compile.desired import Desired, Image, Json
from fsd.plan.observed import Observed
from fsd.plan.steps import Plan
from fsd.snapshot import ServiceState

SCHEMA = "fsd/saved-plan/v1"
MOST_BYTES = 16_384  # of a file; one of FSD's has about 1,500

_TEXTS = {
    "schema": re.escape(SCHEMA),
    "madeBy": r"[0-9A-Za-z.+-]{1,40}",
    "service": r"[a-z0-9-]{1,255}",  # as long as `metadata.name` may be
    "environment": r"[A-Za-z0-9_-]{1,100}",
    "account": r"[0-9]{12}",
    "region": r"[a-z0-9-]{1,40}",
    "digest": r"(sha256:[0-9a-f]{64})?",
}
# What changes without anybody's doing, or is looked at for other reasons than the plan.
_VOLATILE = {"running", "pending", "deployments", "events", "task_sets", "unsaid"}


class Read(StrEnum):
    """What a plan is made of, each with a digest of its own; in the order in which it is told."""

    MANIFEST = "manifest"
    RELEASE = "release"  # version and commit
    IMAGE = "image"
    NETWORK = "network"
    CLUSTER = "cluster"
    STACK = "stack"
    SERVICE = "service"
    REVISION = "revision"  # what the service runs, and the newest one
    DEPLOYMENT = "deployment"  # the newest one, with its status
    SCALING = "scaling"
    SCHEDULE = "schedule"
    STEPS = "steps"


# What may change between the first look and ECS's being asked.
ON_AWS = frozenset(
    {
        Read.CLUSTER,
        Read.STACK,
        Read.SERVICE,
        Read.REVISION,
        Read.DEPLOYMENT,
        Read.SCALING,
        Read.SCHEDULE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    made_by: str  # the version of FSD
    service: str
    environment: str
    account: str
    region: str
    digest: str  # of the image; "" where it is yet to be built
    reads: Mapping[Read, str]  # sha256 in hex

    @property
    def place(self) -> tuple[str, str, str, str]:
        return self.service, self.environment, self.account, self.region


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Everything that a plan is made of."""

    manifest: Json  # after overrides and variables
    network: object
    version: str
    commit: str
    image: Image
    desired: Desired
    observed: Observed
    plan: Plan


def save_plan(basis: Basis, *, made_by: str) -> SavedPlan:
    desired, plan, image = basis.desired, basis.plan, basis.image
    return SavedPlan(
        made_by=made_by,
        service=desired.service_name,
        environment=desired.environment,
        account=plan.account,
        region=plan.region,
        digest=image.digest,
        reads={
            Read.MANIFEST: _digest(basis.manifest),
            Read.RELEASE: _digest([basis.version, basis.commit]),
            Read.IMAGE: _digest(image),
            Read.NETWORK: _digest(basis.network),
            **digest_observed(basis.observed),
            # The steps of a first deployment do not say whether ECS would roll it back.
            Read.STEPS: _digest(
                [*plan.steps, plan.attach_to, desired.service.deployment_configuration]
            ),
        },
    )


def digest_observed(observed: Observed) -> dict[Read, str]:
    """Of what was read of AWS."""
    newest, flight = observed.last_deployment, observed.in_flight
    read = {
        Read.CLUSTER: [
            observed.cluster_exists,
            observed.namespace,
            sorted(observed.capacity_providers),
        ],
        Read.STACK: [observed.stack, observed.shared],
        Read.SERVICE: _settled(observed.service, is_scaled=observed.scaling is not None),
        Read.REVISION: [one.arn if one else "" for one in (observed.running, observed.latest)],
        Read.DEPLOYMENT: [
            [str(one.arn), str(one.status)] if one else [] for one in (newest, flight)
        ],
        Read.SCALING: [observed.scaling, observed.scaling_is_ours, sorted(observed.other_policies)],
        Read.SCHEDULE: [observed.schedule, observed.old_schedule],
    }
    return {name: _digest(value) for name, value in read.items()}


def changed_reads(saved: SavedPlan, now: Mapping[Read, str]) -> tuple[Read, ...]:
    """Those of `now` that are not as they were, in the order of `Read`."""
    return tuple(name for name in Read if name in now and saved.reads.get(name) != now[name])


def saved_plan_text(saved: SavedPlan) -> str:
    document = {
        "schema": SCHEMA,
        "madeBy": saved.made_by,
        "service": saved.service,
        "environment": saved.environment,
        "account": saved.account,
        "region": saved.region,
        "digest": saved.digest,
        "reads": {str(name): saved.reads[name] for name in Read},
    }
    return f"{json.dumps(document, indent=2)}\n"


def read_saved_plan(text: str) -> SavedPlan:
    """Raises ValueError, with what is wrong, for anything but a plan as FSD writes it."""
    try:
        tree = json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(tree, dict) or tree.keys() != _TEXTS.keys() | {"reads"}:
        raise ValueError(f"it does not have the keys of {SCHEMA}")
    for key, pattern in _TEXTS.items():
        if not isinstance(tree[key], str) or not re.fullmatch(pattern, tree[key]):
            raise ValueError(f"its `{key}` is not one of {SCHEMA}")
    reads = tree["reads"]
    if not isinstance(reads, dict) or reads.keys() != {str(name) for name in Read}:
        raise ValueError(f"its `reads` are not those of {SCHEMA}")
    if not all(isinstance(v, str) and re.fullmatch(r"[0-9a-f]{64}", v) for v in reads.values()):
        raise ValueError("its `reads` are not digests")
    return SavedPlan(
        made_by=tree["madeBy"],
        service=tree["service"],
        environment=tree["environment"],
        account=tree["account"],
        region=tree["region"],
        digest=tree["digest"],
        reads={name: reads[str(name)] for name in Read},
    )


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it has a key twice")
    return found


def _settled(service: ServiceState | None, *, is_scaled: bool) -> object:
    """Without what moves by itself: the count too, where auto scaling has it."""
    if service is None:
        return None
    left_out = _VOLATILE | ({"desired"} if is_scaled else set())
    return {key: value for key, value in asdict(service).items() if key not in left_out}


def _digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case frozenset() | set():
            return sorted(value, key=str)
        case Mapping():
            return dict(value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {"": type(value).__name__} | {
                name: getattr(value, name) for name in value.__dataclass_fields__
            }
    raise TypeError(f"{type(value).__name__} has no digest")
