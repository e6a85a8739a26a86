"""The adapters to GitHub: the runner, the workflow's context, the API."""
