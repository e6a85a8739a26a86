"""Build context → digest in a registry."""
