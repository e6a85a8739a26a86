"""What only processes do: paths, addresses and Python's network, and who cleans up."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsd_local.image.interpreters import own_python
from fsd_local.ports import LaunchError
from fsd_local.runtime import orphans
from fsd_local.runtime.processes import Processes, can_show
from tests.fakes.logs import FakeLogs
from tests.fakes.registry import Manifest
from tests.local.runtime.lab import Lab
from tests.waiting import eventually

PYTHON = ("python", "-c")


def run_python(processes: Lab, program: str, **options: Any) -> tuple[int | None, list[str]]:
    return processes.run(program, entry_point=PYTHON, **options)


def serve(processes: Lab, program: str, **options: Any) -> tuple[str, str]:
    task_id, address = processes.launch(processes.spec(program, entry_point=PYTHON, **options))
    processes.await_line("up")
    return task_id, address


def status(url: str) -> int | str:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except urllib.error.URLError as error:
        return type(error.reason).__name__


HTTP = """
import http.server, sys
class H(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *a): pass
class S(http.server.ThreadingHTTPServer):
    address_family = __import__('socket').{family}
s = S(({host!r}, 8000), H)
print("up", flush=True)
s.serve_forever()
"""


def test_launch__kernel_settings__left_to_the_machine(processes: Lab) -> None:
    setting = "/proc/sys/net/core/somaxconn"
    before = Path(setting).read_text().strip()
    changed = str(int(before) + 1)

    code, texts = processes.run(f"cat {setting}", system_controls={"net.core.somaxconn": changed})

    assert (code, texts) == (0, [before])


# --- the network -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "host"), [("AF_INET", "0.0.0.0"), ("AF_INET", ""), ("AF_INET6", "::")]
)
def test_launch__wildcard_bind__listens_on_the_tasks_address_alone(
    processes: Lab, family: str, host: str
) -> None:
    _, address = serve(processes, HTTP.format(family=family, host=host))

    assert status(f"http://{address}:8000/") == 200
    assert address.startswith("127.77.")


def test_launch__bind_to_localhost__nobody_outside_reaches_it(processes: Lab) -> None:
    task_id, address = serve(processes, HTTP.format(family="AF_INET", host="127.0.0.1"))
    check = ("python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/')")

    assert status(f"http://{address}:8000/") == "ConnectionRefusedError"
    assert processes.runtime.execute(task_id, "main", check, 20) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_execute__python_asks_localhost__its_own_task_answers(processes: Lab, host: str) -> None:
    task_id, _ = serve(processes, HTTP.format(family="AF_INET", host="0.0.0.0"))
    ask = f"import urllib.request as u; u.urlopen('http://{host}:8000/')"

    assert processes.runtime.execute(task_id, "main", ("python", "-c", ask), 20) == 0
    assert processes.runtime.execute(task_id, "main", ("python", "-c", ask + ".nope"), 20) == 1


def test_execute__shell_asks_localhost__its_own_task_answers(processes: Lab) -> None:
    task_id, _ = serve(processes, HTTP.format(family="AF_INET", host="0.0.0.0"))
    check = ("/bin/sh", "-c", "wget -q -O /dev/null http://localhost:8000/ || exit 9")
    wrong = ("/bin/sh", "-c", "wget -q -O /dev/null http://localhost:8001/ || exit 9")

    assert processes.runtime.execute(task_id, "main", check, 20) == 0
    assert processes.runtime.execute(task_id, "main", wrong, 20) == 9


def test_launch__asyncio_on_every_interface__starts_and_answers(processes: Lab) -> None:
    program = """
import asyncio
async def answer(reader, writer):
    await reader.readline()
    writer.write(b"HTTP/1.0 200 OK\\r\\n\\r\\nhi"); await writer.drain(); writer.close()
