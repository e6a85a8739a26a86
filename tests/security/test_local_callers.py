"""The embedded AWS belongs to one user: a table of who may ask it what.

One instance; each row is one request as a browser, another user or a client of its own sends it.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.exceptions import ClientError

from fsd_local import instance as local
from fsd_local.doorkeeper import read_host
from fsd_local.errors import LocalUsageError
from fsd_local.instance import Instance
from fsd_local.peers import find_uid
from fsd_local.settings import Settings

pytest.importorskip("ministack")

STS = b"Action=GetCallerIdentity&Version=2011-06-15"
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("callers") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSD_LOCAL_STATE", str(folder))
        yield local.ensure(Settings(runtime="process", speed=50))
        local.down()


def ask(
    instance: Instance,
    *,
    method: str = "POST",
    path: str = "/",
    body: bytes = STS,
    headers: Mapping[str, str] | None = None,
    secret: str = "",
    key: str = "",
    service: str = "sts",
) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body); signed where there is a secret. `Host` is the instance's own."""
    authority = instance.endpoint.removeprefix("http://")
    sent = {"Host": authority, **FORM, **(headers or {})}
    if secret:
        sent |= signed(instance, method, path, body, sent, secret=secret, key=key, service=service)
    connection = http.client.HTTPConnection(authority, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in sent.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, content


def signed(
    instance: Instance,
    method: str,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    secret: str,
    key: str,
    service: str,
) -> dict[str, str]:
    url = f"http://{headers['Host']}{path}"
    request = botocore.awsrequest.AWSRequest(method, url, headers=dict(headers), data=body)
    credentials = botocore.credentials.Credentials(key or instance.account, secret)
    botocore.auth.SigV4Auth(credentials, service, instance.region).add_auth(request)
    return {name: request.headers[name] for name in ("Authorization", "X-Amz-Date")}


def test_request__signed_by_its_user__answered(instance: Instance) -> None:
    status, headers, body = ask(instance, secret=instance.secret)

    assert (status, b"<Account>000000000000</Account>" in body) == (200, True)
    assert not [name for name in headers if name.startswith("access-control-")]


HOSTS = (
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "localhost.evil.example:{port}",
    "127.0.0.1.nip.io:{port}",
    "169.254.169.254",
    "192.168.0.1:{port}",
    "10.0.0.1:{port}",
    "0.0.0.0:{port}",
    "[::]:{port}",
    "[2001:db8::1]:{port}",
    "2130706433:{port}",
    "localhost@evil.example:{port}",
    "evil.example#localhost",
    "",
)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/", "/_fsd/status", "/_alb/x/", "/v2/"])
def test_request__host_that_is_not_loopback__refused_before_all(
    instance: Instance, host: str, path: str
) -> None:
    port = instance.endpoint.rpartition(":")[2]
    name = host.format(port=port)

    status, _, body = ask(instance, path=path, headers={"Host": name}, secret=instance.secret)

    assert status == 421
    assert b"Host" in body


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:{port}",
        "localhost:{port}",
        "127.8.9.10:{port}",
        "x.localhost:{port}",
        "localhost:9999",
    ],
)
def test_request__host_that_is_loopback__answered(instance: Instance, host: str) -> None:
    port = instance.endpoint.rpartition(":")[2]

    status, _, _ = ask(instance, headers={"Host": host.format(port=port)}, secret=instance.secret)

    assert status == 200


PAGES: tuple[dict[str, str], ...] = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost:3000"},
    {"origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin"},
    {"sec-fetch-site": "CROSS-SITE"},
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("OPTIONS", "/"),
        ("GET", "/_fsd/status"),
        ("POST", "/_fsd/reset"),
        ("POST", "/_ministack/reset"),
        ("GET", "/_fsd/credentials/1"),
        ("PUT", "/v2/hello/manifests/v1"),
        ("POST", "/2015-03-31/functions"),
        ("PUT", "/bucket/key"),
    ],
)
def test_request__from_a_web_page__refused_even_when_signed(
    instance: Instance, page: dict[str, str], method: str, path: str
) -> None:
    status, headers, _ = ask(
        instance, method=method, path=path, headers=page, secret=instance.secret
    )

    assert status == 403
    assert not [name for name in headers if name.startswith("access-control-")]


def test_request__to_a_load_balancer_from_a_page__is_the_services_to_answer(
    instance: Instance,
) -> None:
    page = {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}

    status, _, body = ask(instance, method="GET", path="/_alb/none/", body=b"", headers=page)

    assert (status, b"Origin" in body) == (404, False)


# Each protocol has names of its own for the same.
QUERY_CODES = (b"MissingAuthenticationToken", b"SignatureDoesNotMatch", b"InvalidClientTokenId")
JSON_CODES = (
    b"MissingAuthenticationTokenException",
    b"InvalidSignatureException",
    b"UnrecognizedClientException",
)


