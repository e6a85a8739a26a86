"""The embedded AWS: MiniStack with FSD's own ECS control plane mounted beside it."""
