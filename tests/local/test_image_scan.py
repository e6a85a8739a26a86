"""`imageScan`: what ECR's scan found stops a deployment before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fsd_local import instance as local
from tests.local.cli import Fsd
from tests.local.conftest import commit
from tests.local.server.enforced import Account
from tests.local.test_bootstrap import (
    BOOTSTRAP,
    DEPLOYS,
    PLANS,
    as_workflow,
    fsd,
    root,
    write_entry,
)

__all__ = ["fsd", "root"]  # fixtures: an account that enforces IAM, and its root user

DEPLOY = ("deploy", "--env", "dev", "--format", "json")
ROLE = "fsd-deploy-dev-org.offers"
Plant = Callable[..., None]


def finding(name: str, severity: str) -> dict[str, Any]:
    attributes = [
        {"key": "package_name", "value": "openssl"},
        {"key": "package_version", "value": "3.0.2"},
    ]
    return {"name": name, "severity": severity, "attributes": attributes}


ENHANCED = {
    "severity": "HIGH",
    "status": "ACTIVE",
    "packageVulnerabilityDetails": {
        "vulnerabilityId": "CVE-2026-7",
        "vulnerablePackages": [{"name": "zlib", "version": "1.2", "fixedInVersion": "1.3"}],
    },
}


@pytest.fixture
def plant(fsd: Fsd, monkeypatch: pytest.MonkeyPatch) -> Plant:
    monkeypatch.setenv("FSD_LOCAL_STATE", str(fsd.state))
    running = local.find()
    assert running is not None

    def call(*findings: dict[str, Any], **more: Any) -> None:
        request = {
            "account": fsd.extra["AWS_ACCESS_KEY_ID"],
            "repository": "hello",
            "findings": [*findings],
            **more,
        }
        local.call(running.endpoint, "POST", "/_fsd/image-scan", request, secret=running.secret)

    return call


def write_policy(folder: Path, block: str) -> None:
    environments = folder / ".fsd" / "environments.yml"
    text = environments.read_text().partition("  imageScan:")[0].rstrip()
    environments.write_text(f"{text}\n  imageScan: {{block: {block}}}\n")
    commit(folder, f"block {block}")


def test_image_scan__bootstrapped_account__blocks_and_lets_pass_with_its_roles_alone(
    fsd: Fsd, root: Account, plant: Plant
) -> None:
    write_entry(fsd, fsd.ok(*BOOTSTRAP, "--yes").out)
    write_policy(fsd.cwd, "critical")
    denied = as_workflow(fsd, root, ROLE, DEPLOYS).run(*DEPLOY)
    fsd.ok(*BOOTSTRAP, "--yes")
    deployer = as_workflow(fsd, root, ROLE, DEPLOYS)

    assert denied.code == 5, denied.text
    assert "ecr:DescribeImageScanFindings" in denied.err

    plant(finding("CVE-2026-1", "CRITICAL"), finding("CVE-2026-2", "HIGH"))
    blocked = deployer.run(*DEPLOY)
    assert blocked.code == 4, blocked.text
    assert "error[image-vulnerable]: ECR's scan of hello@sha256:" in blocked.err
    assert "found 1 CRITICAL: CVE-2026-1 (CRITICAL, openssl 3.0.2)" in blocked.err
    assert root.client("ecs").list_services(cluster="dev")["serviceArns"] == []
    planner = as_workflow(fsd, root, "fsd-plan-dev-org.offers", PLANS)
    planned = planner.run("plan", "--env", "dev")
    assert planned.code == 4, planned.text
    assert "to add" in planned.out
    assert planned.err.strip() in blocked.err

    plant(finding("CVE-2026-2", "HIGH"), statuses=["IN_PROGRESS", "COMPLETE"])
    passed = deployer.ok(*DEPLOY)
    assert passed.json()["outcome"] == "succeeded"
    assert "waiting for ECR's scan of hello@sha256:" in passed.err
    assert "found 1 HIGH (imageScan.block: critical)" in passed.text

    write_policy(fsd.cwd, "high")
    plant(ENHANCED, statuses=["PENDING", "ACTIVE"], enhanced=True)
    enhanced = deployer.run(*DEPLOY)
    assert enhanced.code == 4, enhanced.text
    assert "CVE-2026-7 (HIGH, zlib 1.2, fixed in 1.3)" in enhanced.err
    assert "fix: update to zlib 1.3, and deploy the new image" in enhanced.err

    plant(statuses=["FAILED"], description="the layer is too large")
    failed = deployer.run(*DEPLOY)
    assert failed.code == 4, failed.text
    assert "its scan is FAILED: the layer is too large. ECR did not start another:" in failed.err
    assert "fix: correct what ECR names, and deploy a new image" in failed.err
    elsewhere = deployer.run(*DEPLOY, "--image", f"registry.example/hello@sha256:{'a' * 64}")
    assert elsewhere.code == 4, elsewhere.text
    assert "is not in this account's ECR" in elsewhere.err


def test_image_scan__repository_that_nobody_scans__is_scanned_now(fsd: Fsd, root: Account) -> None:
    write_entry(fsd, fsd.ok(*BOOTSTRAP, "--yes").out)
    write_policy(fsd.cwd, "high")
    fsd.ok(*BOOTSTRAP, "--yes")
    ecr = root.client("ecr")
    ecr.delete_repository(repositoryName="hello", force=True)
    ecr.create_repository(repositoryName="hello")

    done = as_workflow(fsd, root, ROLE, DEPLOYS).ok(*DEPLOY)

    assert "waiting for ECR's scan" in done.err
    assert "found nothing (imageScan.block: high)" in done.text
