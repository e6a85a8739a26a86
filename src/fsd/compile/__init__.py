"""(Manifest, Environment, Image) → Desired. Pure."""
