"""`.github/workflows/*.yml` → findings: how a deployment's workflow goes wrong on AWS.

    lint_workflows({path: text})  ─▶  document  ─▶  every rule  ─▶  findings, less the suppressed

What zizmor (security of the workflow itself) and actionlint (its syntax) find is not found here.
A workflow that GitHub takes is taken, whatever is in it.
"""

from fsd.lint.workflows.run import CheckedWorkflow, lint_workflows

__all__ = ["CheckedWorkflow", "lint_workflows"]
