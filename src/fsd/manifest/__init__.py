"""Service YAML text → Manifest, with the position of every key. Pure."""
