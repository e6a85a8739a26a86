"""The online pre-flight: everything that would stop a deployment, found without changing anything.

Each look stands alone: what may not be looked at is said, and the others go on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from fsd.account.checks import check_account
from fsd.account.facts import (
    PERMISSIONS,
    BalancingQuota,
    CertificateFact,
    DeniedFact,
    DependencyFact,
    Facts,
    ImageFact,
    KeyFact,
    ManifestNeeds,
    NetworkFact,
    QuotaFact,
    SecretFact,
    SubnetFact,
    TrustFact,
)
from fsd.account.grant import AccountPlace, Reach
from fsd.account.joined import GitHubRepository
from fsd.account.named import read_names, read_promoted, read_scans
from fsd.account.policies import deploy_grants
from fsd.account.questions import Pair, Simulation, ask
from fsd.account.stack import boundary_arn, read_stack, role_arn, stack_name
from fsd.account.trust import deploying_contexts, subjects
from fsd.app.environments import find_environment, source_environment
from fsd.app.image import find_known_image
from fsd.app.manifest import read_manifest
from fsd.app.permissions_asked import begin_asking
from fsd.app.registries import open_registry
from fsd.compile.desired import Json
from fsd.errors import CallFailedError
from fsd.image.build import ARCHITECTURES
from fsd.manifest import names
from fsd.manifest.environments import Environment
from fsd.manifest.models import Dependency, LoadBalancer, Manifest, Service
from fsd.release.ports import Aws, Network
from fsd.report.doctor_finding import DoctorFinding, by_severity
from fsd.report.doctor_words import worded
from fsd.scaffold.folder import read_origin
from fsd.scaffold.name_and_owners import github_name

Seen = TypeVar("Seen")
BUCKET = "aws_s3_bucket"
_PERCENT = 100
_CPU_UNITS = 1024  # of one vCPU


class Preflight(Protocol):
    """`fsd.aws.preflight.AwsPreflight`."""

    def subnets(self, ids: tuple[str, ...]) -> tuple[SubnetFact, ...]: ...

    def endpoints(self, vpc_id: str) -> frozenset[str]: ...

    def certificate(self, arn: str) -> CertificateFact: ...

    def secret(self, variable: str, value_from: str, *, read_value: bool) -> SecretFact: ...

    def has_log_group(self, name: str) -> bool: ...

    def has_dependency(self, type_: str, name: str) -> bool | None: ...

    def policy(self, type_: str, name: str) -> Json: ...

    def service_roles(self) -> frozenset[str]: ...

    def quota(self) -> QuotaFact: ...

    def key(self, id_: str) -> KeyFact: ...

    def trust(self, role_arn: str) -> TrustFact: ...

    def balancing(self, kind: str) -> tuple[BalancingQuota, ...]: ...

    def rules(self, balancer: str) -> tuple[BalancingQuota, ...]: ...

    def denied(self, role_arn: str, question: Simulation) -> dict[Pair, bool]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploying:
    """Whose permissions a deployment has, and whose workflow has them."""

    role: str = ""  # ARN; "" for the root user, who may do all
    repository: GitHubRepository | None = None
    contexts: tuple[str, ...] = ()  # ends of the token's `sub`
    is_assumed: bool = True  # False for the caller's own


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountExamination:
    wants: ManifestNeeds
    findings: tuple[DoctorFinding, ...]
    who: str  # ARN of the caller
    role: str  # whose permissions were asked for; "" for nobody's


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorRequest:
    environment: str
    file: Path | None = None  # the manifest; None looks at the account alone
    region: str | None = None
    reads_secrets: bool = False  # to see whether their JSON keys exist


class ConnectPreflight(Protocol):
    """`fsd.cli.wiring.connect_preflight`."""

    def __call__(
        self, environment: Environment, *, region: str | None
    ) -> tuple[Aws, Preflight]: ...


def run_doctor(request: DoctorRequest, connect: ConnectPreflight) -> AccountExamination:
    """With the credentials that a deployment would have.

    Raises ManifestError before any call, and what the connection raises.
    """
    file = request.file
    environment = find_environment(file, request.environment)
    if file is not None:
        read_manifest(file, environment=request.environment)
    aws, preflight = connect(environment, region=request.region)
    identity = aws.identity
    variables = {"AWS_REGION": identity.region, "AWS_ACCOUNT_ID": identity.account}
    loaded = (
        read_manifest(file, environment=request.environment, variables=variables) if file else None
    )
    return Doctor(
        aws=aws,
        preflight=preflight,
        environment=environment,
        manifest=loaded.manifest if loaded else None,
        source=source_environment(environment, file),
        repository=origin_on_github(file.parent if file is not None else Path()),
        reads_secrets=request.reads_secrets,
    ).examine()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """One environment of one account; `manifest` None looks at the account alone."""

    aws: Aws
    preflight: Preflight
    environment: Environment
    manifest: Manifest | None
    source: Environment | None = None  # where its releases come from
    repository: GitHubRepository | None = None  # of the folder's `origin`
    reads_secrets: bool = False
    _unseen: list[tuple[str, str]] = field(default_factory=list)

    def examine(self) -> AccountExamination:
        """In two rounds: the second asks about what the first has found."""
        deployer_of = self._begin("the deploy role", self._deployer)
        wants = self._wants()
        deployer = deployer_of() or Deploying()
        facts = self._with_keys(self._look(wants, deployer)())
        found = [worded(one, wants) for one in check_account(wants, facts)]
        return AccountExamination(
            wants=wants,
            findings=by_severity(found),
            who=self.aws.identity.arn,
            role=deployer.role,
        )

    def _look(self, wants: ManifestNeeds, deployer: Deploying) -> Callable[[], Facts]:
        """Begin to look at everything; what is returned waits for it."""
        denied = self._begin_permissions(deployer.role)
        trust = self._begin("the trust of the deploy role", lambda: self._trust(deployer))
        image = self._begin("the image", self._image)
        balancing = self._begin("quotas of load balancers", lambda: self._balancing(wants))
        secrets = self._begin_secrets()
        dependencies = self._begin_dependencies()
        cluster = self._begin("the cluster", self._cluster)
        network = self._begin("the network", lambda: self._network(wants))
        certificate = self._begin("the certificate", lambda: self._certificate(wants))
        quota = self._begin("quotas", self.preflight.quota)
        log_group = self._begin("the log group", lambda: self._log_group(wants))
        alarms = self._begin("alarms", lambda: self._alarms(wants))
        repository = self._begin("the repository", self._repository)
        service_roles = self._begin("service-linked roles", self.preflight.service_roles)
        return lambda: Facts(
            cluster_status=cluster(),
            network=network(),
            certificate=certificate(),
            secrets=secrets(),
            dependencies=dependencies(),
            denied=denied(),
            quota=quota(),
            balancing=balancing(),
            trust=trust(),
            image=image(),
            log_group_exists=log_group(),
            alarms=alarms(),
            has_repository=repository(),
            service_roles=service_roles(),
        )

    def _with_keys(self, facts: Facts) -> Facts:
        """The keys of secrets are known once the secrets are."""
        ids = sorted({one.kms_key for one in facts.secrets or () if one.kms_key})
        keys = self._begin_each(
            (f"the KMS key {id_}", partial(self.preflight.key, id_)) for id_ in ids
        )()
        return replace(facts, keys=keys, unseen=tuple(dict.fromkeys(self._unseen)))

    def _begin(self, what: str, look: Callable[[], Seen]) -> Callable[[], Seen | None]:
        """The answer is None where AWS refused, which is noted."""
        answer = self.aws.reads.start(look)

        def get() -> Seen | None:
            try:
                return answer()
            except CallFailedError as error:
                self._unseen.append((what, error.what))
                return None

        return get

    def _begin_each(
        self, looks: Iterable[tuple[str, Callable[[], Seen]]]
    ) -> Callable[[], tuple[Seen, ...]]:
        """Several of a kind; what could be seen of them."""
        begun = [self._begin(what, look) for what, look in looks]

        def get() -> tuple[Seen, ...]:
            seen = [answer() for answer in begun]
            return tuple(one for one in seen if one is not None)

        return get

    # ---- what is wanted

    def _wants(self) -> ManifestNeeds:
        manifest, environment = self.manifest, self.environment
        name = manifest.metadata.name if manifest else ""
        service = manifest.service if manifest else None
        balancer = service.networking.load_balancer if service else None
        stack = names.stack(name, environment.name)
        values = [value for _, value in _secrets(service)] if service else []
        in_manager = [value for value in values if ":secretsmanager:" in value]
        logs = service.log_settings if service is not None else None
        has_logs = logs is not None and logs.enabled and logs.group is None
        return ManifestNeeds(
            service=name,
            environment=environment.name,
            cluster=environment.cluster_name,
            region=self.aws.identity.region,
            tasks=_peak(manifest) if manifest else 0,
            vcpu=service.resources.cpu / _CPU_UNITS if service else 0,
            is_private=service.networking.vpc if service else True,
            has_balancer=balancer is not None,
            log_group=names.log_group(name, environment.name) if has_logs else "",
            has_stack=self._begin("the stack", lambda: self._has_stack(stack))() if name else None,
            secrets=bool(in_manager),
            parameters=len(in_manager) < len(values),
            alarms=service.deployment.alarms if service else (),
            certificate=(balancer.certificate_arn or "") if balancer else "",
            hosts=_hosts(balancer) if balancer else (),
            platform=f"linux/{ARCHITECTURES[service.platform]}" if service else "",
            execution_role=self._role_of_tasks(names.execution_role),
            task_role=self._role_of_tasks(names.task_role),
            is_scaled=service is not None and service.resources.max_capacity is not None,
        )

    def _role_of_tasks(self, name_of: Callable[[str, str], str]) -> str:
        """ARN of the one that FSD makes; "" without a manifest, and where it is given."""
        if self.manifest is None or self.manifest.service.roles is not None:
            return ""
        name = name_of(self.manifest.metadata.name, self.environment.name)
        return self._place.arn("iam", f"role{names.ROLE_PATH}{name}", is_global=True)

    def _has_stack(self, name: str) -> bool:
        return self.aws.stacks.look(name) is not None

    # ---- what is there

    def _cluster(self) -> str:
        found = self.aws.ecs.find_cluster(self.environment.cluster_name)
        return "ACTIVE" if found else ""

    def _network(self, wants: ManifestNeeds) -> NetworkFact:
        vpc = self.environment.vpc
        found = self.aws.networks.find(self.environment.name, vpc_id=vpc.id if vpc else None)
        if found is None:
            return NetworkFact(vpc_id="")
        private = (vpc.private_subnets if vpc else ()) or found.private_subnets
        public = (vpc.public_subnets if vpc else ()) or found.public_subnets
        tasks = private if wants.is_private else public
        balancers = private if self._is_internal() else public
        return self._subnets(found, tasks=tasks, balancers=balancers)

    def _subnets(
        self, network: Network, *, tasks: tuple[str, ...], balancers: tuple[str, ...]
    ) -> NetworkFact:
        ids = tuple(sorted({*tasks, *balancers}))
        found = self.preflight.subnets(ids) if ids else ()
        return NetworkFact(
            vpc_id=network.vpc_id,
            task_subnets=tuple(one for one in found if one.id in tasks),
            balancer_zones=frozenset(one.zone for one in found if one.id in balancers),
            endpoints=self.preflight.endpoints(network.vpc_id),
        )

    def _is_internal(self) -> bool:
        balancer = self.manifest.service.networking.load_balancer if self.manifest else None
        return balancer is None or balancer.internal

    def _certificate(self, wants: ManifestNeeds) -> CertificateFact | None:
        arn = wants.certificate
        if not arn or arn.split(":")[3] != wants.region:
            return None
        return self.preflight.certificate(arn)

    def _begin_secrets(self) -> Callable[[], tuple[SecretFact, ...]]:
        secrets = _secrets(self.manifest.service) if self.manifest else ()
        return self._begin_each(
            (
                f"the secret of {name}",
                partial(self.preflight.secret, name, value, read_value=self.reads_secrets),
            )
            for name, value in secrets
        )

    def _begin_dependencies(self) -> Callable[[], tuple[DependencyFact, ...]]:
        wanted = self.manifest.dependencies if self.manifest else ()
        buckets = _buckets(self.manifest.service) if self.manifest else ()
        looks = [
            (f"{one.type} {one.name}", partial(self._dependency, one))
            for one in wanted
            if "*" not in one.name
        ]
        files = (
            (f"the bucket {one} of environmentFiles", partial(self._bucket, one)) for one in buckets
        )
        return self._begin_each((*looks, *files))

    def _bucket(self, name: str) -> DependencyFact:
        exists = self.preflight.has_dependency(BUCKET, name)
        return DependencyFact(type=BUCKET, name=name, exists=exists, key="environmentFiles")

    def _dependency(self, one: Dependency) -> DependencyFact:
        """Its policy is a look of its own: who may not read it may know that the thing is there."""
        exists = self.preflight.has_dependency(one.type, one.name)
        policy = self._begin(
            f"the policy of {one.type} {one.name}",
            lambda: self.preflight.policy(one.type, one.name) if exists else {},
        )
        return DependencyFact(
            type=one.type,
            name=one.name,
            exists=exists,
            actions=one.permissions,
            policy=policy() or {},
        )

    def _log_group(self, wants: ManifestNeeds) -> bool | None:
        """Asked only where a stack is still to be made: its own group is no trouble."""
        if not wants.log_group or wants.has_stack is not False:
            return None
        return self.preflight.has_log_group(wants.log_group)

    def _alarms(self, wants: ManifestNeeds) -> frozenset[str]:
        if not wants.alarms:
            return frozenset()
        return frozenset(alarm.name for alarm in self.aws.alarms.find(wants.alarms))

    def _repository(self) -> bool | None:
        if self.manifest is None or self.manifest.service.image:
            return None
        name = names.repository(self.manifest.metadata.name)
        return self.aws.registry.find_repository(name) is not None

    def _image(self) -> ImageFact | None:
        """Only of the account's own registry: what another one lets this role read says nothing."""
        image = self.manifest.service.image if self.manifest else None
        found = find_known_image(self.aws, image) if image else None
        if image is None or found is None:
            return None
        repository, digest = found
        if repository is None or not digest:
            return ImageFact(image=image, exists=False)
        from fsd.image.platforms import read_platforms

        api = open_registry(self.aws.registry, repository)
        return ImageFact(image=image, exists=True, platforms=read_platforms(api, digest))

    def _balancing(self, wants: ManifestNeeds) -> tuple[BalancingQuota, ...] | None:
        """Asked only before a load balancer, or a rule of a shared one, is made."""
        balancer = self.manifest.service.networking.load_balancer if self.manifest else None
        if balancer is None or wants.has_stack is not False:
            return None
        if balancer.has_rule:
            return self.preflight.rules(_shared_balancer(balancer, self.environment.name))
        return None if balancer.target_group_arn else self.preflight.balancing(balancer.type)

    # ---- permissions

    def _deployer(self) -> Deploying:
        """The role that deploys: the environment's, else the one that bootstrap made for the
        service, else the caller's own, whose trust is nobody's business here."""
        found = self.aws.stacks.find(stack_name(self.environment.name))
        stack = read_stack(found.template, environment=self.environment.name) if found else None
        service = self.manifest.metadata.name if self.manifest else ""
        joined = (
            next((one for one in stack.joined if service in one.services), None) if stack else None
        )
        role = self.environment.role_arn or ""
        if joined is not None:
            made = role_arn(joined, "deploy", self.environment.name, self._place)
            contexts = deploying_contexts(joined)
            repository = joined.repository
            return Deploying(role=role or made, repository=repository, contexts=contexts)
        if role:
            branches = tuple(f"ref:refs/heads/{one}" for one in self.environment.branches)
            contexts = (f"environment:{self.environment.name}", *branches)
            return Deploying(role=role, repository=self.repository, contexts=contexts)
        return Deploying(role=_role_of(self.aws.identity.arn, self._place), is_assumed=False)

    def _trust(self, deployer: Deploying) -> TrustFact | None:
        if not deployer.is_assumed or not deployer.role:
            return None
        if _is_session_of(self.aws.identity.arn, deployer.role):
            return None  # it has let this run in
        found = self.preflight.trust(deployer.role)
        if deployer.repository is None:
            return found
        repository = deployer.repository
        subs = tuple(sub for one in deployer.contexts for sub in subjects(repository, one))
        return replace(found, repository=str(repository), subs=subs)

    @property
    def _place(self) -> AccountPlace:
        identity = self.aws.identity
        return AccountPlace(
            partition=identity.partition, account=identity.account, region=identity.region
        )

    def _begin_permissions(self, role: str) -> Callable[[], tuple[DeniedFact, ...]]:
        """Nothing where CloudFormation has no role: a deployment needs another list then."""
        cloudformation = self.environment.cloud_formation_role_arn
        if self.manifest is None or cloudformation is None or not role:
            return tuple
        environment = self.environment
        reach = Reach(
            place=self._place,
            environment=environment.name,
            cluster=environment.cluster_name,
            services=(self.manifest.metadata.name,),
            boundary=environment.permissions_boundary_arn
            or boundary_arn(environment.name, self._place),
            cloudformation_role=cloudformation,
            named=replace(
                read_names(self.manifest),
                promoted=read_promoted(environment, self.source),
                scans=read_scans(environment),
            ),
        )
        return begin_asking(
            self.aws.reads,
            ask(deploy_grants(reach)),
            denied=partial(self.preflight.denied, role),
            on_refusal=lambda refusal: self._unseen.append((PERMISSIONS, refusal)),
        )


