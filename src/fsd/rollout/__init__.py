"""Snapshots of a service → verdict on our deployment, its diagnosis, and what to do. Pure."""
