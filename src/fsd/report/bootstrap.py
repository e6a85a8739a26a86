"""What `fsd bootstrap` says: the plan of an account's setup, and what to do when it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fsd.account.changes import ResourceChange
from fsd.account.grant import AccountPlace
from fsd.account.joined import Joined
from fsd.account.named import NotFollowing
from fsd.account.network import PRICES
from fsd.account.stack import (
    CLUSTER,
    NAMESPACE,
    PROVIDER,
    AccountStack,
    boundary_arn,
    role_arn,
)
from fsd.release.ports import StackDrift
from fsd.report.plans import difference_text, uncompared_lines

_SIGNS = {"add": "+", "change": "~", "remove": "-"}
_KINDS = {
    "AWS::EC2::EIP": "address",
    "AWS::EC2::InternetGateway": "internet gateway",
    "AWS::EC2::NatGateway": "NAT gateway",
    "AWS::EC2::Route": "route",
    "AWS::EC2::RouteTable": "route table",
    "AWS::EC2::SecurityGroup": "security group",
    "AWS::EC2::Subnet": "subnet",
    "AWS::EC2::SubnetRouteTableAssociation": "routes of a subnet",
    "AWS::EC2::VPC": "VPC",
    "AWS::EC2::VPCEndpoint": "VPC endpoint",
    "AWS::EC2::VPCGatewayAttachment": "gateway's attachment",
    "AWS::ECR::Repository": "repository",
    "AWS::ECS::Cluster": "cluster",
    "AWS::IAM::ManagedPolicy": "policy",
    "AWS::IAM::OIDCProvider": "identity provider",
    "AWS::IAM::Role": "role",
    "AWS::ServiceDiscovery::HttpNamespace": "namespace",
}
_CLAIMS = {
    PROVIDER: "GitHub's identity provider",
    CLUSTER: "the cluster",
    NAMESPACE: "the Service Connect namespace",
}


def plan_text(
    stack: AccountStack,
    changes: Sequence[ResourceChange],
    place: AccountPlace,
    *,
    before: Sequence[Joined] = (),
) -> str:
    """One line a resource, then who may do what. `before` is who may now."""
    lines = [
        f"{stack.environment} → {place.account} · {place.region}    stack {stack.name}",
        *(
            f"  {_SIGNS[change.action]} {_KINDS.get(change.type, change.type):<19} {change.name}"
            for change in changes
        ),
        *(["  nothing to change"] if not changes else []),
        "",
        *_who(stack),
        *_no_longer(stack, before),
        *_used(stack),
        *_price(stack),
    ]
    return "\n".join(lines)


def _who(stack: AccountStack) -> Iterator[str]:
    for joined in stack.joined:
        services = ", ".join(joined.services)
        where = (
            f"jobs in its GitHub environment `{joined.github_environment}`"
            if joined.github_environment
            else f"its branch{'es' if len(joined.branches) > 1 else ''} "
            + ", ".join(joined.branches)
        )
        only = f", only by {joined.workflow}" if joined.workflow else ""
        yield f"  {joined.repository} may deploy {services} from {where}{only}"
        for one, github in _following(joined):
            yield (
                f"  {joined.repository}'s jobs in its GitHub environment `{github}` may do the "
                f"same: {one} promotes from here"
            )
        yield f"  {joined.repository}'s pull requests may read what a plan needs, and no secret"


def _following(joined: Joined) -> tuple[tuple[str, str], ...]:
    return joined.named.following if joined.github_environment else ()


def _no_longer(stack: AccountStack, before: Sequence[Joined]) -> Iterator[str]:
    now = {
        (str(joined.repository).lower(), environment)
        for joined in stack.joined
        for environment, _ in _following(joined)
    }
    for joined in before:
        for one in joined.named.followers:
            environment = one.partition(":")[0]
            if (str(joined.repository).lower(), environment) not in now:
                yield (
                    f"  {joined.repository}'s jobs that deploy to {environment} may no longer "
                    "assume this deploy role to promote from here"
                )


def not_following_text(
    found: Sequence[tuple[str, NotFollowing]], *, environment: str, branches: Sequence[str]
) -> str:
    """A note with its fix for each environment that promotes from here and gets no access."""
    return "\n".join(
        f"note: {name} promotes from {environment}, but "
        + _not_following(why, name=name, environment=environment, branches=", ".join(branches))
        for name, why in found
    )


def _not_following(why: NotFollowing, *, name: str, environment: str, branches: str) -> str:
    match why:
        case NotFollowing.ACCOUNT_UNKNOWN:
            return (
                "only one of the two has an `account` in .fsd/environments.yml\n"
                "  fix: write the `account` of both, and run this again"
            )
        case NotFollowing.SUBJECT_UNKNOWN:
            return (
                f"its document does not name its GitHub environment, so {environment}'s deploy "
                "role does not trust its jobs\n"
                f"  fix: write `githubEnvironment` in {name}'s document, with the name from "
                f"`fsd bootstrap --env {name}`, and run this again"
            )
        case NotFollowing.BRANCHES_TRUSTED:
            return (
                f"{environment}'s deploy role trusts branches, so it trusts no GitHub environment: "
                "a workflow on any branch could name that\n"
                f"  fix: promote in a job on {branches} that has no `environment:`, or run this "
                "with --github-environment instead of --branch"
            )


def _used(stack: AccountStack) -> Iterator[str]:
    for claim in sorted(stack.foreign):
        what = _CLAIMS.get(claim, "a repository of the services")
        yield f"  uses {what} that the account has already"


def _price(stack: AccountStack) -> Iterator[str]:
    """Roles, policies, cluster and namespace cost nothing."""
    price = PRICES.get(stack.network)
    if price is not None:
        yield (
            f"  the network costs ${price.per_month} a month and ${price.per_gigabyte:g} a GB, by "
            "list prices of us-east-1"
        )


def drift_text(drift: StackDrift) -> str:
    """What somebody changed by hand, a resource a line."""
    lines = [f"  ! {difference_text(one)}" for one in drift.drifted]
    lines += [f"  ? {line}" for line in uncompared_lines(drift)]
    return "\n".join(lines or ["  nothing was changed by hand"])


def entry_text(stack: AccountStack, joined: Joined, place: AccountPlace) -> str:
    """The environment's document in `.fsd/environments.yml`."""
    env = stack.environment
    lines = [
        "apiVersion: fsd/v1",
        "kind: Environment",
        "metadata:",
        f"  name: {env}",
        "spec:",
        f"  account: '{place.account}'",
        f"  region: {place.region}",
        *_github_environment(joined),
        f"  cloudFormationRoleArn: {role_arn(joined, 'cloudformation', env, place)}",
        f"  permissionsBoundaryArn: {boundary_arn(env, place)}",
        *([f"  cluster: {stack.cluster}"] if stack.cluster != env else []),
        *([f"  branches: [{', '.join(joined.branches)}]"] if joined.branches else []),
    ]
    return "\n".join(lines) + "\n"