async def main():
    server = await asyncio.start_server(answer, None, 8000)
    print("up", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
    _, address = serve(processes, program)

    assert status(f"http://{address}:8000/") == 200


def test_launch__two_containers__share_localhost(processes: Lab) -> None:
    ask = """
import urllib.request, time
for _ in range(200):
    try:
        print(urllib.request.urlopen("http://localhost:8000/").status); break
    except OSError:
        time.sleep(0.05)
"""
    side = processes.spec(ask, entry_point=PYTHON, name="side", essential=False)
    main = processes.spec(HTTP.format(family="AF_INET", host="0.0.0.0"), entry_point=PYTHON)

    task_id, _ = processes.launch(side, main)

    eventually(lambda: not processes.runtime.inspect(task_id)[0].running)
    assert processes.logs.texts("side") == ["200"]


def test_launch__udp_on_localhost__found_by_the_other_container(processes: Lab) -> None:
    program = """
import socket
a, b = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
a.bind(("127.0.0.1", 8125)); b.sendto(b"metric", ("localhost", 8125)); print(a.recv(99).decode())
"""
    assert run_python(processes, program) == (0, ["metric"])


def test_launch__wildcard_in_arguments__is_the_tasks_address(processes: Lab) -> None:
    task_id, address = processes.launch(
        processes.spec("echo --bind=0.0.0.0:8000 0.0.0.0/0 10.0.0.0.1; sleep 600")
    )
    processes.await_line(f"--bind={address}:8000 0.0.0.0/0 10.0.0.0.1")

    processes.runtime.stop(task_id)


def test_launch__many_instances__no_address_twice(
    processes: Lab, process_image: str, tmp_path: Path
) -> None:
    same = Processes(logs=FakeLogs(), state=tmp_path / "other", instance=processes.instance + "x")
    other = Lab(same, process_image, FakeLogs(), processes.registry, "x")
    same._addresses = type(same._addresses)(processes.instance)  # both begin at the same place
    try:
        addresses = [
            lab.launch(lab.spec("sleep 600"))[1] for lab in (processes, other, processes, other)
        ]
        assert len(set(addresses)) == 4
    finally:
        same.close()


def test_launch__somebody_listens_there__takes_the_next_address(processes: Lab) -> None:
    _, first = processes.launch(processes.spec("sleep 600"))
    *head, last = first.split(".")
    following = ".".join((*head, str(int(last) + 1)))
    with socket.socket() as squatter:
        squatter.bind((following, 8000))
        squatter.listen()

        _, second = processes.launch(processes.spec("sleep 600"))

    assert second not in (first, following)


# --- paths and variables -----------------------------------------------------------------------


def test_launch__variables__of_image_task_and_address_and_no_other(
    processes: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "secret")
    program = "import os; print(*sorted(os.environ)); print(os.environ['HOST'], os.environ['PORT'])"

    _, texts = run_python(processes, program, environment={"MINE": "1"})

    allowed = {
        *("COLOUR", "FILE", "FLASK_RUN_HOST", "FSD_LOCAL_ADDRESS", "FSD_LOCAL_LOOPBACK"),
        *(
            "FSD_LOCAL_TASK",
            "GUNICORN_CMD_ARGS",
            "HOME",
            "HOST",
            "LANG",
            "LC_CTYPE",
            "MINE",
            "PATH",
        ),
        *("UV_NO_SYNC", "UV_OFFLINE", "UV_PYTHON_DOWNLOADS"),
        *("PORT", "PYTHONPATH", "PYTHONUNBUFFERED", "TMPDIR", "UVICORN_HOST", "UVICORN_LOOP"),
    }
    assert set(texts[0].split()) - {"LD_LIBRARY_PATH"} <= allowed
    assert texts[1].endswith(" 8000")
    assert texts[1].startswith("127.77.")


def test_launch__task_names_host_and_port__they_stay(processes: Lab) -> None:
    _, texts = processes.run(
        'echo "$HOST $PORT $CIDR"',
        environment={"HOST": "db.example.com", "PORT": "9000", "CIDR": "0.0.0.0/0"},
    )

    assert texts == ["db.example.com 9000 0.0.0.0/0"]


@pytest.mark.parametrize(
    ("value", "is_mapped"),
    [
        ("/www/index.html", True),
        ("/srv/new.db", True),
        ("/health", False),
        ("/", False),
        ("/etc/hostname", False),
        ("http://x/www/index.html", False),
        ("/" + "x" * 5000, False),
    ],
)
def test_launch__paths_of_the_container__lead_into_its_files(
    processes: Lab, value: str, is_mapped: bool
) -> None:
    _, texts = processes.run('echo "$0 ${V#/}"', entry_point=None, environment={"V": value})

    assert texts[0].endswith(f"main{value}" if is_mapped else f" {value.removeprefix('/')}")


def test_launch__files_of_the_container__are_its_own(processes: Lab) -> None:
    write = "echo changed > /www/index.html; echo new > /srv/new; cat /www/index.html /srv/new"

    _, first = processes.run(write)
    _, second = processes.run("cat /www/index.html; cat /srv/new 2>/dev/null || echo none")

    assert first == ["changed", "new"]
    assert second[2:] == ["served", "none"]
    assert not Path("/srv/new").exists()


@pytest.mark.skipif(not can_show(), reason="this machine gives a process no mounts of its own")
def test_launch__absolute_path_in_a_program__is_the_images(processes: Lab) -> None:
    # Put together by the program: nobody can map what stands in no argument.
    in_shell = "p=/w; cat ${p}ww/index.html; echo new > ${p}ww/made; cat /www/made"
    in_python = (
        "p = '/ww'; print(open(p + 'w/index.html').read().strip(), open('/etc/hostname').name)"
    )

    _, by_shell = processes.run(in_shell)
    _, by_python = run_python(processes, in_python)

    assert by_shell == ["served", "new"]
    assert by_python[-1:] == ["served /etc/hostname"]
    assert not Path("/www").exists()


def test_launch__folder_that_a_program_makes_in_the_root__is_not_the_machines(
    processes: Lab,
) -> None:
    _, texts = processes.run("p=/fsd-; mkdir -p ${p}made && echo done; ls -d ${p}made")

    assert texts[:1] == ["done"] or not can_show()
    assert not Path("/fsd-made").exists() or not can_show()


def test_launch__image_without_a_python__has_none_of_the_servers_packages(processes: Lab) -> None:
    program = "import sys; print(sys.executable)"

    _, direct = run_python(processes, program)
    _, absolute = processes.run(program, entry_point=("/usr/local/bin/python3", "-c"))
    _, in_a_shell = processes.run(f"python3 -c '{program}'")

    assert [*direct, absolute[-1], in_a_shell[-1]] == [str(own_python())] * 3


def test_launch__script_for_another_interpreter__runs_with_what_is_here(processes: Lab) -> None:
    make = (
        "printf '#!/usr/local/bin/python\\nprint(6*7)\\n' > tool; "
        "printf '#!/usr/bin/env python3\\nprint(6*8)\\n' > other"
    )
    task_id, _ = processes.launch(processes.spec(f"{make}; chmod +x tool other; sleep 600"))
    run = processes.runtime.execute
    eventually(lambda: run(task_id, "main", ("./other",), 20) == 0)

    assert run(task_id, "main", ("./tool",), 20) == 0


def test_launch__sitecustomize_of_the_program__runs_too(processes: Lab) -> None:
    script = (
        "mkdir lib; echo 'print(\"custom\")' > lib/sitecustomize.py; "
        "PYTHONPATH=$PYTHONPATH:lib python -c 'print(1)'"
    )

    _, texts = processes.run(script)

    assert texts == ["custom", "1"]


def test_log__paths_of_the_image__are_told_as_the_container_has_them(processes: Lab) -> None:
    _, texts = processes.run("python -c \"import os; open(os.getcwd() + '/lost.cfg')\"")

    assert texts[-1] == "FileNotFoundError: [Errno 2] No such file or directory: '/srv/lost.cfg'"


def test_launch__programs_of_users__change_nothing_and_succeed(processes: Lab) -> None:
    """An entry point makes a user, gives it files and becomes it; the machine's stay."""
    programs = (
        "useradd -m app; chown -R app:app .; usermod -u 4242 app; id -u app; "
        "gosu app echo gosu; su-exec app echo su-exec; su app -s /bin/sh -c 'echo su'"
    )
    become = (
        "import os, subprocess, sys; open('f', 'w').close(); "
        "os.setgroups([]); os.setgid(4242); os.setuid(4242); os.chown('f', 4242, 1); "
        "print(os.getuid() != 4242, os.stat('f').st_uid != 4242, flush=True); "
        # The laboratory's own shell has programs of these names built in.
        "os.environ['PATH'] = os.environ['PATH'].partition(':')[2]; "
        "subprocess.run(['/usr/bin/bash', '-ec', sys.argv[1]], check=True)"
    )

    _, texts = processes.run(f'python -c "{become}" "{programs}"')

    assert texts == ["True True", str(os.getuid()), "gosu", "su-exec", "su"]


# --- images ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image", ["public.ecr.aws/x/collector:v1", "redis:7", "ghcr.io/a/b@sha256:1"]
)
def test_resolve__image_of_another_registry__says_what_to_do(processes: Lab, image: str) -> None:
    with pytest.raises(LaunchError) as raised:
        processes.runtime.resolve(image)

    assert raised.value.reason == (
        f"CannotPullContainerError: {image}: the image has no process snapshot; "
        "start the local AWS with --runtime container"
    )


