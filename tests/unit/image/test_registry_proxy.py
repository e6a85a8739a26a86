"""The registry's API goes through the proxy and trusts the authorities of the environment."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fsd.errors import CallFailedError
from fsd.image.registry_api import RegistryApi
from tests.fakes.oci_registry import OciRegistry, serve
from tests.fakes.tls_proxy import serve_proxy


def api() -> RegistryApi:
    return RegistryApi(
        endpoint="https://registry.test", repository="hello", log_in=lambda: ("AWS", "secret")
    )


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names in lower case come first."""
    for name in ("https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of registry.test, with its key."""
    file = tmp_path / "registry.pem"
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    named = ("-subj", "/CN=registry.test", "-addext", "subjectAltName=DNS:registry.test")
    made = ("-keyout", str(file), "-out", str(tmp_path / "cert.pem"))
    subprocess.run((*new, *named, *made), check=True, capture_output=True)
    file.write_text(file.read_text() + (tmp_path / "cert.pem").read_text())
    return file


def test_registry__proxy_and_own_authority__is_asked_through_the_one_with_the_other(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate.parent / "cert.pem"))
    with serve(OciRegistry(), tls) as registry:
        digest = registry.add_image("hello", b"layer")
        with serve_proxy(urlsplit(registry.endpoint).port or 0) as (proxy, heads):
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:p%40ss@{proxy}")

            found = api().find_manifest(digest)

    assert found is not None
    assert heads[0].startswith("CONNECT registry.test:443 ")
    assert "Proxy-Authorization: Basic bWU6cEBzcw==" in heads[0]
    assert "secret" not in "".join(heads)


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_CA_BUNDLE", "/no/such/file.pem"), ("HTTPS_PROXY", "http://proxy:port")],
)
def test_registry__environment_that_leads_nowhere__is_said(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(CallFailedError, match="was not asked") as caught:
        api().has_manifest("sha256:0a")

    assert "HTTPS_PROXY and AWS_CA_BUNDLE" in str(caught.value.fix)
