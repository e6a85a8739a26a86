"""A listener's certificates beside its default one, and the security policies that there are.

TLS itself is not done here (HTTPS listeners answer plain HTTP), so a certificate is kept and shown.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddListenerCertificates.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import alb

from fsd_local.balancing.faults import BalancingFault, not_valid
from fsd_local.balancing.policies import SslPolicy, find_policies

_MORE = "_fsd_certificates"  # of a listener's record: beside the default one, which MiniStack has
_SECURE = ("HTTPS", "TLS")


def mount(has_certificate: Callable[[str], bool]) -> None:
    """`has_certificate` is asked by ARN, in the account and the Region of the request."""

    def add(parameters: Any) -> str:
        listener, arns = _given(parameters)
        for arn in arns:
            if not has_certificate(arn):
                raise BalancingFault("CertificateNotFound", f"Certificate '{arn}' not found")
        keep_certificates(listener, arns)
        return _certificates_xml((arn, False) for arn in arns)

    calls: Mapping[str, Callable[[Any], str]] = {
        "AddListenerCertificates": add,
        "RemoveListenerCertificates": _remove,
        "DescribeListenerCertificates": _describe,
        "DescribeSSLPolicies": _describe_policies,
    }
    alb._ACTION_MAP.update({action: _answering(action, call) for action, call in calls.items()})


def _answering(action: str, call: Callable[[Any], str]) -> Callable[[Any], Any]:
    def handle(parameters: Any) -> Any:
        try:
            return alb._xml(200, action, call(parameters))
        except BalancingFault as fault:
            return alb._error(fault.code, fault.message)

    return handle


def _given(parameters: Any) -> tuple[dict[str, Any], list[str]]:
    """The listener's record, and the ARNs. Raises BalancingFault."""
    listener = _listener(parameters)
    return listener, alb._parse_certificate_arns(parameters)


def _listener(parameters: Any) -> dict[str, Any]:
    arn = alb._p(parameters, "ListenerArn")
    found: dict[str, Any] | None = alb._listeners.get(arn)
    if found is None:
        raise BalancingFault("ListenerNotFound", f"Listener '{arn}' not found")
    return found


def keep_certificates(listener: dict[str, Any], arns: Sequence[str]) -> None:
    """Beside the default one, each once. Raises BalancingFault."""
    if listener["Protocol"] not in _SECURE:
        protocol = listener["Protocol"]
        raise not_valid(f"A certificate cannot be specified for {protocol} listeners")
    kept = listener.setdefault(_MORE, [])
    kept.extend(arn for arn in dict.fromkeys(arns) if arn not in kept)


def drop_certificates(listener: dict[str, Any], arns: Sequence[str]) -> None:
    listener[_MORE] = [arn for arn in listener.get(_MORE, ()) if arn not in arns]


def _remove(parameters: Any) -> str:
    drop_certificates(*_given(parameters))
    return ""


def _describe(parameters: Any) -> str:
    """The default one first. It is there twice if it was added too, as on AWS."""
    listener = _listener(parameters)
    default = [(arn, True) for arn in listener.get("Certificates", ())]
    return _certificates_xml([*default, *((arn, False) for arn in listener.get(_MORE, ()))])


def _certificates_xml(found: Iterable[tuple[str, bool]]) -> str:
    members = "".join(
        f"<member><CertificateArn>{escape(arn)}</CertificateArn>"
        f"<IsDefault>{str(is_default).lower()}</IsDefault></member>"
        for arn, is_default in found
    )
    return f"<Certificates>{members}</Certificates>"


def _describe_policies(parameters: Any) -> str:
    names = alb._parse_member_list(parameters, "Names")
    policies = find_policies(names)
    return f"<SslPolicies>{''.join(map(_policy_xml, policies))}</SslPolicies>"


def _policy_xml(policy: SslPolicy) -> str:
    return (
        f"<member><SslProtocols>{_members(policy.protocols)}</SslProtocols>"
        f"<Name>{policy.name}</Name><SupportedLoadBalancerTypes>"
        f"{_members(('application', 'network'))}</SupportedLoadBalancerTypes></member>"
    )


def _members(values: Sequence[str]) -> str:
    return "".join(f"<member>{value}</member>" for value in values)