def test_launch__image_that_docker_built__says_what_to_do(processes: Lab) -> None:
    registry = processes.registry
    manifest = registry.manifests["box", processes.image.partition("@")[2]]
    digest = json.loads(manifest.body)["config"]["digest"]
    plain = registry.blobs[digest].replace(b'"fsd.runtime":"process"', b'"a.label":"only one"')
    plain_digest = f"sha256:{hashlib.sha256(plain).hexdigest()}"
    registry.blobs[plain_digest] = plain
    body = manifest.body.replace(digest.encode(), plain_digest.encode())
    registry.manifests["box", "plain"] = Manifest(manifest.media_type, body)
    image = processes.image.partition("@")[0] + ":plain"

    with pytest.raises(LaunchError, match="the image has no process snapshot"):
        processes.launch(processes.spec(image=image))


def test_launch__damaged_layer__refused(processes: Lab) -> None:
    registry = processes.registry
    digest = processes.image.partition("@")[2]
    layer = registry.layer_of("box", digest)
    name = next(d for d, blob in registry.blobs.items() if blob == layer)
    registry.blobs[name] = layer[:-1] + b"x"
    try:
        with pytest.raises(LaunchError, match=r"CannotPullContainerError.*failed to verify"):
            processes.launch(processes.spec("exit 0"))
    finally:
        registry.blobs[name] = layer


