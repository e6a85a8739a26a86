"""Feeds every parser with damaged and made-up texts: each answers in time, or raises an error of
ours.

    python -m tests.security.fuzz --inputs 100000 --seed 7

A seed makes the same inputs again. What is found is printed as it can be pasted into a test.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fsd.account.joined import parse_repository, require_service_name
from fsd.action.decide import decide
from fsd.action.inputs import read_inputs
from fsd.app.image import split_reference
from fsd.errors import FsdError
from fsd.github.context import read_context
from fsd.github.runner import PREFIX, Runner
from fsd.importing.files import read_files
from fsd.importing.fit import fit
from fsd.importing.write import write_file
from fsd.lint.run import lint
from fsd.lint.workflows import lint_workflows
from fsd.lint.workflows.shell import parse_script
from fsd.manifest.environments import Environment, load_environments
from fsd.manifest.load import load_manifest
from fsd.manifest.ref_patterns import find_problem, matches
from fsd.manifest.resource_names import name_fault
from fsd.release.mask import mask, mask_lines
from fsd.rollout.denials import find_denial
from fsd.rollout.failures import classify_event
from fsd.rollout.reasons import read_reason
from fsd.scaffold.detect import detect
from fsd.scaffold.folder import Folder
from fsd.streams import log_text
from fsd_files.dockerfile import parse_dockerfile
from fsd_files.errors import FileError
from fsd_files.ignore import parse_ignore
from fsd_local.doorkeeper import read_host
from fsd_local.image.stages import play

LONGEST = 10  # seconds for one input; on an idle machine it takes milliseconds
MOST_CHARACTERS = 4_000

MANIFEST = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: offer-api, pack: offers, owners: ["@org/offers"]}
service:
  type: ecs
  port: 8000
  healthCheck: {path: /health, interval: 10, timeout: 5}
  resources: {cpu: 512, memory: 1024, desiredCount: 2}
  environment: {A: "${ENV}-$$x", B: 'no'}
  secrets:
    - name: P
      valueFrom: arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf:k::
  networking: {loadBalancer: {internal: false}}
dependencies:
  - type: aws_dynamodb_table
    name: ${ENV}-offers
    permissions: [dynamodb:GetItem, dynamodb:*]  # fsd: ignore[wildcard-permission] why
"""
ENVIRONMENTS = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: prod}
spec:
  account: "123456789012"
  branches: [main, 'release/**', '!x']
  tags: ['v[0-9]+']
  overrides: {resources: {cpu: 1024}}
