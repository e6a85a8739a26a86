"""Every rule for workflows, by hand."""

from __future__ import annotations

from fsd.lint.workflows.finding import WorkflowRule
from fsd.lint.workflows.rules import (
    stage_before_production,
    workflow_environment_missing,
    workflow_long_lived_keys,
    workflow_mutable_image_tag,
    workflow_no_tests_before_deploy,
    workflow_unverified_download,
)

WORKFLOW_RULES: tuple[WorkflowRule, ...] = (
    stage_before_production.RULE,
    workflow_environment_missing.RULE,
    workflow_long_lived_keys.RULE,
    workflow_mutable_image_tag.RULE,
    workflow_no_tests_before_deploy.RULE,
    workflow_unverified_download.RULE,
)
