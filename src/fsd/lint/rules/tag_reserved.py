"""Tags that AWS or FSD keeps for itself, and more than a resource can have.

https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject

# Fifty a resource, less FSD's own: the ledger of a revision has the most.
MOST = 35
RESERVED = ("aws:", "fsd:")


def check(subject: Subject) -> Iterator[Problem]:
    tags = subject.service.tags
    for name in tags:
        prefix = next((each for each in RESERVED if name.lower().startswith(each)), "")
        if prefix:
            yield Problem(
                at=("service", "tags", name),
                message=f"the tag `{name}` starts with `{prefix}`, which is reserved",
                fix="give it another name",
                on_key=True,
            )
        elif not 1 <= len(name) <= 128:
            yield Problem(
                at=("service", "tags", name),
                message=f"the tag's name has {len(name)} characters",
                fix="use 1 to 128",
                on_key=True,
            )
    if len(tags) > MOST:
        yield Problem(
            at=("service", "tags"),
            message=f"there are {len(tags)} tags; a resource has room for {MOST} in addition to "
            "FSD's own",
            fix=f"remove {len(tags) - MOST} of them",
        )