---
apiVersion: fsd/v1
kind: Environment
metadata: {name: dev}
spec: {promoteFrom: prod, protected: true}
"""
DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG V=3.11
FROM python:${V}-slim AS build
WORKDIR /app
ENV A=1 B="two words" C=${A:-x}
COPY --from=build --chown=1:1 ["a b", "/c/"]
RUN pip install \\
    -r requirements.txt <<EOF
EOF
HEALTHCHECK --interval=5s CMD curl -f http://localhost/ || exit 1
FROM build
CMD ["python", "-m", "app"]
"""
WORKFLOW = """\
on: {push: {branches: [main, 'release/*']}, workflow_run: {workflows: [ci]}}
env: {A: b}
jobs:
  test: {runs-on: ubuntu-latest, steps: [{run: pytest}]}
  deploy:
    needs: [test]
    strategy: {matrix: {env: [dev, prod]}}
    steps:
      - uses: org/fsd-deploy@v1
        with: {environment: "${{ matrix.env }}"}
      - run: |
          curl -sSL https://x.example/i.sh | bash
          aws ecs update-service --cluster c --service s --force-new-deployment
          docker build -t a:latest . && docker push a:latest
"""
SCRIPT = """\
set -e; for x in a b; do echo "$x" 'y' $(aws sts get-caller-identity) `ls`; done
cat <<'EOF' >f
a
EOF
if [[ $A == b ]]; then bash -c "aws ecs update-service"; fi | xargs -I{} echo {} 2>&1 &
"""
EVENT = json.dumps(
    {
        "ref": "refs/heads/main",
        "pull_request": {
            "number": 7,
            "merged": True,
            "head": {"sha": "a" * 40, "ref": "x", "repo": {"full_name": "o/r", "fork": False}},
            "base": {"ref": "main", "repo": {"full_name": "o/r", "private": True}},
        },
        "workflow_run": {"event": "push", "conclusion": "success", "head_branch": "main"},
        "release": {"tag_name": "v1"},
        "repository": {"full_name": "o/r", "default_branch": "main"},
    }
)
LOG = (
    'ERROR {"password": "hunter2", "url": "postgres://u:p@h/d"} Authorization: Bearer abc.def.ghi '
    "--token=xyz arn:aws:iam::123456789012:role/x AKIAIOSFODNN7EXAMPLE b'secret=1' \\\"k\\\": 1"
)
LOGS = (
    f"{LOG}\nDB_PASSWORD:\n  hunter2\n- name: TOKEN\n  value: x1y2\nuser,password\n"
    "bob,hunter2\n-----BEGIN PRIVATE KEY-----"
)
REASON = (
    "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve "
    "ref 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:1: User: arn:aws:sts::1:"
    "assumed-role/r/s is not authorized to perform: ecr:BatchGetImage because no identity-based "
    "policy allows the action"
)
COMPOSE = """\
services:
  web:
    build: {context: ., dockerfile: Dockerfile, args: {A: b}, target: x}
    command: ["python", "-m", "app"]
    ports: ["8000:80", {target: 80, published: "8000"}]
    environment: {A: b, URL: "postgres://u:p@db/x"}
    env_file: [.env]
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: ["CMD", "curl", "-f", "http://localhost/health"], interval: 10s}
    deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 512M}}}
    ulimits: {nofile: {soft: 1, hard: 2}}
  worker: {image: x, command: celery -A app worker, extends: {service: web}}
  db: {image: "postgres:16", volumes: ["d:/var/lib"]}
volumes: {d: {}}
"""
COPILOT = """\
name: web
type: Load Balanced Web Service
image: {build: ./Dockerfile, port: 8000}
http: {path: '/', healthcheck: {path: /health, interval: 10s}, alias: a.example.com}
cpu: 256
memory: 512
count: {range: 1-10, cpu_percentage: 70}
variables: {A: b}
secrets: {P: /copilot/${COPILOT_APPLICATION_NAME}/p}
environments: {prod: {count: 3, variables: {A: c}}}
sidecars: {x: {image: y, port: 80}}
storage: {volumes: {v: {path: /x, efs: true}}}
"""
APP_RUNNER = """\
version: 1.0
runtime: python3
build: {commands: {build: [pip install -r requirements.txt]}}
run: {command: gunicorn app:app, network: {port: 8000}, env: [{name: A, value: b}]}
"""
TASK_DEFINITION = json.dumps(
    {
        "family": "web",
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "containerDefinitions": [
            {
                "name": "web",
                "image": "r/web:1",
                "portMappings": [{"containerPort": 80, "protocol": "tcp"}],
                "environment": [{"name": "A", "value": "b"}],
                "secrets": [{"name": "P", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:p"}],
                "mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}],
                "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 5},
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/x"}},
                "dependsOn": [{"containerName": "x", "condition": "START"}],
            },
            {"name": "x", "image": "y", "essential": False},
        ],
        "volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}],
        "tags": [{"key": "a", "value": "b"}],
    }
)
RUNNING = json.dumps(
    {
        "services": [
            {
                "serviceName": "web",
                "desiredCount": 2,
                "taskDefinition": "web:1",
                "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
                "deploymentConfiguration": {"minimumHealthyPercent": 50, "maximumPercent": 200},
                "loadBalancers": [{"containerName": "web", "containerPort": 80}],
            }
        ]
    }
)
PROJECT = """\
[project]
name = "web"
dependencies = ["fastapi", "uvicorn[standard]>=0.3", "boto3; python_version > '3'"]
[tool.poetry.scripts]
web = "app:main"
"""
CODE = """\
import os, boto3
from fastapi import FastAPI
app = FastAPI()
URL = os.environ["DATABASE_URL"] or os.getenv("TOKEN", f"{1}")
@app.get("/health")
def health(): return boto3.client("s3").get_object(Bucket="x", Key="y")
if __name__ == "__main__": app.run(host="0.0.0.0", port=int(os.environ.get("PORT", 8000)))
"""
PIECES = (
    "",
    "\0",
    "\ufeff",
    "\u2028",
    "\u202e",
    "\ud7ff",
    "\U0001f600",
    "\x1b[31m",
    "\r\n",
    "\t",
    "'",
    '"',
    "`",
    "\\",
    "{{",
    "}}",
    "${",
    "}",
    "$$",
    "${ENV}",
    "&a",
    "*a",
    "<<: *a",
    "!!python/object:os.x",
    "- ",
    ": ",
    "? ",
    "[",
    "]",
    "[[[[",
    "{",
    "---\n",
    "#",
    "|",
    ">",
    "%",
    "**/",
    "*a*a*a*a*",
    "[z-a]",
    "[^",
    "?",
    "\\",
    "/",
    "//",
    "..",
    "../../",
    "a" * 300,
    "0" * 40,
    "9" * 30,
    "-1",
    "1e999",
    "0x1f",
    "true",
    "null",
    "~",
    "EOF",
    "<<EOF",
    "$(",
    "`",
    "|&",
    ">&",
    "&&",
    "::error::",
    "=",
    ",",
    ";",
    "arn:aws:",
    "sha256:",
    "@",
    ":",
    "é",
    "ß",
    "\xa0",
    "１２",
    "null",
    "[]",
    "{}",
    "\\u0000",
    "\\",
)


@dataclass(frozen=True, slots=True)
class Parser:
    name: str
    seeds: Sequence[str]
    parse: Callable[[str], object]


def _manifest(text: str) -> None:
    loaded = load_manifest(text, path="service.yml", variables={"ENV": "prod"})
    lint(loaded, "prod", environments=[Environment(name="prod")], today=date(2026, 11, 29))


def _overrides(text: str) -> None:
    load_manifest(MANIFEST, path="service.yml", overrides=text.splitlines()[:20])


def _dockerfile(text: str) -> None:
    instructions = parse_dockerfile(text)
    play(instructions, context={}, build_args={"V": "1"}, architecture="amd64")


def _ignore(text: str) -> None:
    ignore = parse_ignore(text)
    for path in ("a", "a/b/c.py", "x" * 200, "a/" * 60 + "z"):
        ignore.excludes(path)
        ignore.may_hold_exceptions(path)


def _event(text: str) -> None:
    context = read_context(
        {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REPOSITORY": "o/r"}, event_text=text
    )
    inputs = read_inputs(Runner({}, stream=io.StringIO()))
    decide(context, inputs, {})


def _inputs(text: str) -> None:
    names = (
        "timeout",
        "branch-environments",
        "build-args",
        "build-secrets",
        "overrides",
        "rollback",
        "rollback-to",
        "in-flight",
        "comment-logs",
        "platforms",
        "cache",
        "service-file",
    )
    lines = text.split("\n")
    environ: Mapping[str, str] = {
        PREFIX + name.upper().replace("-", "_"): lines[number % len(lines)]
        for number, name in enumerate(names)
    }
    read_inputs(Runner(environ, stream=io.StringIO()))


def _patterns(text: str) -> None:
    lines = text.splitlines()[:20]
    if find_problem(lines) is None:
        matches(lines, "release/1.2")


def _names(text: str) -> None:
    for type_ in ("aws_s3_bucket", "aws_lambda_function", "aws_kms_key"):
        name_fault(type_, text)


def _import(text: str) -> None:
    for path in ("copilot/web/manifest.yml", "compose.yml"):
        found, _ = read_files({path: text, "service.json": RUNNING}, pack="p", folder="f")
        for each in found:
            fitted = fit(each)
            done = fitted.imported
            write_file(fitted.text, source=path, losses=done.losses, notes=done.notes)


def _init(text: str) -> None:
    names = ("Dockerfile", "compose.yml", "pyproject.toml", ".env.example", "Procfile", "run.sh")
    folder = Folder(
        root=Path("/x"),
        repository=None,
        texts=dict.fromkeys(names, text),
        sources={"app.py": text, "web/main.py": CODE},
        tests=(),
        names=frozenset({*names, "app.py", "web/main.py"}),
        has_dockerfile=True,
        remote=text[:200],
        owners=text,
        owners_path="CODEOWNERS",
    )
    detect(folder)


def _bootstrap(text: str) -> None:
    for read in (require_service_name, parse_repository):
        with suppress(FsdError):
            read(text)


def _log(text: str) -> None:
    for is_colored in (True, False):
        shown = log_text(text, is_colored=is_colored, in_workflow=True)
        if len(shown.splitlines()) > 1 or shown.lstrip().startswith("::") or "##[" in shown:
            raise ValueError(f"it is a command: {shown!r}")


def _reason(text: str) -> None:
    read_reason(text)
    find_denial(text)
    classify_event(f"(service web) was unable to place a task. Reason: {text}")


PARSERS = (
    Parser("manifest", [MANIFEST], _manifest),
    Parser("environments", [ENVIRONMENTS], lambda t: load_environments(t, path="e.yml")),
    Parser("overrides", ["resources.cpu=2048\nenvironment.A=b", "secrets[0].name=X"], _overrides),
    Parser("dockerfile", [DOCKERFILE], _dockerfile),
    Parser("dockerignore", ["*.md\n!README.md\n**/x\n[a-c]?\n\\*", "*a*b*c*d/**/e/**"], _ignore),
    Parser("image", ["r.example:5000/a/b:v1@sha256:" + "a" * 64, "a:b"], split_reference),
    Parser("workflow", [WORKFLOW], lambda t: lint_workflows({".github/workflows/d.yml": t})),
    Parser("script", [SCRIPT], parse_script),
    Parser("event", [EVENT], _event),
    Parser("inputs", ["20m\nmain=prod, release/*=dev\nA=b\nid=x,env=Y\nresources.cpu=1"], _inputs),
    Parser("patterns", ["main\nrelease/**\n!x\nv[0-9]+", "a?b+\n[ab]"], _patterns),
    Parser("names", ["arn:aws:s3:::offers", "${ENV}-x"], _names),
    Parser("import", [COMPOSE, COPILOT, APP_RUNNER, TASK_DEFINITION], _import),
    Parser("init", [DOCKERFILE, COMPOSE, PROJECT, CODE, SCRIPT], _init),
    Parser("bootstrap", ["org/repo", "org@12/repo@34", "offer-api"], _bootstrap),
    Parser("printed log", [f"\x1b[31m::error::x\n{LOG}", "a ##[add-path]b"], _log),
    Parser("log line", [LOG], mask),
    Parser("log lines", [LOGS], lambda t: list(mask_lines(t.split("\n")))),
    Parser("reason", [REASON], _reason),
    Parser("host", ["127.0.0.1:4566", "[::1]:80", "a.localhost."], read_host),
)


class TooLongError(BaseException):
    """No Exception: no parser may catch it."""


@dataclass(frozen=True, slots=True)
class Fault:
    parser: str
    text: str
    error: str

    def __str__(self) -> str:
        return f"{self.parser}: {self.error}\n  {self.text!r}"


def inputs(seed: int, count: int) -> Iterator[tuple[Parser, str]]:
    """The parsers in turns; each text from a seed by one to eight changes."""
    choose = random.Random(seed)
    for number in range(count):
        parser = PARSERS[number % len(PARSERS)]
        yield parser, _changed(choose, choose.choice(parser.seeds))


def _changed(choose: random.Random, text: str) -> str:
    for _ in range(choose.randint(1, 8)):
        start = choose.randint(0, len(text))
        end = min(len(text), start + choose.choice((0, 0, 1, 3, 20, 200)))
        match choose.randrange(6):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:start] + text[start:end] * choose.choice((2, 3, 40)) + text[end:]
            case 2:
                other = choose.randint(0, len(text))
                text = text[:start] + text[other : other + end - start] + text[end:]
            case 3:
                text = text[:start] + chr(choose.choice((choose.randrange(128), 0x2028, 0x10FFFF)))
                text += text[end:]
            case _:
                piece = choose.choice(PIECES) * choose.choice((1, 1, 1, 2, 30))
                text = text[:start] + piece + text[end:]
    return text[:MOST_CHARACTERS]


def run(seed: int, count: int) -> tuple[list[Fault], Counter[str], float]:
    """(faults, inputs by parser, the slowest in seconds)."""
    faults: list[Fault] = []
    tried: Counter[str] = Counter()
    slowest = 0.0
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        for parser, text in inputs(seed, count):
            started = time.monotonic()
            fault = _try(parser, text)
            slowest = max(slowest, time.monotonic() - started)
            tried[parser.name] += 1
            if fault is not None:
                faults.append(fault)
    finally:
        signal.signal(signal.SIGALRM, before)
    return faults, tried, slowest


def _ring(*_: object) -> None:
    raise TooLongError


def _try(parser: Parser, text: str) -> Fault | None:
    signal.alarm(LONGEST)
    try:
        parser.parse(text)
    except (FsdError, FileError):
        return None
    except TooLongError:
        return Fault(parser.name, text, f"no answer in {LONGEST} s")
    except Exception as error:
        return Fault(parser.name, text, f"{type(error).__name__}: {error}")
    finally:
        signal.alarm(0)
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    faults, tried, slowest = run(options.seed, options.inputs)
    lines = [str(fault) for fault in faults[:50]]
    lines += [f"{number:7,}  {name}" for name, number in sorted(tried.items())]
    lines.append(f"seed {options.seed}, slowest {slowest:.2f} s")
    lines.append(f"{tried.total() - len(faults)} passed, {len(faults)} failed")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
