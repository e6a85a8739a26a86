"""What the Action does: workflow context → decision → image, release, report."""
