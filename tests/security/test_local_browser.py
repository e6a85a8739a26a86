"""A web page in a real browser attacks the embedded AWS, as pages on the web can.

Needs Chromium (Debian's package `chromium`): skips without it, fails where FSD_REQUIRE_CHROMIUM=1.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from fsd_local import instance as local
from fsd_local.instance import Instance
from fsd_local.settings import Settings
from tests.local.browser import find_chromium

pytest.importorskip("ministack")

# Each is a request that a page may send without asking first: form, text and GET.
# https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS#simple_requests
ATTACK = """<!doctype html><title>attack</title><pre id="log">started</pre><script>
const aws = "%(endpoint)s", log = [];
const form = {"content-type": "application/x-www-form-urlencoded"};
async function attack(name, path, options) {
  try {
    const answer = await fetch(aws + path, {mode: "no-cors", ...options});
    log.push(name + ": " + answer.type);
  } catch (error) { log.push(name + ": failed"); }
}
(async () => {
  await attack("user", "/?Action=CreateUser&UserName=mallory&Version=2010-05-08", {});
  await attack("user by form", "/", {method: "POST", headers: form,
    body: "Action=CreateUser&UserName=mallory&Version=2010-05-08"});
  await attack("reset", "/_fsd/reset", {method: "POST", body: "{}"});
  await attack("ministack reset", "/_ministack/reset", {method: "POST", body: "{}"});
  await attack("secret", "/_fsd/placeholders", {method: "POST",
    body: '{"valuesFrom": ["arn:aws:secretsmanager:us-east-1:000000000000:secret:m-AbCdEf"]}'});
  await attack("function", "/2015-03-31/functions", {method: "POST", body: "{}"});
  try {
    const read = await (await fetch(aws + "/_fsd/status")).text();
    log.push("read: " + read);
  } catch (error) { log.push("read: failed"); }
  document.getElementById("log").textContent = "done\\n" + log.join("\\n");
})();
</script>"""


@contextmanager
def page(text: str) -> Iterator[str]:
    """A site of somebody else's: another origin than the embedded AWS."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = text.encode()
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


def open_page(url: str, folder: Path) -> str:
    """The page's DOM after its scripts have run, with every other name at this machine."""
    ended = subprocess.run(
        [
            find_chromium(),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-first-run", "--disable-background-networking", f"--user-data-dir={folder}"),
            "--host-resolver-rules=MAP * 127.0.0.1",
            *("--virtual-time-budget=10000", "--dump-dom", url),
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.stdout


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    find_chromium()
    folder = tmp_path_factory.mktemp("browser") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSD_LOCAL_STATE", str(folder))
        yield local.ensure(Settings(runtime="process", speed=50))
        local.down()


@pytest.fixture
def iam(instance: Instance) -> Iterator[Any]:
    client = boto3.client(
        "iam",
        endpoint_url=instance.endpoint,
        region_name=instance.region,
        aws_access_key_id=instance.account,
        aws_secret_access_key=instance.secret,
    )
    yield client
    client.close()


def test_page__of_another_site__changes_and_reads_nothing(
    instance: Instance, iam: Any, tmp_path: Path
) -> None:
    iam.create_user(UserName="ada")

    with page(ATTACK % {"endpoint": instance.endpoint}) as url:
        dom = open_page(url, tmp_path)

    assert "done" in dom, dom
    assert "read: failed" in dom
    assert "user by form: opaque" in dom  # it was sent, and refused
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["ada"]


def test_page__whose_name_was_rebound_to_this_machine__reads_nothing(
    instance: Instance, tmp_path: Path
) -> None:
    port = instance.endpoint.rpartition(":")[2]

    dom = open_page(f"http://evil.example:{port}/_fsd/status", tmp_path)

    assert "not this machine" in dom, dom
    assert "uptime" not in dom
