"""A domain of two services: what no manifest shows by itself. Pure.

Each service's stack makes the record of its domain, and the second one fails: there is one already.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-recordset.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fsd.errors import Location
from fsd.lint.run import is_suppressed
from fsd.manifest.finding import Finding, Severity
from fsd.manifest.load import Loaded
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
    """That of the service, and those of the environments that say another one."""
    own = _find_domain(loaded)
    others = _of_environments(loaded, own)
    return (*([own] if own else ()), *others)


def _of_environments(loaded: Loaded, own: DomainUse | None) -> Iterator[DomainUse]:
    """One that is taken away has no name: no other service's record is in its way."""
    if loaded.valid_part is None or loaded.document is None:
        return
    tree = loaded.valid_part.tree
    for environment, values in loaded.valid_part.manifest.environments.items():
        at = ("environments", environment, *DOMAIN[1:])
        said = _inside(values, DOMAIN[1:])
        if said is _UNSAID:
            continue
        written = said if isinstance(said, dict) else {}
        name, zone = (str(written.get(key, "")) for key in ("name", "hostedZone"))
        where, width = locate(tree, (*at, "name"), key=False)
        use = DomainUse(
            path=loaded.path,
            environment=environment,
            service=loaded.valid_part.manifest.metadata.name,
            name=name.lower().rstrip(".") or (own.name if own and written else ""),
            zone=zone or (own.zone if own else ""),
            balancer=own.balancer if own else None,
            where=where,
            width=width,
            is_ignored=False,
        )
        yield _with_comments(use, loaded)


_UNSAID = object()


def _inside(values: object, keys: tuple[str, ...]) -> object:
    """What stands there; `_UNSAID` where nothing does, None where it is taken away."""
    for key in keys:
        if values is None:
            return None
        if not isinstance(values, dict) or key not in values:
            return _UNSAID
        values = values[key]
    return values


def _find_domain(loaded: Loaded) -> DomainUse | None:
    """None where no record is made."""
    if loaded.valid_part is None or loaded.document is None:
        return None
    manifest, tree = loaded.valid_part.manifest, loaded.valid_part.tree
    balancer = manifest.service.networking.load_balancer
    if balancer is None or balancer.domain is None:
        return None
    if balancer.listener_arn is not None or balancer.target_group_arn is not None:
        return None
    where, width = locate(tree, (*DOMAIN, "name"), key=False)
    use = DomainUse(
        path=loaded.path,
        environment="",
        service=manifest.metadata.name,
        name=balancer.domain.name.lower().rstrip("."),
        zone=balancer.domain.hosted_zone,
        balancer=(balancer.shared, balancer.internal) if balancer.shared is not None else None,
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
