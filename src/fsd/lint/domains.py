"""A domain of two services: what no manifest shows by itself. Pure.

Each service's stack makes the record of its domain, and the second one fails: there is one already.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-recordset.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fsd.errors import Location
from fsd.lint.run import is_suppressed
from fsd.manifest.finding import Finding, Severity
from fsd.manifest.load import Loaded
from fsd.manifest.valid_part import ValidPart
from fsd.manifest.yaml_tree import locate

DOMAIN = ("service", "networking", "loadBalancer", "domain")
_ID = "domain-setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainUse:
    """`balancer` is the name of a shared load balancer and whether it is internal; None for one
    of the service's own. `is_ignored`: a comment says so."""

    path: str
    environment: str  # that alone has it; "" for all that say nothing of their own
    service: str
    name: str
    zone: str
    balancer: tuple[str, bool] | None
    where: Location | str
    width: int
    is_ignored: bool


def find_domains(loaded: Loaded) -> tuple[DomainUse, ...]:
    """That of the service, and those of the environments, each with all that it merges."""
    own = [("", loaded.valid_part)] if loaded.valid_part is not None else []
    parts = (*own, *((one.environment, one.valid_part) for one in loaded.variants))
    found = (_find_domain(loaded, part, environment) for environment, part in parts)
    uses = tuple(use for use in found if use is not None)
    return uses if any(use.name for use in uses) else ()


def _find_domain(loaded: Loaded, part: ValidPart, environment: str) -> DomainUse | None:
    """Without a name where no record is made: no other service's record is in its way."""
    if loaded.document is None:
        return None
    balancer = part.manifest.service.networking.load_balancer
    domain = balancer.domain if balancer else None
    if balancer and (balancer.listener_arn is not None or balancer.target_group_arn is not None):
        domain = None
    where, width = locate(part.tree, (*DOMAIN, "name"), key=False)
    use = DomainUse(
        path=loaded.path,
        environment=environment,
        service=part.manifest.metadata.name,
        name=domain.name.lower().rstrip(".") if domain else "",
        zone=domain.hosted_zone if domain else "",
        balancer=(balancer.shared, balancer.internal) if balancer and balancer.shared else None,
        where=where,
        width=width,
        is_ignored=False,
    )
    return _with_comments(use, loaded)


def _with_comments(use: DomainUse, loaded: Loaded) -> DomainUse:
    documents = [each for each in (loaded.document, loaded.environment_document) if each]
    ignored = any(is_suppressed(_finding(use, use), document) for document in documents)
    return replace(use, is_ignored=ignored)


def find_same_domains(uses: Iterable[DomainUse]) -> dict[str, Finding]:
    """By the path of the manifest, for each after the first that has the domain.

    Two manifests of one service, such as one for each environment, are not told: which of them is
    deployed where is not known.
    """
    by_path: dict[str, dict[str, DomainUse]] = {}
    for use in uses:
        by_path.setdefault(use.path, {})[use.environment] = use
    found: dict[str, Finding] = {}
    for environment in sorted({name for each in by_path.values() for name in each} | {""}):
        first: dict[tuple[str, str], DomainUse] = {}
        for path, each in by_path.items():
            own = each.get(environment) or each.get("")
            if own is None or not own.name:
                continue
            known = first.setdefault((own.name, own.zone), own)
            if known.service != own.service and not own.is_ignored:
                found.setdefault(path, _finding(own, known))
    return found


def _finding(use: DomainUse, known: DomainUse) -> Finding:
    fix = "use another name, or remove it from one of them"
    if use.balancer is not None and use.balancer == known.balancer:
        fix = (
            f"remove `domain` here: that of `{known.service}` leads to the same load balancer, "
            "whose rules choose by `hosts` and `paths`"
        )
    return Finding(
        id=_ID,
        severity=Severity.ERROR,
        where=use.where,
        message=f"`{use.name}` is also the domain of `{known.service}`, in {known.path}: a second "
        "record cannot be created",
        fix=fix,
        key_path=(*DOMAIN, "name"),
        width=use.width,
    )
