"""A gRPC service behind a load balancer of the embedded AWS: checked and called by gRPC."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import pytest

from tests.local.cli import Fsd
from tests.local.conftest import commit
from tests.local.server import grpc_target

DEPLOY = ("deploy", "--env", "local", "--format", "json")
MANIFEST = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: hello, pack: examples}
service:
  type: ecs
  resources: {cpu: 256, memory: 512, desiredCount: 1}
  environment: {GRPC_STATUS: "0"}
  ports:
    - {name: grpc, port: 50051, protocol: grpc}
    - {name: admin, port: 50052, protocol: tcp}
  healthCheck: {interval: 10, matcher: "0,12"}
  networking:
    loadBalancer:
      certificateArn: arn:aws:acm:us-east-1:123456789012:certificate/12345678-abcd
"""
DOCKERFILE = """\
ARG PYTHON_IMAGE=public.ecr.aws/docker/library/python:3.12-slim
FROM ${PYTHON_IMAGE}
COPY server.py ./
CMD ["python", "server.py"]
"""


@pytest.fixture
def grpc_service(hello: Path) -> Path:
    shutil.copy(grpc_target.__file__, hello / "server.py")
    (hello / "service.yml").write_text(MANIFEST)
    (hello / "Dockerfile").write_text(DOCKERFILE)
    (hello / ".dockerignore").unlink(missing_ok=True)
    commit(hello, "grpc")
    return hello


def call(url: str, method: str) -> tuple[dict[bytes, bytes], bytes]:
    """What a client without TLS gets: all headers and trailers, and the message."""
    parts = urlsplit(url)
    headers: dict[bytes, bytes] = {}
    body = b""
    http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
    http.initiate_connection()
    asked = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", parts.netloc),
        (":path", method),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ]
    http.send_headers(1, asked)
    http.send_data(1, bytes(5), end_stream=True)
    with socket.create_connection(("127.0.0.1", parts.port or 80), 10) as connection:
        connection.sendall(http.data_to_send())
        while data := connection.recv(65536):
            for event in http.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                    headers.update(event.headers or [])
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data or b""
                elif isinstance(event, h2.events.StreamEnded):
                    return headers, body
            connection.sendall(http.data_to_send())
    raise AssertionError(f"no end: {headers} {body!r}")


def plain_status(url: str) -> bytes:
    """Of a client that speaks HTTP/1.1 only."""
    parts = urlsplit(url)
    with socket.create_connection(("127.0.0.1", parts.port or 80), 10) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        return connection.recv(64).split()[1]


@pytest.mark.usefixtures("grpc_service")
def test_grpc__deployed_and_called__by_grpc_alone(fsd: Fsd) -> None:
    first, again = fsd.ok(*DEPLOY), fsd.ok(*DEPLOY)
    failed = fsd.run(*DEPLOY, "--override", "environment.GRPC_STATUS=14")
    (service,) = fsd.status()["services"]
    url = next(url for url in service["urls"] if "elb.localhost" in url)

    headers, body = call(url, "/grpc.health.v1.Health/Check")

    assert first.json()["outcome"] == "succeeded", first.text
    assert again.json()["outcome"] == "unchanged", again.text
    assert failed.code == 6, failed.text
    assert "[14]" in failed.text
    assert (headers.get(b":status"), headers.get(b"grpc-status")) == (b"200", b"0"), headers
    assert body == grpc_target.SERVING
    assert plain_status(url) == b"464"
