"""Manifest → findings. One rule per file in `rules`, registered by hand. Pure."""
