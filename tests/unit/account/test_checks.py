"""Facts → findings: what would stop a deployment, and what was only not seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.account.checks import Check, check_account
from fsd.account.facts import (
    PERMISSIONS,
    CertificateFact,
    DeniedFact,
    Facts,
    ManifestNeeds,
    NetworkFact,
    QuotaFact,
    SecretFact,
    SubnetFact,
    TrustFact,
)
from fsd.account.issuer import ISSUER
from fsd.compile.desired import Json
from fsd.manifest.finding import Severity
from fsd.report.doctor_finding import DoctorFinding, by_severity
from fsd.report.doctor_words import worded

WANTS = ManifestNeeds(
    service="api",
    environment="prod",
    cluster="prod",
    region="eu-west-1",
    tasks=4,
    vcpu=1,
    is_private=True,
    has_balancer=True,
    log_group="/ecs/api-prod",
    has_stack=True,
)


def subnet(id_: str, zone: str = "a", free: int = 200, way_out: str = "nat") -> SubnetFact:
    return SubnetFact(id=id_, zone=zone, free_addresses=free, way_out=way_out)


def network(*subnets: SubnetFact, endpoints: tuple[str, ...] = ()) -> NetworkFact:
    return NetworkFact(
        vpc_id="vpc-1",
        task_subnets=subnets,
        balancer_zones=frozenset(one.zone for one in subnets),
        endpoints=frozenset(endpoints),
    )


GOOD = network(subnet("subnet-1", "a"), subnet("subnet-2", "b"))


def ids(facts: Facts, wants: ManifestNeeds = WANTS) -> list[Check]:
    return [one.check for one in found(facts, wants)]


def found(facts: Facts, wants: ManifestNeeds = WANTS) -> tuple[DoctorFinding, ...]:
    return by_severity(worded(one, wants) for one in check_account(wants, facts))


def test_check_account__nothing_was_seen__says_nothing_but_that() -> None:
    facts = Facts(unseen=(("quotas", "AccessDenied: no"),))

    assert ids(Facts()) == []
    assert ids(facts) == [Check.NOT_SEEN]


def test_not_seen__permissions__is_a_warning_and_all_else_a_remark() -> None:
    """A role that lacks everything must not look like one that lacks nothing."""
    facts = Facts(unseen=(("quotas", "no"), (PERMISSIONS, "InvalidInput: no")))

    permissions, quotas = found(facts)

    assert permissions.severity is Severity.WARNING
    assert permissions.what == "FSD could not check permissions: InvalidInput: no"
    assert quotas.severity is Severity.INFO


def test_check_account__all_as_it_should_be__is_silent() -> None:
    facts = Facts(
        cluster_status="ACTIVE",
        network=GOOD,
        secrets=(SecretFact(variable="DB", where="arn", exists=True),),
        dependencies=(),
        denied=(),
        quota=QuotaFact(limit=6, used=2),
        log_group_exists=False,
        alarms=frozenset(),
        has_repository=True,
        service_roles=frozenset({"ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com"}),
    )

    assert ids(facts) == []


@pytest.mark.parametrize(
    ("seen", "check"),
    [
        (NetworkFact(vpc_id=""), Check.VPC_MISSING),
        (network(subnet("s1"), subnet("s2")), Check.ZONES),
        (replace(GOOD, task_subnets=()), Check.ZONES),
        (network(subnet("s1", "a", free=2), subnet("s2", "b", free=1)), Check.ADDRESSES),
        (
            network(subnet("s1", "a", way_out="none"), subnet("s2", "b")),
            Check.NO_WAY_OUT,
        ),
        (
            network(subnet("s1", "a", way_out="internet"), subnet("s2", "b")),
            Check.NO_WAY_OUT,
        ),
        (
            network(
                subnet("s1", "a", way_out="none"),
                subnet("s2", "b", way_out="none"),
                endpoints=("ecr.api", "ecr.dkr", "logs"),
            ),
            Check.NO_WAY_OUT,
        ),
    ],
)
def test_check_account__network__one_finding_each(seen: NetworkFact, check: Check) -> None:
    assert ids(Facts(network=seen)) == [check]


def test_check_account__closed_subnet_with_every_endpoint__is_open_enough() -> None:
    closed = tuple(subnet(f"s{zone}", zone, way_out="none") for zone in "ab")
    endpoints = ("ecr.api", "ecr.dkr", "s3", "logs")
    with_secrets = replace(WANTS, secrets=True)

    assert ids(Facts(network=network(*closed, endpoints=endpoints))) == []
    seen = found(Facts(network=network(*closed, endpoints=endpoints)), with_secrets)
    assert ["secretsmanager" in one.what for one in seen] == [True]


def test_check_account__public_tasks__use_the_internet_gateway() -> None:
    wide = tuple(subnet(f"s{zone}", zone, way_out="internet") for zone in "ab")

    assert ids(Facts(network=network(*wide)), replace(WANTS, is_private=False)) == []


@pytest.mark.parametrize(
    ("limit", "used", "found"), [(6, 2, []), (6, 3, [Check.QUOTA]), (3, 0, [Check.QUOTA])]
)
def test_check_account__quota__counts_the_peak_of_a_rollout(
    limit: float, used: float, found: list[Check]
) -> None:
    assert ids(Facts(quota=QuotaFact(limit=limit, used=used))) == found


@pytest.mark.parametrize(
    ("secret", "found"),
    [
        (SecretFact(variable="DB", where="arn", exists=False), [Check.SECRET_MISSING]),
        (
            SecretFact(variable="DB", where="arn", exists=True, is_deleted=True),
            [Check.SECRET_MISSING],
        ),
        (
            SecretFact(
                variable="DB", where="arn", exists=True, json_key="a", keys=frozenset({"b"})
            ),
            [Check.SECRET_KEY],
        ),
        (SecretFact(variable="DB", where="arn", exists=True, json_key="a"), []),
    ],
)
def test_check_account__secret__each_way_to_be_wrong(
    secret: SecretFact, found: list[Check]
) -> None:
    assert ids(Facts(secrets=(secret,))) == found


@pytest.mark.parametrize(
    ("status", "fix"),
    [("PENDING_VALIDATION", "DNS record"), ("EXPIRED", "that is issued"), ("", "that is issued")],
)
def test_check_account__certificate__says_what_to_do(status: str, fix: str) -> None:
    arn = "arn:aws:acm:eu-west-1:1:certificate/x"
    facts = Facts(certificate=CertificateFact(arn=arn, status=status))

    (one,) = found(facts, replace(WANTS, certificate=arn))

    assert (one.check, fix in one.fix) == (Check.CERTIFICATE, True)


def test_check_account__errors_come_before_warnings() -> None:
    facts = Facts(cluster_status="", network=NetworkFact(vpc_id=""), unseen=(("a", "b"),))

    assert ids(facts) == [Check.VPC_MISSING, Check.CLUSTER_MISSING, Check.NOT_SEEN]


def test_check_account__denied_by_the_organization__no_fix_in_the_role() -> None:
    denied = DeniedFact(action="ecs:RunTask", resource="*", why="run", by_organization=True)
    own = replace(denied, by_organization=False)

    first, second = found(Facts(denied=(denied, own)))

    assert (first.severity, second.severity) == ("error", "warning")
    assert ("fsd iam" in first.fix, "fsd iam" in second.fix) == (True, False)


def trust(effect: str, principal: Json, **more: Json) -> Json:
    return {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole*", **more}


GITHUB: Json = {"Federated": f"arn:aws:iam::1:oidc-provider/{ISSUER}"}


def trusting(*statements: Json) -> list[DoctorFinding]:
    sub = "repo:org/api:environment:prod"
    fact = TrustFact(
        role="arn:aws:iam::1:role/deploy",
        exists=True,
        policy={"Statement": [*statements]},
        repository="org/api",
        subs=(sub,),
    )
    return [*found(Facts(trust=fact))]


def of_sub(operator: str, value: str) -> Json:
    return {operator: {f"{ISSUER}:sub": value}}


def test_role__only_for_principals_of_aws__is_nothing_to_report() -> None:
    """A runner of one's own, or another role, assumes it: GitHub's tokens are not used."""
    runner = trust("Allow", {"AWS": "arn:aws:iam::1:role/runner"})

    assert trusting(runner) == []
    assert trusting(trust("Deny", {"AWS": "*"}))[0].check is Check.ROLE_TRUST


@pytest.mark.parametrize(
    ("statements", "what", "fix"),
    [
        (
            [trust("Allow", GITHUB, Condition=of_sub("StringEquals", "repo:org/api:*"))],
            "and the role trusts `repo:org/api:*`: in StringEquals, `repo:org/api:*` has no "
            "wildcard",
            "use StringLike in the role's trust policy, with this sub",
        ),
        (
            [
                trust("Allow", GITHUB, Condition=of_sub("StringLike", "repo:org/*")),
                trust("Deny", GITHUB, Condition=of_sub("StringNotLike", "*:environment:dev")),
            ],
            "and a Deny statement of the role's trust policy applies to it",
            "exempt this sub in that Deny statement",
        ),
        (
            [trust("Allow", GITHUB, Condition=of_sub("StringLike", "repo:org/web:*"))],
            "and the role trusts `repo:org/web:*`",
            "add this sub to the role's trust policy",
        ),
    ],
)
def test_role__does_not_trust__says_which_statement_keeps_it_out(
    statements: list[Json], what: str, fix: str
) -> None:
    (finding,) = trusting(*statements)

    assert finding.check is Check.ROLE_TRUST
    assert finding.what.endswith(f"its token has the sub `repo:org/api:environment:prod`, {what}")
    assert finding.fix.startswith(fix)
