"""Set up an account for an environment: look, say what would change, change it, take it away.

The stack is made with the caller's own credentials. No role in it may change it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fsd.account.changes import ResourceChange, compare_templates
from fsd.account.grant import AccountPlace
from fsd.account.joined import Joined, join
from fsd.account.ports import Account
from fsd.account.stack import (
    CLUSTER,
    NAMESPACE,
    PROVIDER,
    AccountStack,
    provider_arn,
    read_stack,
    repository_id,
    stack_name,
    write_template,
)
from fsd.compile.desired import Json
from fsd.errors import ErrorCode, RefusedError, UsageError
from fsd.manifest import names
from fsd.release.ports import Aws, Stack, StackDrift

_TAGS = {"fsd:created-by": "bootstrap"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapPlan:
    """What an environment's account would become, and what of that is not so yet."""

    stack: AccountStack
    place: AccountPlace
    template: Json
    changes: tuple[ResourceChange, ...]
    exists: bool
    before: tuple[Joined, ...] = ()  # who is there


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapRemoved:
    removed: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSetup:
    """One environment of one account, with the clients for it."""

    aws: Aws
    account: Account
    environment: str
    cluster: str

    def plan(self, joined: Joined | None, *, network: str = "") -> BootstrapPlan:
        """`joined` comes beside who is there already; None plans what is wanted as it is.

        Raises UsageError where there is nothing yet and nobody comes, and RefusedError for a second
        network.
        """
        found = self.aws.stacks.find(stack_name(self.environment))
        before = read_stack(found.template, environment=self.environment) if found else None
        if found is not None and before is None:
            raise RefusedError(
                f"there is a stack {found.name} that FSD did not create",
                where=found.id,
                fix="rename or delete that stack",
                code=ErrorCode.STACK_NOT_OURS,
            )
        if before is None and joined is None:
            raise UsageError(
                f"{self.environment} is not set up yet",
                where=f"{self.aws.identity.account} · {self.aws.identity.region}",
                fix=f"fsd bootstrap --env {self.environment} --repo ORG/REPO",
            )
        wish = before or AccountStack(environment=self.environment, cluster=self.cluster, joined=())
        if joined is not None:
            wish = replace(wish, joined=join(wish.joined, joined))
        if network and network != wish.network:
            self._require_no_network(wish)
            wish = replace(wish, network=network)
        wish = replace(wish, foreign=self._foreign(wish, found))
        template = write_template(wish, self.place)
        return BootstrapPlan(
            stack=wish,
            place=self.place,
            template=template,
            changes=compare_templates(found.template if found else None, template),
            exists=found is not None,
            before=before.joined if before is not None else (),
        )

    @property
    def place(self) -> AccountPlace:
        identity = self.aws.identity
        return AccountPlace(
            partition=identity.partition, account=identity.account, region=identity.region
        )

    def apply(self, plan: BootstrapPlan) -> None:
        """Make or update the stack, and wait."""
        self.aws.stacks.apply(plan.stack.name, template=plan.template, tags=_TAGS)

    def drift(self) -> StackDrift:
        """What somebody has changed by hand. The stack must exist."""
        return self.aws.stacks.drift(stack_name(self.environment))

    def delete(self) -> BootstrapRemoved:
        """The stack, and what of the rest nobody else uses.

        Raises RefusedError while services are there: without the cluster's roles nobody could
        deploy them, and CloudFormation could not delete the cluster.
        """
        plan = self.plan(None)
        self._require_unused(plan.stack)
        self.aws.stacks.delete(plan.stack.name)
        removed, kept = [f"stack {plan.stack.name} (roles, policies)"], list[str]()
        for what, is_removed in self._leftovers(plan.stack):
            (removed if is_removed else kept).append(what)
        return BootstrapRemoved(removed=tuple(removed), kept=tuple(kept))

    def _leftovers(self, stack: AccountStack) -> list[tuple[str, bool]]:
        """What a stack leaves when it goes: (what, whether it could go too)."""
        found = []
        for service in sorted({name for one in stack.joined for name in one.services}):
            name = names.repository(service)
            if not stack.makes(repository_id(service)):
                continue
            has_images = self.account.has_images(name)
            if not has_images:
                self.aws.registry.delete_repository(name)
            why = ": it has images" if has_images else ""
            found.append((f"repository {name}{why}", not has_images))
        arn = provider_arn(self.place)
        users = self.account.roles_trusting(arn)
        if users:
            found.append((f"GitHub's identity provider: {', '.join(users[:3])} trusts it", False))
        elif self.account.delete_own_provider(arn):
            found.append(("GitHub's identity provider", True))
        return found

    def _require_no_network(self, wish: AccountStack) -> None:
        """Two VPCs for one environment, and no deployment would know which."""
        found = self.aws.networks.find(self.environment, vpc_id=None)
        if found is None or (found.is_default and not wish.network):
            return
        raise RefusedError(
            f"{self.environment} has a VPC already: {found.vpc_id}",
            where=found.how,
            fix="leave out --network",
            code=ErrorCode.STILL_IN_USE,
        )

    def _require_unused(self, stack: AccountStack) -> None:
        services = self.aws.ecs.service_names(stack.cluster)
        stacks = [
            name
            for one in stack.joined
            for service in one.services
            if self.aws.stacks.find(name := names.stack(service, self.environment)) is not None
        ]
        if not services and not stacks:
            return
        raise RefusedError(
            f"{self.environment} is in use: {', '.join([*services, *stacks])}",
            where=f"cluster {stack.cluster}",
            fix=f"delete each service first: fsd delete --service NAME --env {self.environment}",
            code=ErrorCode.STILL_IN_USE,
        )

    def _foreign(self, wish: AccountStack, found: Stack | None) -> frozenset[str]:
        """What the account has that is not of this stack."""
        resources = found.template.get("Resources") if found else None
        own = resources if isinstance(resources, dict) else {}
        exists: dict[str, Callable[[], bool]] = {
            PROVIDER: lambda: self.account.has_provider(provider_arn(self.place)),
            CLUSTER: lambda: self.aws.ecs.find_cluster(wish.cluster) is not None,
            NAMESPACE: lambda: self.account.has_namespace(wish.environment),
        }
        services = {name for one in wish.joined for name in one.services}
        repositories = {repository_id(name): names.repository(name) for name in services}
        return frozenset(
            claim
            for claim in wish.claims
            if claim not in own
            and (
                exists[claim]()
                if claim in exists
                else self.aws.registry.find_repository(repositories[claim]) is not None
            )
        )
