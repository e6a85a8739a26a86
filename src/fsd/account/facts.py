"""What `fsd doctor` saw in an account. None is what it could not look at, never what is absent."""

from __future__ import annotations

from dataclasses import dataclass, field

from fsd.compile.desired import Json

# What is not seen where the role's permissions could not be asked for.
PERMISSIONS = "permissions"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetFact:
    id: str
    zone: str
    free_addresses: int
    way_out: str  # nat | internet | none: where its default route leads


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFact:
    """Where tasks and the load balancer would go; `endpoints` are names such as `ecr.api`."""

    vpc_id: str  # "" where no VPC was found
    task_subnets: tuple[SubnetFact, ...] = ()
    balancer_zones: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFact:
    arn: str
    status: str  # ISSUED, PENDING_VALIDATION …; "" where there is none
    names: tuple[str, ...] = ()  # hosts that it is for; *.example.com


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFact:
    """`keys` are those of the secret's JSON, where its value was read, which needs asking for."""

    variable: str  # of the container
    where: str  # ARN or name
    exists: bool
    json_key: str = ""
    is_deleted: bool = False
    kms_key: str = ""  # of the customer; "" for AWS's own
    keys: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFact:
    """A customer's KMS key."""

    id: str  # as the secret names it
    state: str  # Enabled, Disabled …; "" where there is none
    policy: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFact:
    """The role that a deployment assumes, and whose workflow is to assume it."""

    role: str  # ARN
    exists: bool
    policy: Json = field(default_factory=dict)
    repository: str = ""  # ORG/REPO; "" where it is not known
    subs: tuple[str, ...] = ()  # one of which its token has; * for an id that is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFact:
    image: str
    exists: bool
    platforms: tuple[str, ...] = ()  # linux/amd64; () where it does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyFact:
    type: str
    name: str
    exists: bool | None  # None for a type that is not looked at
    actions: tuple[str, ...] = ()  # that the manifest lists
    policy: Json = field(default_factory=dict)  # its own; {} without one
    key: str = "dependencies"  # of the manifest, that names it


@dataclass(frozen=True, slots=True, kw_only=True)
class DeniedFact:
    action: str
    resource: str
    why: str  # what it is for
    by_organization: bool = False  # by a policy of AWS Organizations, whatever the role has


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaFact:
    """Fargate's virtual CPUs of the account and Region."""

    limit: float
    used: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancingQuota:
    """Of Elastic Load Balancing, by AWS's name of it: `target-groups`."""

    name: str
    limit: int
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestNeeds:
    """What the manifest asks of the account."""

    service: str
    environment: str
    cluster: str
    region: str
    tasks: int  # at the peak of a rollout
    vcpu: float  # of one task
    is_private: bool
    has_balancer: bool
    log_group: str  # "" for none
    has_stack: bool | None  # whether the service was deployed before
    secrets: bool = False
    parameters: bool = False
    alarms: tuple[str, ...] = ()
    certificate: str = ""
    hosts: tuple[str, ...] = ()  # that clients use, without those with wildcards
    platform: str = ""  # linux/amd64
    execution_role: str = ""  # ARN; "" without a manifest
    task_role: str = ""
    is_scaled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Each None was not seen, and `unseen` says why."""

    cluster_status: str | None = None  # "" where there is no such cluster
    network: NetworkFact | None = None
    certificate: CertificateFact | None = None
    secrets: tuple[SecretFact, ...] | None = None
    dependencies: tuple[DependencyFact, ...] | None = None
    denied: tuple[DeniedFact, ...] | None = None
    quota: QuotaFact | None = None
    balancing: tuple[BalancingQuota, ...] | None = None  # of what a first deployment makes
    trust: TrustFact | None = None
    keys: tuple[KeyFact, ...] = ()
    image: ImageFact | None = None
    log_group_exists: bool | None = None
    alarms: frozenset[str] | None = None  # those that exist
    has_repository: bool | None = None
    service_roles: frozenset[str] | None = None  # services that have their service-linked role
    unseen: tuple[tuple[str, str], ...] = ()  # (what, AWS's refusal)
