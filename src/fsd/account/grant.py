"""A statement of a policy, with the reason why somebody needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from fsd.account.named import NOTHING, NamedResources
from fsd.compile.desired import Json, JsonValue
from fsd.compile.iam import policy_size
from fsd.manifest import names
from fsd.manifest.dependencies import EVERYTHING

# Characters without white space. A pseudo parameter is longer than what takes its place.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MANAGED_POLICY_LIMIT = 6_144
TASK_SERVICE = "ecs-tasks.amazonaws.com"

Condition = Mapping[str, Mapping[str, str | tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """`why` is for people: what stops working without it."""

    sid: str
    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = (EVERYTHING,)
    conditions: Condition = field(default_factory=dict)

    def statement(self) -> Json:
        statement: Json = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": [*self.actions],
            "Resource": [*self.resources],
        }
        if self.conditions:
            statement["Condition"] = {
                operator: {key: _operand(value) for key, value in sorted(operands.items())}
                for operator, operands in sorted(self.conditions.items())
            }
        return statement


def _operand(value: str | tuple[str, ...]) -> JsonValue:
    return [*value] if isinstance(value, tuple) else value


def policy(grants: Iterable[Grant]) -> Json:
    """A policy document. Statements without a resource are left out: IAM refuses them."""
    statements: list[JsonValue] = [grant.statement() for grant in grants if grant.resources]
    return {"Version": "2012-10-17", "Statement": statements}


def documents(grants: Iterable[Grant]) -> tuple[Json, ...]:
    """As many policy documents as IAM's limit on one asks for, in the order of the grants."""
    found: list[list[Grant]] = [[]]
    for part in chain.from_iterable(map(_parts, grants)):
        if policy_size(policy((*found[-1], part))) > MANAGED_POLICY_LIMIT:
            found.append([])
        found[-1].append(part)
    return tuple(policy(grants_) for grants_ in found if grants_)


