"""One rule a file, as `RULE`."""
