"""Who issues GitHub's tokens, and for whom. It imports nothing: `fsd explain` starts with it.

https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

ISSUER = "token.actions.githubusercontent.com"
ISSUER_URL = f"https://{ISSUER}"
AUDIENCE = "sts.amazonaws.com"
