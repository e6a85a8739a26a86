from __future__ import annotations

from fsd.manifest.companions import missing_companions


def test_missing_companions__read_data__follows_the_chain() -> None:
    assert missing_companions(["kafka-cluster:ReadData"]) == (
        "kafka-cluster:AlterGroup",
        "kafka-cluster:Connect",
        "kafka-cluster:DescribeGroup",
        "kafka-cluster:DescribeTopic",
    )


def test_missing_companions__all_there__are_none() -> None:
    given = ["Connect", "ReadData", "AlterGroup", "DescribeGroup", "DescribeTopic"]

    assert missing_companions(f"kafka-cluster:{name}" for name in given) == ()


def test_missing_companions__other_service__are_none() -> None:
    assert missing_companions(["kafka:GetBootstrapBrokers", "s3:GetObject"]) == ()
