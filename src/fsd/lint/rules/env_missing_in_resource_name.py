"""A name without the environment is one resource for all of them: dev writes to production."""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.interpolate import variables_in

# Made by AWS, or known by an id that AWS gave.
_NOT_PER_ENVIRONMENT = frozenset({"aws_bedrock_model", "aws_kms_key"})


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        written = subject.resource(index)
        if dependency.type in _NOT_PER_ENVIRONMENT or written.startswith("arn:"):
            continue
        if "ENV" in variables_in(written):
            continue
        yield Problem(
            at=("dependencies", index, "name"),
            message=f"`{written}` is the same in every environment",
            fix=f"add the environment to the name, as in `${{ENV}}-{dependency.name}`; if it is "
            "shared on purpose, add `# fsd: ignore[env-missing-in-resource-name]` and the reason",
        )
