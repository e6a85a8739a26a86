"""A CloudFormation template → the files that its task definitions, services and schedules would be.

Functions become text, since nobody evaluates them here: a parameter is its default, and what only
the stack knows stays as `${…}`, which is listed where a Service YAML cannot have it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from fsd.importing.reader import Imported, Loss
from fsd.importing.task_definition import in_api_spelling
from fsd.importing.values import Value, listed, mapping, plain, text_of
from fsd.manifest.yaml_tree import Branch, Document, Items, Node, parse

APP_RUNNER = "AWS::AppRunner::Service"
_TASK = "AWS::ECS::TaskDefinition"
_SERVICE = "AWS::ECS::Service"
_STARTERS = ("AWS::Events::Rule", "AWS::Scheduler::Schedule")
_SCALED = "AWS::AppRunner::AutoScalingConfiguration"
# What a service has and what stands in resources of its own.
_BESIDE = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "write it as `autoScaling` and `resources`",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "write it as `autoScaling`",
    "AWS::ElasticLoadBalancingV2::Listener": "FSD makes its own: see `networking.loadBalancer`",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "write it as `hosts` and `paths`",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "FSD makes its own: write its check as "
    "`healthCheck`",
    "AWS::ServiceDiscovery::Service": "Cloud Map: FSD's services find each other by Service "
    "Connect",
}
_OTHERS = "they stay in their stack: none of them is a service or what one is made of"
_TAG = re.compile(r"!([A-Za-z]+)")
# What FSD fills in, between marks that no file has: a dollar would be doubled as somebody's own.
_BEGIN, _END = "\ue000", "\ue001"
_PSEUDO = {
    "AWS::Region": f"{_BEGIN}AWS_REGION{_END}",
    "AWS::AccountId": f"{_BEGIN}AWS_ACCOUNT_ID{_END}",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_DEFAULTS = "the template's parameters have their defaults here"
_UNKNOWN = re.compile(r"\$\$\{([A-Za-z0-9:.]+)\}")
_SHOWN = 6
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


def read_template(text: str, value: Value, *, path: str) -> dict[str, Value]:
    """{} for what is no template; `value` is the text as `read_values` has it."""
    if not _is_template(value):
        return {}
    is_json = text.lstrip()[:1] == "{"
    documents = () if is_json else parse(text, path=path, any_key=True).documents
    found = _with_functions(documents[0].root, documents[0]) if documents else value
    return mapping(found)


def _is_template(value: Value) -> bool:
    resources = mapping(mapping(value).get("Resources")).values()
    return any(text_of(mapping(each).get("Type")).startswith("AWS::") for each in resources)


def split_template(template: dict[str, Value], *, path: str) -> tuple[dict[str, Value], list[Loss]]:
    """(what `register-task-definition` and the like is told, by `PATH: LOGICAL ID`; losses)."""
    resources = {key: mapping(each) for key, each in mapping(template.get("Resources")).items()}
    known = _known_texts(template, resources)
    found: dict[str, Value] = {}
    losses: list[Loss] = []
    others: set[str] = set()
    for name, resource in resources.items():
        kind, at = text_of(resource.get("Type")), f"{path}: {name}"
        properties = mapping(_resolved(resource.get("Properties"), known))
        if kind == APP_RUNNER:
            found[at] = {"ServiceName": name, **_with_scaling(resource, resources, properties)}
        elif kind == _TASK:
            named = {**properties, "Family": known[name]}
            found[at] = mapping(in_api_spelling(named))
        elif kind == _SERVICE:
            own = _named(properties, "ServiceName", known)
            found[at] = {**mapping(in_api_spelling(properties)), "serviceName": own}
        elif kind in _STARTERS and properties.get("ScheduleExpression"):
            found[at] = {"Name": name, **properties}
        elif kind in _BESIDE:
            losses.append(Loss(where=f"Resources.{name}", value=kind, reason=_BESIDE[kind]))
        elif kind != _SCALED:
            others.add(kind)
    if others and found:
        losses.append(Loss(where="Resources", value=_some(others), reason=_OTHERS))
    return found, losses


def _some(kinds: set[str]) -> str:
    shown = sorted(kinds)[:3]
    more = len(kinds) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _with_functions(node: Node, document: Document) -> Value:
    """`!Ref A` as `{"Ref": "A"}`, which is the same in JSON."""
    match node:
        case Branch(entries=entries):
            found: Value = {
                key: _with_functions(each.value, document) for key, each in entries.items()
            }
        case Items(items=items):
            found = [_with_functions(item, document) for item in items]
        case _:
            found = plain(node)
    tag = _tag_of(node, document)
    if not tag:
        return found
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": found}


def _tag_of(node: Node, document: Document) -> str:
    if not node.written.marked or isinstance(node.where, str):
        return ""
    line = document.lines[node.where.line - 1] if node.where.line else ""
    match = _TAG.match(line, node.where.column - 1)
    return match[1] if match else ""


def _known_texts(
    template: dict[str, Value], resources: Mapping[str, dict[str, Value]]
) -> dict[str, str]:
    """Parameters with a default, and task definitions, which are called like their family."""
    found = {**_PSEUDO, **_defaults(template)}
    for name, resource in resources.items():
        kind, properties = resource.get("Type"), mapping(resource.get("Properties"))
        if kind == _TASK:
            found[name] = _named(properties, "Family", found) or name
        elif kind == "AWS::Logs::LogGroup" and _named(properties, "LogGroupName", found):
            found[name] = _named(properties, "LogGroupName", found)
        elif kind == "AWS::IAM::Role" and _named(properties, "RoleName", found):
            found[name] = _named(properties, "RoleName", found)
            path = _named(properties, "Path", found).strip("/")
            own = f"{path}/{found[name]}" if path else found[name]
            found[f"{name}.Arn"] = f"arn:aws:iam::{_PSEUDO['AWS::AccountId']}:role/{own}"
    return found


def _named(properties: dict[str, Value], key: str, known: Mapping[str, str]) -> str:
    """ "" where only the stack knows it."""
    name = text_of(_resolved(properties.get(key), known))
    return "" if "${" in name else name


def _defaults(template: dict[str, Value]) -> dict[str, str]:
    """But for those that name a parameter of SSM, whose value is elsewhere."""
    return {
        name: text_of(mapping(each).get("Default"))
        for name, each in mapping(template.get("Parameters")).items()
        if text_of(mapping(each).get("Default"))
        and not text_of(mapping(each).get("Type")).startswith("AWS::SSM::")
    }


def placed(imported: Imported) -> Imported:
    """With FSD's own variables for the account and the Region."""
    originals = {
        name: replace(each, definition=mapping(_marked(each.definition)))
        for name, each in imported.originals.items()
    }
    losses = tuple(replace(loss, value=str(_marked(loss.value))) for loss in imported.losses)
    return replace(
        imported,
        tree=mapping(_marked(imported.tree)),
        losses=losses,
        notes=(*imported.notes, _DEFAULTS, *_unknown(imported.tree)),
        originals=originals,
    )