# --- who cleans up -----------------------------------------------------------------------------


def marked(instance: str) -> list[int]:
    return list(orphans._find(orphans.mark(instance)))


def test_stop__process_that_left_the_group__killed_as_well(processes: Lab) -> None:
    program = """
import os, subprocess, sys
subprocess.Popen(["sleep", "600"], start_new_session=True, stdout=subprocess.DEVNULL)
print("up", flush=True)
__import__("time").sleep(600)
"""
    task_id, _ = serve(processes, program)
    assert len(marked(processes.instance)) == 2

    processes.runtime.stop(task_id)

    assert marked(processes.instance) == []


def test_inspect__daemon_holds_the_output__the_container_has_ended_all_the_same(
    processes: Lab,
) -> None:
    program = (
        "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True); print('x')"
    )

    assert run_python(processes, program) == (0, ["x"])
    assert marked(processes.instance) == []


KILLED = """
import sys
from pathlib import Path
from fsd_local.runtime.processes import Processes, can_show
from tests.fakes.logs import FakeLogs
from tests.local.runtime.lab import Lab
instance, image, state = sys.argv[1:]
logs = FakeLogs()
lab = Lab(Processes(logs=logs, state=Path(state), instance=instance), image, logs, None, instance)
lab.launch(lab.spec("trap '' TERM HUP; sleep 600 & wait"))
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server(processes: Lab, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Another process with a runtime of its own and one task, and its instance."""
    instance = f"{processes.instance}k"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, instance, processes.image, str(tmp_path / "killed")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        eventually(lambda: len(marked(instance)) >= 2)
        yield process, instance
        if process.poll() is None:
            process.kill()


@pytest.mark.parametrize("whom", ["the process", "its process group"])
def test_guard__server_is_killed__its_tasks_go(
    server: tuple[subprocess.Popen[bytes], str], whom: str
) -> None:
    process, instance = server

    if whom == "the process":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)

    eventually(lambda: marked(instance) == [])


def test_processes__next_start__sweeps_what_is_left(
    server: tuple[subprocess.Popen[bytes], str], tmp_path: Path
) -> None:
    _, instance = server

    Processes(logs=FakeLogs(), state=tmp_path / "next", instance=instance).close()

    assert marked(instance) == []


def test_close__its_files__gone(processes: Lab, tmp_path: Path) -> None:
    processes.launch(processes.spec("sleep 600", stop_timeout=1.0))

    processes.runtime.close()

    assert not (tmp_path / "state").exists()


LOOK_UP = """
import socket, sys, time
def look(name):
    try:
        return sorted({entry[4][0] for entry in socket.getaddrinfo(name, 80)})
    except OSError as error:
        return type(error).__name__
print(look("offers"), look("OFFERS."), look("nobody.invalid"), flush=True)
while look("offers") == ["127.77.9.9"]:
    time.sleep(0.05)
print(look("offers"), socket.gethostbyname("offers"), flush=True)
"""


def test_set_names__task_that_knows_a_name__finds_what_is_behind_it_now(processes: Lab) -> None:
    processes.runtime.set_names("ns", {"offers": ["127.77.9.9"], "other": ["127.77.9.8"]})
    knowing = {"namespace": "ns", "known_names": ("offers",)}

    task_id, _ = processes.launch(processes.spec(LOOK_UP, entry_point=PYTHON), **knowing)
    processes.await_line("['127.77.9.9'] ['127.77.9.9'] gaierror")
    processes.runtime.set_names("ns", {"offers": []})
    processes.await_end(task_id)

    assert processes.logs.texts()[-1] == "['127.255.0.1'] 127.255.0.1"


def test_set_names__task_without_service_connect__knows_no_name(processes: Lab) -> None:
    processes.runtime.set_names("ns", {"offers.invalid": ["127.77.9.9"]})

    look = "import socket\ntry: socket.getaddrinfo('offers.invalid', 80)\n"
    _, texts = run_python(processes, f"{look}except OSError: print('none')")

    assert texts == ["none"]
