"""FSD: from a commit to healthy tasks on Amazon ECS.

The version is written here and not looked up in the package's metadata: the Action runs a checkout
that was never installed. A test holds it to pyproject.toml's.
"""

__version__ = "0.1.0"
