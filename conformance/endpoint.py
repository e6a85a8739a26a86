"""Who is asked. What says `aws` in a recording was AWS: no setting may lead elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import boto3
import botocore.session
from botocore.config import Config


def redirections(environment: Mapping[str, str]) -> Iterator[str]:
    """The settings that lead the SDK away from AWS, each with its URL.

    An endpoint can be set in the environment, in the profile and in the services section that
    the profile names:
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    for name, value in environment.items():
        if name.startswith("AWS_ENDPOINT_URL") and value:
            yield f"the variable {name} ({value})"
    session = botocore.session.get_session()
    profile = session.get_scoped_config()
    if profile.get("endpoint_url"):
        yield f"endpoint_url of the AWS profile ({profile['endpoint_url']})"
    section = profile.get("services", "")
    for service, settings in session.full_config.get("services", {}).get(section, {}).items():
        if isinstance(settings, dict) and settings.get("endpoint_url"):
            yield f"{service} in the services section {section} ({settings['endpoint_url']})"


def clients(*, region: str, url: str | None) -> Callable[..., Any]:
    """Makes a client of a service. `url` None is AWS itself, whatever is configured."""
    config = Config(
        ignore_configured_endpoint_urls=url is None, connect_timeout=10, read_timeout=30
    )
    return partial(boto3.client, region_name=region, endpoint_url=url, config=config)
