"""The link to the page. Its key opens the page and nothing else: the browser remembers links, and
the instance's secret is the root user's."""

from __future__ import annotations

import hmac

# A name of its own makes the page an origin of its own: a service behind a load balancer is at the
# same port, and must not be able to read the page or to press its buttons.
PAGE_HOST = "fsd.localhost"
PAGE_PATH = "/_fsd/"


def make_key(secret: str) -> str:
    return hmac.new(secret.encode(), b"page", "sha256").hexdigest()


def page_url(endpoint: str, secret: str) -> str:
    """`endpoint` is http://127.0.0.1:PORT."""
    port = endpoint.rpartition(":")[2]
    return f"http://{PAGE_HOST}:{port}{PAGE_PATH}?key={make_key(secret)}"
