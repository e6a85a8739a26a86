"""Every rule for workflows, by hand."""

from __future__ import annotations

from fsd.lint.workflows.finding import WorkflowRule
from fsd.lint.workflows.rules import workflow_long_lived_keys, workflow_unverified_download

WORKFLOW_RULES: tuple[WorkflowRule, ...] = (
    workflow_long_lived_keys.RULE,
    workflow_unverified_download.RULE,
)
