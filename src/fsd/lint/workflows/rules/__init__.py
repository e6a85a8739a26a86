"""The rules for workflows, one a file, as `check`; found by `registry.list_rules`."""
