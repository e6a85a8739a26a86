"""Orchestration: observe, apply, watch, roll back. Knows AWS only as the Protocols in `ports`."""
