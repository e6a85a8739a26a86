"""The rules for manifests, one a file, as `check`; found by `registry.list_rules`."""
