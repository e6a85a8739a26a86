"""Service YAMLs for tests: the five shapes that services have, and a small one to vary."""

from __future__ import annotations

from textwrap import dedent, indent

KAFKA_CONSUMER = """\
# A FastAPI service that also consumes from Kafka.
apiVersion: fsd/v1
kind: Service

metadata:
  name: price-watcher
  pack: pricing
  owners:
    - "@org/pricing"

service:
  type: ecs
  port: 8000

  healthCheck:
    path: /health
    interval: 30
    timeout: 5
    healthyThreshold: 2
    unhealthyThreshold: 3

  resources:
    cpu: 1024          # 1 vCPU
    memory: 2048       # 2 GB
    desiredCount: 2
    minCapacity: 2
    maxCapacity: 10

  autoScaling:
    targetCPUUtilization: 70
    targetMemoryUtilization: 80
    scaleInCooldown: 300
    scaleOutCooldown: 60

  environment:
    ENVIRONMENT: ${ENV}
    LOG_LEVEL: INFO
    CONSUMER_GROUP: price-watcher-${ENV}
    USE_MSK_IAM: "true"
    THRESHOLD: "0.75"

  secrets:
    - name: MODEL_KEY
      valueFrom: arn:aws:secretsmanager:us-east-1:123456789012:secret:model-key-abc123

  networking:
    vpc: true
    loadBalancer:
      type: application
      internal: true
      certificateArn: arn:aws:acm:us-east-1:123456789012:certificate/abc-123

  observability:
    metrics:
      enabled: true
      port: 9090
      path: /metrics

    traces:
      enabled: true
      otlpEndpoint: http://collector:4317

    logs:
      enabled: true
      retention: 30  # days

dependencies:
  - type: aws_msk_cluster
    name: ${ENV}-events
    permissions:
      - kafka-cluster:Connect
      - kafka-cluster:DescribeCluster
      - kafka-cluster:ReadData
      - kafka-cluster:DescribeGroup

  - type: aws_dynamodb_table
    name: ${ENV}-prices
    permissions:
      - dynamodb:GetItem
      - dynamodb:Query
"""

SMALL = """\
apiVersion: fsd/v1
kind: Service
metadata:
  name: offer-api
  pack: offers
service:
  type: ecs
"""


def manifest(
    service: str = "", *, metadata: str = "", dependencies: str = "", name: str = "offer-api"
) -> str:
    """`SMALL` with more keys in a section, each given as YAML text from column 0."""
    head, body = SMALL.replace("offer-api", name).split("service:\n")
    text = head + _below(metadata) + "service:\n" + body + _below(service)
    return text + ("dependencies:\n" + _below(dependencies) if dependencies else "")


def _below(text: str) -> str:
    return indent(dedent(text).strip("\n"), "  ") + "\n" if text.strip() else ""
