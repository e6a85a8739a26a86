"""What MiniStack leaves out of identities: GitHub's provider and a role's boundary in a stack, the
claims of GitHub's token that a trust policy may ask for, and conditions where a role's policies are
simulated.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

from ministack.services import iam, sts
from ministack.services.cloudformation import provisioners

from fsd_local.patches import iam as refusals
from fsd_local.permissions import ANY

_GITHUB = "token.actions.githubusercontent.com"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
_CLAIMS = (
    "actor",
    "actor_id",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository",
    "repository_id",
    "repository_owner_id",
    "workflow",
)


def mount() -> None:
    """Before whatever wraps the handlers of resources once more."""
    resources = provisioners._RESOURCE_HANDLERS
    resources["AWS::IAM::OIDCProvider"] = {
        "create": _create_provider,
        "update": _update_provider,
        "delete": _delete_provider,
    }
    role = resources["AWS::IAM::Role"]
    role["create"] = _bounded_create(role["create"])
    role["update"] = _bounded_update(role["update"])
    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = _simulate
    iam._IAM_HANDLERS["CreateServiceLinkedRole"] = _create_linked_role
    sts._web_identity_principal = _with_claims(sts._web_identity_principal)


# ---- AWS::IAM::OIDCProvider
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-oidcprovider.html


def _create_provider(_logical_id: str, props: Any, _stack_name: str) -> Any:
    parameters = {"Url": [props["Url"]]}
    for number, client in enumerate(props.get("ClientIdList") or [], start=1):
        parameters[f"ClientIDList.member.{number}"] = [client]
    for number, tag in enumerate(props.get("Tags") or [], start=1):
        parameters[f"Tags.member.{number}.Key"] = [tag["Key"]]
        parameters[f"Tags.member.{number}.Value"] = [tag["Value"]]
    status, _, _ = iam._create_oidc_provider(parameters)
    arn = _provider_arn(props["Url"])
    if status != 200:
        raise ValueError(
            f"Resource of type 'AWS::IAM::OIDCProvider' with identifier '{arn}' already exists."
        )
    return arn, {"Arn": arn}


def _update_provider(physical_id: str, old: Any, new: Any, stack_name: str) -> Any:
    """Another issuer is another provider; the rest changes in place."""
    if old.get("Url") != new.get("Url"):
        return _create_provider("", new, stack_name)
    record = iam._oidc_providers[physical_id]
    record["ClientIDList"] = list(new.get("ClientIdList") or [])
    record["Tags"] = list(new.get("Tags") or [])
    return physical_id, {"Arn": physical_id}


def _delete_provider(physical_id: str, _props: Any) -> None:
    iam._oidc_providers.pop(physical_id, None)


def _provider_arn(url: str) -> str:
    host = url.removeprefix("https://").rstrip("/")
    return f"arn:aws:iam::{iam.get_account_id()}:oidc-provider/{host}"


# ---- the boundary of AWS::IAM::Role


def _bounded_create(create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def create_role(logical_id: str, props: Any, stack_name: str) -> Any:
        _require_policy(props)
        name, attributes = create(logical_id, props, stack_name)
        iam._roles[name]["PermissionsBoundary"] = props.get("PermissionsBoundary")
        return name, attributes

    return create_role


def _bounded_update(update: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(update)
    def update_role(physical_id: str, old: Any, new: Any, *more: Any) -> Any:
        _require_policy(new)
        name, attributes = update(physical_id, old, new, *more)
        iam._roles[name]["PermissionsBoundary"] = new.get("PermissionsBoundary")
        return name, attributes

    return update_role


def _require_policy(props: Any) -> None:
    boundary = props.get("PermissionsBoundary")
    if boundary and iam._boundary_policy_error(boundary):
        raise ValueError(f"Scope ARN: {boundary} does not exist or is not attachable.")


# ---- GitHub's claims


def _with_claims(principal_of: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(principal_of)
    def web_identity_principal(token: str, provider_id: str, role_arn: str) -> Any:
        from ministack.services.cognito import _decode_id_token_unverified

        principal, keys = principal_of(token, provider_id, role_arn)
        if not principal.endswith(f"oidc-provider/{_GITHUB}"):
            return principal, keys
        claims = _decode_id_token_unverified(token)
        more = {f"{_GITHUB}:{name}": str(claims[name]) for name in _CLAIMS if name in claims}
        return principal, {**keys, **more}

    return web_identity_principal


# ---- service-linked roles: MiniStack has one for ECS and for the scaling of ECS together
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html

_LINKED = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "ecs.application-autoscaling.amazonaws.com": (
        "AWSServiceRoleForApplicationAutoScaling_ECSService"
    ),
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
}


def _create_linked_role(parameters: Any) -> Any:
    service = iam._p(parameters, "AWSServiceName")
    name = _LINKED.get(service)
    if name is None:
        return iam._create_service_linked_role(parameters)
    if name in iam._roles:
        message = f"Service role name {name} has been taken in this account"
        return iam._error(400, "InvalidInput", message, ns="iam")
    known = set(iam._roles.keys())
    iam._create_service_linked_role(parameters)
    for made in set(iam._roles.keys()) - known:
        role = iam._roles.pop(made)
        arn = f"{role['Arn'].rpartition('/')[0]}/{name}"
        iam._roles[name] = {**role, "RoleName": name, "Arn": arn}
    return iam._xml(
        200,
        "CreateServiceLinkedRoleResponse",
        "<CreateServiceLinkedRoleResult><Role>"
        f"{iam._role_xml(name)}</Role></CreateServiceLinkedRoleResult>",
        ns="iam",
    )


# ---- SimulatePrincipalPolicy
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html


def _simulate(parameters: Any) -> Any:
    """Each action on each resource, with the role's path and boundary, and the keys of the request
    that the caller gives.

    Which actions "require different authorization information" AWS does not say. Here, where ARNs
    are given, those without a resource type do, beside those with one: the groups of
    https://github.com/radkawar/stackd/blob/main/scripts/aws/iam_simulation_catalog_probe.py
    """
    source = iam._p(parameters, "PolicySourceArn")
    actions, _ = iam._extract_simulate_params(parameters)
    resources = _members(parameters, "ResourceArns") or [ANY]
    aware = [action for action in actions if refusals.has_resource_level(action)]
    others = [action for action in actions if action not in aware]
    if aware and others and resources != [ANY]:
        message = (
            f"Invalid Input Actions: [{','.join(aware)}] and [{','.join(others)}] "
            "require different authorization information."
        )
        return iam._error(400, "InvalidInput", message, ns="iam")
    principal = refusals.session_of(source, "simulated") if ":role/" in source else source
    context = _context_entries(parameters)
    results = "".join(
        _evaluated(
            action,
            {resource: _decision(principal, action, resource, context) for resource in resources},
        )
        for action in actions
    )
    body = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
    return iam._xml(
        200,
        "SimulatePrincipalPolicyResponse",
        f"<SimulatePrincipalPolicyResult>{body}</SimulatePrincipalPolicyResult>",
        ns="iam",
    )


def _evaluated(action: str, decisions: dict[str, str]) -> str:
    """One result for each action, with one in it for each resource; of several, the outer one
    names a pattern.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
    """
    more = "".join(
        f"<member><EvalResourceName>{resource}</EvalResourceName>"
        f"<EvalResourceDecision>{decision}</EvalResourceDecision></member>"
        for resource, decision in decisions.items()
    )
    order = ("explicitDeny", "allowed", "implicitDeny")
    own = next(one for one in order if one in decisions.values())
    pattern = f"arn:aws:{action.partition(':')[0]}:${{Region}}:${{Account}}:${{ResourcePath}}"
    return (
        f"<member><EvalActionName>{action}</EvalActionName>"
        f"<EvalResourceName>{pattern if len(decisions) > 1 else next(iter(decisions))}"
        f"</EvalResourceName><EvalDecision>{own}</EvalDecision>"
        "<MatchedStatements/><MissingContextValues/>"
        f"<ResourceSpecificResults>{more}</ResourceSpecificResults></member>"
    )


def _members(parameters: Any, name: str) -> list[str]:
    values = (iam._p(parameters, f"{name}.member.{number}") for number in itertools.count(1))
    return [*itertools.takewhile(bool, values)]


def _decision(principal: str, action: str, resource: str, context: dict[str, str]) -> str:
    refusal = refusals.refusal_of(principal, action, resource, context)
    if not refusal:
        return "allowed"
    return "explicitDeny" if "explicit deny" in refusal else "implicitDeny"


def _context_entries(parameters: Any) -> dict[str, str]:
    """The first value of each key."""
    found: dict[str, str] = {}
    for number in itertools.count(1):
        entry = f"ContextEntries.member.{number}"
        key = iam._p(parameters, f"{entry}.ContextKeyName")
        if not key:
            return found
        found[key.lower()] = iam._p(parameters, f"{entry}.ContextKeyValues.member.1")
    return found