def _github_environment(joined: Joined) -> list[str]:
    name = joined.github_environment.replace("'", "''")
    return [f"  githubEnvironment: '{name}'"] if name else []


def settings_text(stack: AccountStack, joined: Joined, place: AccountPlace) -> str:
    """The settings on GitHub, as its pages name them."""
    env = stack.environment
    deploy, plan = (role_arn(joined, kind, env, place) for kind in ("deploy", "plan"))
    url = f"https://github.com/{joined.repository}/settings"
    lines = [
        f"1. {url}/environments",
        f"   New environment: {joined.github_environment or env}",
        "   Required reviewers: who must approve; Deployment branches: who may ask",
        f"   Environment variables: FSD_ROLE = {deploy}",
        f"2. {url}/variables/actions",
        f"   Repository variables: FSD_PLAN_ROLE = {plan}",
    ]
    return "\n".join(lines) + "\n"


def next_text(stack: AccountStack, joined: Joined, place: AccountPlace, workflow: str) -> str:
    """Everything that is left to do, to copy and paste."""
    return (
        f"{stack.environment} is ready in {place.account}. Three things are left:\n"
        "\n# .fsd/environments.yml\n---\n"
        f"{entry_text(stack, joined, place)}"
        "\n# .github/workflows/deploy.yml\n"
        f"{workflow}"
        "\n# on GitHub\n"
        f"{settings_text(stack, joined, place)}"
    )
