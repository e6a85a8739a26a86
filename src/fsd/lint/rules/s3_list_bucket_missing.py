"""Without s3:ListBucket, S3 answers 403 instead of 404 for an object that is not there.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.manifest.dependencies import expand
from fsd.manifest.edit import AddItems


def check(subject: Subject) -> Iterator[Problem]:
    for index, dependency in enumerate(subject.manifest.dependencies):
        if dependency.type != "aws_s3_bucket":
            continue
        actions = {action for text in dependency.permissions for action in expand(text)}
        reads = [
            number
            for number, text in enumerate(dependency.permissions)
            if "s3:GetObject" in expand(text)
        ]
        if reads and "s3:ListBucket" not in actions:
            yield Problem(
                at=("dependencies", index, "permissions", reads[0]),
                message=f"reads from `{subject.resource(index)}` cannot tell a missing object "
                "from a forbidden one",
                fix="add `s3:ListBucket`",
                uses=(("dependencies", index, "permissions"),),
                edit=AddItems(at=("dependencies", index, "permissions"), items=("s3:ListBucket",)),
            )