def _unknown(tree: Value) -> tuple[str, ...]:
    """What would be deployed as it stands here: a password's parameter, an image's tag."""
    found = sorted({name for text in _texts(tree) for name in _UNKNOWN.findall(text)})
    if not found:
        return ()
    shown = ", ".join(f"${{{name}}}" for name in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (f"only the stack knows {shown}{more}: write the values before you deploy",)


def _texts(value: Value) -> Iterator[str]:
    match value:
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)
        case str():
            yield value


def _marked(value: Value) -> Value:
    match value:
        case dict():
            return {key: _marked(each) for key, each in value.items()}
        case list():
            return [_marked(each) for each in value]
        case str():
            return value.replace(_BEGIN, "${").replace(_END, "}")
    return value


def _resolved(value: Value, known: Mapping[str, str]) -> Value:
    match value:
        case list():
            every = [_resolved(each, known) for each in value]
            return [each for each in every if each != "${AWS::NoValue}"]
        case dict() if len(value) == 1 and _is_function(next(iter(value))):
            return _called(*next(iter(value.items())), known)
        case dict():
            inner = {key: _resolved(each, known) for key, each in value.items()}
            return {key: each for key, each in inner.items() if each != "${AWS::NoValue}"}
    return value


def _is_function(key: str) -> bool:
    return key == "Ref" or key.startswith("Fn::")


def _called(function: str, argument: Value, known: Mapping[str, str]) -> Value:
    match function, argument:
        case "Ref", _:
            name = text_of(argument)
            return known.get(name, f"${{{name}}}")
        case "Fn::GetAtt", _:
            parts = [text_of(each) for each in listed(argument)] or [text_of(argument)]
            return _text_of_name(".".join(parts), known)
        case "Fn::Sub", list():
            own = {key: text_of(_resolved(each, known)) for key, each in _own(argument).items()}
            return _substituted(text_of(argument[0]) if argument else "", {**known, **own})
        case "Fn::Sub", _:
            return _substituted(text_of(argument), known)
        case "Fn::Join", [mark, list(parts)]:
            return text_of(mark).join(text_of(_resolved(each, known)) for each in parts)
    return f"${{{function}}}"


def _own(argument: list[Value]) -> dict[str, Value]:
    return mapping(argument[1]) if len(argument) > 1 else {}


def _substituted(text: str, known: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda match: _text_of_name(match[1], known), text)


def _text_of_name(name: str, known: Mapping[str, str]) -> str:
    """An attribute that is known by itself, such as a role's ARN, or its resource."""
    return known.get(name, known.get(name.partition(".")[0], f"${{{name}}}"))


def _with_scaling(
    resource: dict[str, Value],
    resources: Mapping[str, dict[str, Value]],
    properties: dict[str, Value],
) -> dict[str, Value]:
    """With App Runner's AutoScalingConfiguration of the same template in it."""
    written = mapping(mapping(resource.get("Properties")).get("AutoScalingConfigurationArn"))
    attribute = written.get("Fn::GetAtt", written.get("Ref"))
    name = text_of(next(iter(listed(attribute)), attribute)).partition(".")[0]
    found = resources.get(name, {})
    if found.get("Type") != _SCALED:
        return properties
    return {**properties, "AutoScalingConfigurationArn": found.get("Properties")}