def _secrets(service: Service) -> list[tuple[str, str]]:
    """(whose, valueFrom) of each secret that ECS reads before a task starts."""
    beside = [(one, f" of the sidecar {one.name}") for one in service.sidecars]
    logins = [
        (service.repository_credentials, ""),
        *((one.repository_credentials, name) for one, name in beside),
    ]
    return [
        *((one.name, one.value_from) for one in service.secrets),
        *(
            (f"{secret.name}{name}", secret.value_from)
            for one, name in beside
            for secret in one.secrets
        ),
        *((f"repositoryCredentials{name}", arn) for arn, name in logins if arn is not None),
    ]


def _buckets(service: Service) -> list[str]:
    """Those of `environmentFiles`, each once: arn:aws:s3:::BUCKET/KEY."""
    files = [*service.environment_files]
    files += [file for sidecar in service.sidecars for file in sidecar.environment_files]
    return sorted({file.split(":", 5)[5].partition("/")[0] for file in files})


def _shared_balancer(balancer: LoadBalancer, environment: str) -> str:
    """ARN of the load balancer that a listener is of, or the name of the one that FSD makes."""
    if balancer.listener_arn:
        head, _, rest = balancer.listener_arn.partition(":listener/")
        return f"{head}:loadbalancer/{rest.rpartition('/')[0]}"
    return names.shared_load_balancer(
        balancer.shared or "", environment, is_internal=balancer.internal
    )


