from __future__ import annotations

import json

from fsd.github.attestations import find_attestations
from tests.fakes.github_api import TOKEN, serve_github_api

DIGEST = f"sha256:{'b' * 64}"


def test_find_attestations__of_the_digest__each_bundle_and_else_none() -> None:
    bundles = [{"mediaType": "a"}, {"mediaType": "b"}]
    with serve_github_api() as api:
        api.attested[DIGEST] = bundles

        def find(digest: str = DIGEST, token: str = TOKEN, url: str = api.url) -> list[object]:
            found = find_attestations("org/hello", digest, token=token, api_url=url)
            return [json.loads(one) for one in found]

        assert find() == bundles
        assert find(f"sha256:{'c' * 64}") == []
        assert find(token="wrong") == []
        assert find(url="http://127.0.0.1:1") == []
