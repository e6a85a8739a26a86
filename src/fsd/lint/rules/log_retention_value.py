"""CloudWatch keeps logs for one of 22 numbers of days, and refuses any other.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fsd.lint.rule import Problem, Subject
from fsd.lint.rules.log_setting import logs_at
from fsd.manifest.edit import SetValue

DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def check(subject: Subject) -> Iterator[Problem]:
    days = subject.service.log_settings.retention
    if days in DAYS:
        return
    at = (*logs_at(subject.service), "retention")
    below = [known for known in DAYS if known < days][-1:]
    above = [known for known in DAYS if known > days][:1]
    near = " or ".join(f"`retention: {known}`" for known in (*below, *above))
    yield Problem(
        at=at,
        message=f"CloudWatch cannot keep logs for {days} days",
        fix=f"use {near}",
        # Rather longer than shorter: nothing is lost.
        edit=SetValue(at=at, value=(*above, *below)[0]),
    )