@pytest.mark.parametrize("target", ["AmazonEC2ContainerServiceV20141113.ListClusters", ""])
@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("", ""),
        ("000000000000", "local"),
        ("000000000000", "x"),
        ("111111111111", "test"),
        ("test", "test"),
        ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI"),
        ("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI"),
        ("0000000000001", "test"),
    ],
)
def test_request__not_signed_with_a_secret_of_its_own__refused(
    instance: Instance, key: str, secret: str, target: str
) -> None:
    json_call = {"X-Amz-Target": target, "content-type": "application/x-amz-json-1.1"}

    status, _, body = ask(
        instance,
        body=b"{}" if target else STS,
        headers=json_call if target else {},
        secret=secret,
        key=key,
        service="ecs" if target else "sts",
    )

    assert status == 403
    codes = JSON_CODES if target else QUERY_CODES
    assert any(code in body for code in codes), body


def stamp(ago: timedelta) -> str:
    return (datetime.now(UTC) - ago).strftime("%Y%m%dT%H%M%SZ")


def replay(instance: Instance, kind: str) -> tuple[str, dict[str, str], bytes]:
    """(path, headers, body) of a request that was once good, and is not any more."""
    host = instance.endpoint.removeprefix("http://")
    secret = "guessed" if "another secret" in kind else instance.secret
    headers = {"Host": host, **FORM}
    if "hash" in kind:
        headers["X-Amz-Content-SHA256"] = hashlib.sha256(STS).hexdigest()
    if "UNSIGNED" in kind or "STREAMING" in kind:
        headers["X-Amz-Content-SHA256"] = kind.split()[0]
    request = botocore.awsrequest.AWSRequest("POST", f"http://{host}/", headers=headers, data=STS)
    credentials = botocore.credentials.Credentials(instance.account, secret)
    if kind.startswith("presigned"):
        request.method, request.data = "GET", b""
        request.url = f"http://{host}/?{STS.decode()}"
        expires = {"never over": 10**9, "for a moment": 1}.get(kind.partition(": ")[2], 60)
        auth = botocore.auth.SigV4QueryAuth(credentials, "sts", instance.region, expires=expires)
    else:
        auth = botocore.auth.SigV4Auth(credentials, "sts", instance.region)
    ago = timedelta(minutes={"an hour old": 60, "an hour ahead": -60}.get(kind, 0))
    if kind in ("presigned: for a moment", "presigned: good for an hour"):
        ago = timedelta(minutes=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: datetime.now(UTC) - ago)
        auth.add_auth(request)
    body = STS + b"&More=1" if kind in ("another body", "another body, hash of the first") else STS
    path = request.url.partition(host)[2]
    if kind == "presigned: without its end":
        path = re.sub("&X-Amz-Expires=[0-9]+", "", path)
    return path, dict(request.headers), b"" if kind.startswith("presigned") else body


REPLAYS = (
    "an hour old", "an hour ahead", "another body", "another body, hash of the first",
    "UNSIGNED-PAYLOAD", "UNSIGNED-PAYLOAD with another secret",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "presigned: with another secret", "presigned: for a moment", "presigned: never over",
    "presigned: without its end",
)  # fmt: skip


@pytest.mark.parametrize("kind", REPLAYS)
def test_request__signed_for_another_time_or_body__refused(instance: Instance, kind: str) -> None:
    path, headers, body = replay(instance, kind)
    method = "GET" if kind.startswith("presigned") else "POST"

    status, _, answer = ask(instance, method=method, path=path, body=body, headers=headers)

    assert status == 403, answer


def test_request__presigned_for_an_hour__answered(instance: Instance) -> None:
    path, headers, body = replay(instance, "presigned")

    status, _, answer = ask(instance, method="GET", path=path, body=body, headers=headers)

    assert status == 200, answer


@pytest.mark.parametrize("part", [0, 1, -1])
def test_request__a_part_of_a_session_token_and_a_wrong_signature__refused(
    instance: Instance, part: int
) -> None:
    """A whole one lets its holder in through a proxy that changes Host; nothing less does."""
    token = {0: "", 1: instance.secret[:-1], -1: f"{instance.secret}x"}[part]

    status, _, body = ask(instance, headers={"X-Amz-Security-Token": token}, secret="guessed")

    assert (status, b"SignatureDoesNotMatch" in body) == (403, True)


