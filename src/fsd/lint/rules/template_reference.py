"""CloudFormation replaces `{{resolve:…}}` by the secret that it names, wherever it stands.

A health check's path would then be a password, in the console and in every access log.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.key_path import KeyPath, dotted
from fsd.manifest.yaml_tree import Branch, Items, Node, Scalar

# They go to ECS, not into the template, and may hold a template of the service's own.
_NOT_IN_TEMPLATE = (("service", "environment"), ("service", "command"), ("service", "entryPoint"))


def check(subject: Subject) -> Iterator[Problem]:
    if not _is_anywhere(subject.tree):
        return
    for path, scalar in _scalars(subject.tree, ()):
        if isinstance(scalar.value, str) and "{{" in scalar.value:
            yield Problem(
                at=path,
                message=f"`{dotted(path)}` contains `{{{{`, which "
                "CloudFormation would replace with the value of a secret or a parameter",
                fix="write the value itself; a secret belongs in `service.secrets`",
            )


def _is_anywhere(tree: Node) -> bool:
    """Whether any value has it: nearly none does, and to know that needs no paths."""
    waiting = [tree]
    for node in waiting:  # grows
        match node:
            case Scalar(value=str() as value):
                if "{{" in value:
                    return True
            case Branch(entries=entries):
                waiting.extend([entry.value for entry in entries.values()])
            case Items(items=items):
                waiting.extend(items)
    return False


def _scalars(node: Node, path: KeyPath) -> Iterator[tuple[KeyPath, Scalar]]:
    if path in _NOT_IN_TEMPLATE:
        return
    match node:
        case Scalar():
            yield path, node
        case Branch():
            for key, entry in node.entries.items():
                yield from _scalars(entry.value, (*path, key))
        case Items():
            for index, item in enumerate(node.items):
                yield from _scalars(item, (*path, index))
