from __future__ import annotations

from fsd.manifest.kafka_actions import missing_kafka_actions


def test_missing_kafka_actions__read_data__follows_the_chain() -> None:
    assert missing_kafka_actions(["kafka-cluster:ReadData"]) == (
        "kafka-cluster:AlterGroup",
        "kafka-cluster:Connect",
        "kafka-cluster:DescribeGroup",
        "kafka-cluster:DescribeTopic",
    )


def test_missing_kafka_actions__all_there__are_none() -> None:
    given = ["Connect", "ReadData", "AlterGroup", "DescribeGroup", "DescribeTopic"]

    assert missing_kafka_actions(f"kafka-cluster:{name}" for name in given) == ()


def test_missing_kafka_actions__other_service__are_none() -> None:
    assert missing_kafka_actions(["kafka:GetBootstrapBrokers", "s3:GetObject"]) == ()