SERVICES = (
    "lambda", "glue", "codebuild", "batch", "emr", "athena", "mwaa", "transfer", "rds",
    "apigateway", "appsync", "cloudfront", "cognito-idp", "states", "pipes", "iot", "bedrock", "mq",
    "eks", "organizations", "s3tables", "firehose", "ses", "elasticache",
)  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
def test_request__service_that_fsd_does_not_need__refused_though_signed(
    instance: Instance, service: str
) -> None:
    status, _, body = ask(
        instance,
        path="/2015-03-31/functions",
        body=b"{}",
        headers={"content-type": "application/json"},
        secret=instance.secret,
        service=service,
    )

    assert status == 403
    assert b"does not serve" in body


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/_fsd/reset"), ("POST", "/_fsd/placeholders"), ("POST", "/_ministack/reset"),
     ("GET", "/_ministack/handlers"), ("POST", "/_ministack/config"), ("GET", "/_aws/sqs/messages"),
     ("GET", "/_localstack/health"), ("POST", "/_fsd/unknown")],
)  # fmt: skip
@pytest.mark.parametrize("bearer", ["", "Bearer ", "Bearer x", "Basic QVdTOng="])
def test_request__own_interface_without_the_secret__refused(
    instance: Instance, method: str, path: str, bearer: str
) -> None:
    headers = {"Authorization": bearer} if bearer else {}

    status, _, _ = ask(instance, method=method, path=path, body=b"{}", headers=headers)

    assert status == 403


def test_status__without_the_secret__says_what_it_is_and_not_what_is_in_it(
    instance: Instance,
) -> None:
    answer = local.call(instance.endpoint, "GET", "/_fsd/status")

    assert answer["runtime"] == "process"
    assert (answer["services"], answer["resources"], answer["notes"]) == ([], {}, [])
    assert "secret" not in answer


def test_registry__without_a_login__refused(instance: Instance) -> None:
    for login in ({}, {"Authorization": "Basic " + base64.b64encode(b"AWS:x").decode()}):
        status, _, _ = ask(
            instance, method="PUT", path="/v2/hello/manifests/v1", body=b"{}", headers=login
        )
        assert status == 401


def test_session__of_a_user_that_was_made__signs_and_stops_with_the_key(
    instance: Instance,
) -> None:
    def client(service: str, key: str, secret: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=instance.endpoint,
            region_name=instance.region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )

    iam = client("iam", instance.account, instance.secret)
    iam.create_user(UserName="ada")
    made = iam.create_access_key(UserName="ada")["AccessKey"]
    good = client("sts", made["AccessKeyId"], made["SecretAccessKey"])
    wrong = client("sts", made["AccessKeyId"], "guessed")

    assert good.get_caller_identity()["Arn"].endswith(":user/ada")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        wrong.get_caller_identity()
    for each in (iam, good, wrong):
        each.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user__of_the_machine__reads_and_calls_nothing(instance: Instance) -> None:
    folder = Path(instance.state_dir)
    program = """
import encodings.idna, http.client, os, sys
os.setgid(65534)
os.setuid(65534)
folder, authority = sys.argv[1:]
for read in (lambda: os.listdir(folder), lambda: open(folder + "/instance.json").read()):
    try:
        print(read())
    except PermissionError:
        print("denied")
connection = http.client.HTTPConnection(authority)
form = {"content-type": "application/x-www-form-urlencoded"}
connection.request("POST", "/", "Action=ListRoles", form)
print(connection.getresponse().status)
connection = http.client.HTTPConnection(authority)
login = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=x&WebIdentityToken=y"
connection.request("POST", "/", login + "&RoleArn=arn:aws:iam::000000000000:role/any", form)
answer = connection.getresponse()
print(answer.status, "AccessDenied" if b"<Code>AccessDenied</Code>" in answer.read() else "let in")
"""

    ended = subprocess.run(
        [sys.executable, "-c", program.replace("\\\n", "\n"), str(folder),
         instance.endpoint.removeprefix("http://")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert ended.stdout.split() == ["denied", "denied", "403", "403", "AccessDenied"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "instance.json").stat().st_mode) == 0o600


TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1194 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1
   1: 0100007F:9C40 0100007F:0050 06 00000000:00000000 03:00000F00 00000000     0        0 0
   2: 0100007F:9C40 0100007F:1194 {state} 00000000:00000000 00:00000000 00000000 65534        0 2
   3: 0100007F:1194 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 3
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the table is a little-endian machine's")
@pytest.mark.parametrize(("state", "uid"), [("01", 65534), ("06", None)])
def test_find_uid__waiting_socket_of_the_same_port__is_not_taken_for_the_client(
    state: str, uid: int | None
) -> None:
    """Sockets in TIME_WAIT are listed as root's: a client could have made one on purpose."""
    client, server = ("127.0.0.1", 40_000), ("127.0.0.1", 4_500)

    assert find_uid(TABLE.format(state=state), client, server) == uid


def plant(folder: Path, kind: str) -> None:
    match kind:
        case "files of somebody's":
            folder.mkdir()
            (folder / "thesis.txt").write_text("years of work")
        case "a link to a folder":
            (folder.parent / "home").mkdir()
            (folder.parent / "home" / "thesis.txt").write_text("years of work")
            folder.symlink_to(folder.parent / "home")
        case "a file":
            folder.write_text("years of work")
        case "a marker in a folder that all may write":
            folder.mkdir()
            (folder / ".fsd-local").write_text("")
            (folder / "thesis.txt").write_text("years of work")
            folder.chmod(0o777)
        case "a marker that is a folder":
            (folder / ".fsd-local").mkdir(parents=True)
            (folder / "thesis.txt").write_text("years of work")


@pytest.mark.parametrize(
    "kind",
    [
        "files of somebody's",
        "a link to a folder",
        "a file",
        "a marker in a folder that all may write",
        "a marker that is a folder",
    ],
)
@pytest.mark.parametrize("command", [local.down, local.ensure])
def test_state__folder_that_is_not_an_instances__refused_and_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, command: Callable[[], object]
) -> None:
    folder = tmp_path / "state"
    plant(folder, kind)
    monkeypatch.setenv("FSD_LOCAL_STATE", str(folder))

    with pytest.raises(LocalUsageError, match="would be emptied"):
        command()

    kept = folder if folder.is_file() else folder / "thesis.txt"
    assert kept.read_text() == "years of work"


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("LOCALHOST", "localhost", None),
        ("localhost.:9", "localhost", 9),
        ("[::1]:80", "::1", 80),
        ("[::1", "::1", None),
        ("x:y", "x", None),
        ("x:²", "x", None),
        ("", "", None),
    ],
)
def test_read_host__any_text__name_and_port(text: str, name: str, port: int | None) -> None:
    host = read_host(text)

    assert (host.name, host.port) == (name, port)