def _parts(grant: Grant) -> Iterator[Grant]:
    """The grant, in halves where its resources alone are too many for a policy."""
    if policy_size(policy((grant,))) <= MANAGED_POLICY_LIMIT or len(grant.resources) < 2:
        yield grant
        return
    middle = len(grant.resources) // 2
    for resources in (grant.resources[:middle], grant.resources[middle:]):
        yield from _parts(replace(grant, resources=resources))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlace:
    """Where ARNs point; by default to wherever CloudFormation makes the stack."""

    partition: str = "${AWS::Partition}"
    account: str = "${AWS::AccountId}"
    region: str = "${AWS::Region}"

    def arn(self, service: str, resource: str, *, is_global: bool = False) -> str:
        region = "" if is_global else self.region
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Everything that the roles of one repository may touch in one environment, by exact names.

    Never a pattern such as `fsd-*-prod`: the environment `eu-prod` would match it too.
    """

    place: AccountPlace
    environment: str
    cluster: str
    services: tuple[str, ...]
    boundary: str  # ARN of the permissions boundary of every role that a stack makes
    cloudformation_role: str  # ARN
    named: NamedResources = NOTHING  # by the services' manifests

    def per_service(self, service: str, *patterns: str) -> tuple[str, ...]:
        """ARNs of a kind; `{name}` is the ECS service's and `{service}` the manifest's name."""
        return tuple(
            self.place.arn(
                service,
                pattern.format(
                    service=one,
                    name=names.service_name(one, self.environment),
                    stack=names.stack(one, self.environment),
                    cluster=self.cluster,
                ),
            )
            for pattern in patterns
            for one in self.services
        )

    @property
    def stacks(self) -> tuple[str, ...]:
        shared = (
            names.shared_stack(name, self.environment, is_internal=is_internal)
            for name, is_internal in self._shared
        )
        return (
            *self.per_service("cloudformation", "stack/{stack}/*"),
            *(self.place.arn("cloudformation", f"stack/{one}/*") for one in shared),
        )

    @property
    def _shared(self) -> Iterator[tuple[str, bool]]:
        """Each name, and whether the load balancer is internal."""
        for one in self.named.shared:
            name, _, scheme = one.rpartition(":")
            yield name, scheme == "internal"

    @property
    def ecs_services(self) -> tuple[str, ...]:
        """With those that another tool made."""
        theirs = (f"service/{self.cluster}/{name}" for name in self.named.adopted)
        return (
            *self.per_service("ecs", "service/{cluster}/{name}"),
            *(self.place.arn("ecs", one) for one in theirs),
        )

    @property
    def families(self) -> tuple[str, ...]:
        return self.per_service("ecs", "task-definition/{name}:*")

    @property
    def deployments(self) -> tuple[str, ...]:
        theirs = (
            f"{kind}/{self.cluster}/{name}/*"
            for kind in ("service-deployment", "service-revision")
            for name in self.named.adopted
        )
        return (
            *self.per_service(
                "ecs",
                "service-deployment/{cluster}/{name}/*",
                "service-revision/{cluster}/{name}/*",
            ),
            *(self.place.arn("ecs", one) for one in theirs),
        )

    @property
    def repositories(self) -> tuple[str, ...]:
        return self.per_service("ecr", "repository/{service}")

    @property
    def log_groups(self) -> tuple[str, ...]:
        """With the tail that stands for the group itself and for its streams.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
        """
        groups = (names.log_group(one, self.environment) for one in self.services)
        return tuple(self.place.arn("logs", f"log-group:{group}:*") for group in groups)

    @property
    def read_log_groups(self) -> tuple[str, ...]:
        """With those that FSD does not make."""
        theirs = (self.place.arn("logs", f"log-group:{one}:*") for one in self.named.log_groups)
        return (*self.log_groups, *theirs)

    @property
    def balancers(self) -> tuple[str, ...]:
        """Names of load balancers, internal and public, and of those that speak HTTP/2; and of
        those that several services have."""
        shared = (
            names.shared_load_balancer(name, self.environment, is_internal=is_internal)
            for name, is_internal in self._shared
        )
        return (
            *(
                names.load_balancer(one, f"{self.environment}{scheme}{version}")
                for one in self.services
                for scheme in ("", "-public")
                for version in ("", *(f"-{one}" for one in self.named.versions))
            ),
            *shared,
        )

    @property
    def task_roles(self) -> tuple[str, ...]:
        found = (
            make(one, self.environment)
            for one in self.services
            for make in (names.task_role, names.execution_role)
        )
        return tuple(
            self.place.arn("iam", f"role{names.ROLE_PATH}{name}", is_global=True) for name in found
        )

    @property
    def schedules(self) -> tuple[str, ...]:
        """Of Jobs, in EventBridge Scheduler's group `default`."""
        found = (names.schedule(one, self.environment) for one in self.services)
        return tuple(self.place.arn("scheduler", f"schedule/default/{name}") for name in found)

    @property
    def old_rules(self) -> tuple[str, ...]:
        """ARNs of EventBridge's rules that Jobs take over from."""
        return tuple(arn for arn in self.named.old_schedules if ":rule/" in arn)

    @property
    def old_schedules(self) -> tuple[str, ...]:
        return tuple(arn for arn in self.named.old_schedules if ":rule/" not in arn)

    @property
    def schedule_roles(self) -> tuple[str, ...]:
        found = (names.schedule_role(one, self.environment) for one in self.services)
        return tuple(
            self.place.arn("iam", f"role{names.ROLE_PATH}{name}", is_global=True) for name in found
        )

    @property
    def infrastructure_roles(self) -> tuple[str, ...]:
        """With which ECS shifts the traffic of services."""
        found = (names.infrastructure_role(one, self.environment) for one in self.named.shifting)
        return tuple(
            self.place.arn("iam", f"role{names.ROLE_PATH}{name}", is_global=True) for name in found
        )

    @property
    def made_roles(self) -> tuple[str, ...]:
        """All that the stacks of services have."""
        return (*self.task_roles, *self.schedule_roles, *self.infrastructure_roles)

    @property
    def given_roles(self) -> tuple[str, ...]:
        """ARNs of roles that FSD gives to tasks, and does not make."""
        return self.named.roles

    @property
    def sources(self) -> Iterator[Reach]:
        """The same services in the environments that releases come from."""
        for one in self.named.promoted:
            environment, cluster, region = one.split(":")
            yield replace(
                self,
                place=replace(self.place, region=region or self.place.region),
                environment=environment,
                cluster=cluster,
                named=NOTHING,
            )

    def balancer_kind(self, name: str) -> str:
        """As it stands in an ARN."""
        is_network = "tcp" in self.named.versions and name in self._network_balancers
        return "net" if is_network else "app"

    @property
    def _network_balancers(self) -> frozenset[str]:
        return frozenset(
            names.load_balancer(one, f"{self.environment}{scheme}-tcp")
            for one in self.services
            for scheme in ("", "-public")
        )

    @property
    def listeners(self) -> tuple[str, ...]:
        """ARNs of those that a service has a rule of: its own or shared ones, and somebody's."""
        own = (f"listener/{self.balancer_kind(name)}/{name}/*/*" for name in self.balancers)
        made = (self.place.arn("elasticloadbalancing", one) for one in own)
        return (*made, *self.named.listeners)

    @property
    def listener_rules(self) -> tuple[str, ...]:
        return tuple(
            f"{arn.replace(':listener/', ':listener-rule/', 1)}/*" for arn in self.listeners
        )

    @property
    def hosted_zones(self) -> tuple[str, ...]:
        return tuple(
            f"arn:{self.place.partition}:route53:::hostedzone/{id_}" for id_ in self.named.zones
        )

    @property
    def cluster_arn(self) -> str:
        return self.place.arn("ecs", f"cluster/{self.cluster}")

    @property
    def of_cluster(self) -> Condition:
        return {"ArnEquals": {"ecs:cluster": self.cluster_arn}}

    def tagged(self, *, on: str) -> Condition:
        """`on` is RequestTag for what is made, ResourceTag for what is there."""
        return {
            "StringEquals": {
                f"aws:{on}/fsd:environment": self.environment,
                f"aws:{on}/fsd:service": self.services,
            }
        }

    def tagged_shared(self, *, on: str) -> Condition:
        """What belongs to a load balancer that several services have belongs to none of them."""
        return {
            "StringEquals": {
                f"aws:{on}/fsd:environment": self.environment,
                f"aws:{on}/fsd:shared": tuple(sorted({name for name, _ in self._shared})),
            }
        }


def actions(service: str, names_: Sequence[str] | str) -> tuple[str, ...]:
    words = names_.split() if isinstance(names_, str) else names_
    return tuple(f"{service}:{word}" for word in sorted(words))