def _role_of(arn: str, place: AccountPlace) -> str:
    """The role of an STS session's ARN, a user's own; "" for the root user, who may do all."""
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    if kind == "assumed-role":
        return place.arn("iam", f"role/{rest.partition('/')[0]}", is_global=True)
    return "" if kind == "root" else arn


def _is_session_of(arn: str, role: str) -> bool:
    """Names of roles are unique in an account; a session's ARN does not have the role's path."""
    account, _, rest = arn.partition(":sts::")[2].partition(":assumed-role/")
    name = role.rpartition("/")[2]
    return bool(rest) and rest.partition("/")[0] == name and account == role.split(":")[4]


def origin_on_github(folder: Path) -> GitHubRepository | None:
    owner, name = github_name(read_origin(folder))
    return GitHubRepository(owner=owner, name=name) if owner else None


def _hosts(balancer: LoadBalancer) -> tuple[str, ...]:
    """Clients know what they call; a wildcard of a rule names no host."""
    named = (*balancer.hosts, *((balancer.domain.name,) if balancer.domain else ()))
    return tuple(dict.fromkeys(one for one in named if not {"*", "?"} & {*one}))


def _peak(manifest: Manifest) -> int:
    """Tasks that run at once in the middle of a rollout, where scaling has gone to its top."""
    resources = manifest.service.resources
    count = max(resources.desired_count or 1, resources.max_capacity or 0)
    percent = manifest.service.deployment.maximum_percent
    return max(count, math.floor(count * percent / _PERCENT))