def test_connection__without_a_host__refused(instance: Instance) -> None:
    address = ("127.0.0.1", int(instance.endpoint.rpartition(":")[2]))
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(b"GET /_fsd/status HTTP/1.0\r\n\r\n")
        answer = connection.recv(4096)

    assert answer.split(b" ")[1] in (b"400", b"421")


def write_record(folder: Path, *, pid: int) -> None:
    record = {
        "endpoint": "http://127.0.0.1:9",
        "region": "us-east-1",
        "account": "000000000000",
        "runtime": "process",
        "speed": 1.0,
        "enforce_iam": False,
        "slow_stacks": 0.0,
        "pid": pid,
        "state_dir": str(folder),
        "started_at": "2026-01-01T00:00:00+00:00",
        "secret": "planted",
    }
    (folder / "instance.json").write_text(json.dumps(record))
    (folder / ".fsd-local").write_text("")


@contextmanager
def posing_as_server(folder: Path, *, uid: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose command line looks like the server's of a folder."""
    program = f"import os, sys; os.setuid({uid}); print(flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", program, "fsd_local.server", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
    )
    try:
        process.stdout.readline()  # type: ignore[union-attr]  # it was asked for
        yield process
    finally:
        process.kill()
        process.wait()
        process.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("mode", [0o700, 0o777])
@pytest.mark.parametrize("owner", [0, 65534])
def test_record__in_a_folder_that_others_own_or_may_write__is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, owner: int
) -> None:
    if (mode, owner) == (0o700, 0):
        return  # ours: the next test
    folder = tmp_path / "state"
    folder.mkdir()
    monkeypatch.setenv("FSD_LOCAL_STATE", str(folder))
    with posing_as_server(folder, uid=0) as process:
        write_record(folder, pid=process.pid)
        os.chown(folder, owner, owner)
        folder.chmod(mode)

        assert local.find() is None
        assert local.status() is None
        for command in (local.ensure, local.down):
            with pytest.raises(LocalUsageError, match="would be emptied"):
                command()
        assert process.poll() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_record__that_names_a_process_of_another_user__is_not_believed_nor_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("FSD_LOCAL_STATE", str(folder))
    with posing_as_server(folder, uid=65534) as process:
        write_record(folder, pid=process.pid)

        assert local.find() is None
        local.down()
        assert process.poll() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_state__empty_folder_of_another_user__refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    monkeypatch.setenv("FSD_LOCAL_STATE", str(folder))

    with pytest.raises(LocalUsageError, match="would be emptied"):
        local.ensure()


def test_request__announced_as_longer_than_any_call__refused(instance: Instance) -> None:
    address = ("127.0.0.1", int(instance.endpoint.rpartition(":")[2]))
    with socket.create_connection(address, timeout=30) as connection:
        lines = (
            "POST / HTTP/1.1",
            f"Host: 127.0.0.1:{address[1]}",
            f"Content-Length: {10**12}",
            "",
            "",
        )
        connection.sendall("\r\n".join(lines).encode())
        answer = connection.recv(4096)

    assert answer.split(b" ")[1] == b"413"
