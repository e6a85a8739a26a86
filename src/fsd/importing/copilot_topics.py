"""Copilot's topics stay: the service may publish to them, and is told where they are.

https://aws.github.io/copilot-cli/docs/developing/publish-subscribe/
"""

from __future__ import annotations

from fsd.importing.copilot_names import MARK
from fsd.importing.reader import Reader
from fsd.importing.values import Value, listed, mapping, text_of


def read_topics(
    reader: Reader, name: str, *, application: str
) -> tuple[dict[str, Value], list[Value]]:
    """The service's variable with their ARNs, and the dependencies that let it publish."""
    publish = reader.inside("publish")
    topics = [mapping(each) for each in listed(publish.values.get("topics"))]
    names = [text_of(each.get("name")) for each in topics]
    if not names or not application:
        publish.lose("topics", "their names begin with the application's, which is not here")
        publish.finish()
        return {}, []
    for topic in publish.readers("topics"):
        topic.text("name")
        topic.ignore("fifo")
        topic.finish()
    publish.finish()
    ends = ".fifo"
    is_fifo = [bool(each.get("fifo")) for each in topics]
    whole = {
        each: f"{application}-{MARK}-{name}-{each}{ends if fifo else ''}"
        for each, fifo in zip(names, is_fifo, strict=True)
    }
    dependencies: list[Value] = [
        {"type": "aws_sns_topic", "name": each, "permissions": ["sns:Publish"]}
        for each in whole.values()
    ]
    arn = "arn:aws:sns:${AWS_REGION}:${AWS_ACCOUNT_ID}:"
    arns = ", ".join(f'"{key}": "{arn}{each}"' for key, each in whole.items())
    return {"environment": {"COPILOT_SNS_TOPIC_ARNS": f"{{{arns}}}"}}, dependencies
