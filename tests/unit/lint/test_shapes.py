"""The shapes that services have, and all that is found in each: advice is only heard if it is rare.

Four of them are written as such manifests are in the wild, with the mistakes that people make.
"""

from __future__ import annotations

import pytest

from fsd.errors import Location
from fsd.lint.run import lint
from fsd.manifest.load import load_manifest
from tests.unit.manifest.manifests import KAFKA_CONSUMER

HEAD = """\
apiVersion: fsd/v1
kind: Service
metadata:
  name: offers
  pack: offers
service:
  type: ecs
  port: 8000
  healthCheck:
    path: /health
"""

API = (
    HEAD
    + """\
  resources:
    cpu: 512           # 0.5 vCPU
    memory: 1024
    desiredCount: 2
    minCapacity: 2
    maxCapacity: 5
  autoScaling:
    targetCPUUtilization: 70
  environment:
    ENVIRONMENT: ${ENV}
  networking:
    vpc: true
    loadBalancer:
      type: application
      internal: true
dependencies:
  - type: aws_dynamodb_table
    name: ${ENV}-offers
    permissions:
      - dynamodb:GetItem
      - dynamodb:Query
"""
)

MODEL = (
    HEAD
    + """\
  resources:
    cpu: 2048
    memory: 4096
  environment:
    MODEL_ENDPOINT: https://models.us-east-1.amazonaws.com
  secrets:
    - name: MODEL_KEY
      valueFrom: arn:aws:secretsmanager:us-east-1:123456789012:secret:model-key-abc123
dependencies:
  - type: aws_s3_bucket
    name: ${ENV}-models
    permissions:
      - s3:GetObject
      - s3:PutObject
"""
)

ONE_SIZE = (
    HEAD
    + """\
  resources:
    cpu: 1024
    memory: 2048
    desiredCount: 2
    minCapacity: 2
    maxCapacity: 10
  environment:
    BATCH_SIZE: "100"
"""
)

PROCESSOR = (
    HEAD
    + """\
  resources:
    cpu: 1024
    memory: 2048
  environment:
    BUCKET: ${ENV}-exports
dependencies:
  - type: aws_s3_bucket
    name: ${ENV}-exports
    permissions:
      - s3:GetObject
      - s3:PutObject
      - s3:ListBucket
  - type: aws_s3_bucket
    name: ${ENV}-models
    permissions:
      - s3:GetObject  # reads only
"""
)

OWNERS = ("owners-missing", 3, 1)
ALONE = ("production-single-replica", 11, 3)


@pytest.mark.parametrize(
    ("text", "everywhere", "in_production"),
    [
        pytest.param(KAFKA_CONSUMER, [], [], id="consumer"),
        pytest.param(API, [], [OWNERS], id="api"),
        pytest.param(MODEL, [("s3-list-bucket-missing", 23, 9)], [OWNERS, ALONE], id="model"),
        pytest.param(ONE_SIZE, [], [OWNERS, ("production-sized-like-dev", 11, 3)], id="one-size"),
        pytest.param(
            PROCESSOR, [("s3-list-bucket-missing", 26, 9)], [OWNERS, ALONE], id="processor"
        ),
    ],
)
def test_lint__shape__exactly_what_is_wrong_with_it(
    text: str, everywhere: list[tuple[str, int, int]], in_production: list[tuple[str, int, int]]
) -> None:
    assert found(text, None) == everywhere
    assert found(text, "dev") == everywhere
    assert found(text, "prod") == [*in_production, *everywhere]


def found(text: str, environment: str | None) -> list[tuple[str, int, int]]:
    loaded = load_manifest(text, path="service.yml")
    assert loaded.findings == ()
    places = []
    for finding in lint(loaded, environment):
        assert isinstance(finding.where, Location)
        places.append((finding.id, finding.where.line, finding.where.column))
    return places
