"""Each key of another tool that a reader asks for, and each key of the manifest that comes of them.

`test_each_key.py` holds that nothing is dropped, but a key that is listed as lost is not dropped:
here a line of a reader that goes, and one that comes without an example of it, are red.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache

import pytest
import yaml

from fsd.importing.compare import Comparison, compare_all
from fsd.importing.compiled import compile_import
from fsd.importing.files import read_files
from fsd.importing.fit import fit
from fsd.importing.original import NOT_THERE
from fsd.importing.reader import Imported, Reader, is_empty
from fsd.importing.values import Value
from fsd.manifest.models import Manifest
from fsd.manifest.schema import places
from tests.golden import golden
from tests.unit.floor.test_floor import said
from tests.unit.importing.test_each_key import BESIDE, SOURCES

# What stands against a key of the samples in test_each_key.py, or in another kind of service.
MORE = {
    "copilot": """
name: worker
type: Worker Service
image: {build: {dockerfile: worker/Dockerfile, context: worker, target: run, args: {A: b}}}
cpu: 256
memory: 512
count: {range: 1-4, memory_percentage: 60, requests: 100,
  queue_delay: {acceptable_latency: 10m, msg_processing_time: 250ms, cooldown: {in: 10s}}}
sidecars:
  nginx: {image: a/c:1, port: 80, healthcheck: {command: [CMD, a], interval: 10s, retries: 2,
    timeout: 5s, start_period: 5s}}
subscribe: {topics: [{name: a, service: b}], queue: {retention: 96h}}
---
name: web
type: Load Balanced Web Service
image: {location: 'a/b:1', port: 80}
http: {path: /, target_container: nginx, alb: main, additional_rules: [
  {path: b, target_container: nginx}]}
nlb: {port: 443/tls, target_port: 80, alias: n.example.com}
cpu: 256
memory: 512
network: {vpc: {placement: private}}
count: {spot: 2}
sidecars: {nginx: {image: 'a/c:1', port: 80}}
---
name: report
type: Scheduled Job
image: {location: 'a/b:1'}
'on': {schedule: '@daily'}
timeout: 1h
retries: 2
cpu: 256
memory: 512
""",
    "compose": """
services:
  web:
    image: a/b:1
    cpus: '0.5'
    mem_limit: 512m
    mem_reservation: 256m
    scale: 2
    deploy: {resources: {reservations: {cpus: '0.5', memory: 512M}}, restart_policy: {
      condition: any}}
    depends_on: {migrate: {condition: service_completed_successfully}}
  migrate:
    image: a/b:1
    command: [migrate]
    environment: {STEP: '1'}
    deploy: {resources: {limits: {cpus: '1', memory: 2G}}}
    restart: 'no'
""",
    "task definition": """
family: api
cpu: '256'
memory: '512'
containerDefinitions:
  - name: api
    image: a/b:1
    portMappings:
      - {name: web, containerPort: 80}
      - {name: rpc, containerPort: 81, appProtocol: grpc}
    logConfiguration: {logDriver: awslogs, options: {awslogs-group: /a/b}}
  - name: proxy
    image: a/c:1
    command: [a]
    secrets: [{name: B, valueFrom: /b}]
    healthCheck: {command: [CMD, a], interval: 5, timeout: 5, retries: 2, startPeriod: 5}
    dependsOn: [{containerName: api, condition: START}]
    repositoryCredentials: {credentialsParameter: a}
    mountPoints: [{sourceVolume: a, containerPath: /a, readOnly: true}]
volumes: [{name: a}]
""",
    "service definition": """
serviceName: api
taskDefinition: api:1
deploymentConfiguration:
  strategy: CANARY
  canaryConfiguration: {canaryPercent: 10, canaryBakeTimeInMinutes: 5}
  lifecycleHooks: [{targetType: PAUSE, lifecycleStages: [POST_SCALE_UP],
    timeoutConfiguration: {timeoutInMinutes: 90, action: CONTINUE}},
    {targetType: AWS_LAMBDA, hookTargetArn: 'arn:aws:lambda:a:1:function:b'}]
---
serviceName: api
taskDefinition: api:1
deploymentConfiguration:
  strategy: LINEAR
  linearConfiguration: {stepPercent: 10, stepBakeTimeInMinutes: 5}
""",
}
# Keys that these tools' files do not have, each with all that is below it: FSD's own, or what
# stands elsewhere in AWS, where `fsd import --cluster` finds it.
OF_NO_TOOL = {
    *("afterDeploy", "beforeDeploy.timeout", "build.cache", "build.secrets", "logs", "timezone"),
    *("autoScaling.metric", "autoScaling.schedules", "autoScaling.targetQueueDepth"),
    *("deployment.steadyFor", "existingSchedule", "existingService", "healthCheck.protocol"),
    *("networking.loadBalancer.accessLogs", "networking.loadBalancer.certificateArn"),
    *("networking.loadBalancer.idleTimeout", "networking.loadBalancer.listenerArn"),
    *("networking.loadBalancer.priority", "networking.loadBalancer.targetGroupArn"),
    *("networking.securityGroups.ids", "networking.securityGroups.only", "roles.boundary"),
    *("observability.logs.enabled", "observability.logs.kmsKey", "observability.metrics"),
    "observability.traces.otlpEndpoint",
}
SERVICE_PLACES = sorted(
    {tuple(map(str, place)) for place in places(Manifest) if place[0] == "service"}
)


def texts_of(source: str) -> Iterator[dict[str, str]]:
    """The files of each example."""
    file, first = SOURCES[source]
    for each in [first, *filter(str.strip, MORE.get(source, "").split("---\n"))]:
        texts = {file: json.dumps(yaml.safe_load(each))}
        if source == "copilot":
            texts["copilot/.workspace"] = "application: shop\n"
        if source == "service definition":
            texts["t.json"] = json.dumps(BESIDE)
        yield texts


def imports(source: str) -> Iterator[Imported]:
    for texts in texts_of(source):
        yield from read_files(texts, pack="team", folder="shop")[0]


def as_key(place: str) -> str:
    """Without numbers and names, the same in each file that has a container."""
    place = re.sub(r"\[\d+\]", "[]", place)
    place = re.sub(r"^(services|sidecars)\.[^.]+", r"\1.*", place)
    place = re.sub(r"^taskdef_overrides\.container", "containerDefinitions[]", place)
    return place.removeprefix("taskdef_overrides.")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Each key that a reader asks for, and whether a file has it."""
    found: dict[str, bool] = {}
    losing: list[str] = []
    lose = Reader.lose

    def spied_lose(reader: Reader, key: str, reason: str) -> None:
        losing.append(key)
        lose(reader, key, reason)
        losing.pop()

    def spied(read: Callable[[Reader, str], Value]) -> Callable[[Reader, str], Value]:
        def ask(reader: Reader, key: str) -> Value:
            if not losing:
                place = as_key(reader.place(key))
                found[place] = found.get(place, False) or not is_empty(reader.values.get(key))
            return read(reader, key)

        return ask

    monkeypatch.setattr(Reader, "lose", spied_lose)
    for name in ("take", "number", "seconds"):
        monkeypatch.setattr(Reader, name, spied(getattr(Reader, name)))
    return found


def test_readers__every_key_that_one_asks_for__is_in_a_file_of_these_tests(
    asked: dict[str, bool],
) -> None:
    for source in SOURCES:
        assert list(imports(source))

    assert {place for place, is_there in asked.items() if not is_there} == set()


def above(place: tuple[str, ...]) -> tuple[str, ...]:
    """The key that a key is in; an item of a list is none."""
    return place[:-2] if place[-2] == "0" else place[:-1]


@cache
def tools_of() -> dict[tuple[str, ...], list[str]]:
    """Each key of the manifest, and the tools whose files give it."""
    found: dict[tuple[str, ...], list[str]] = {place: [] for place in SERVICE_PLACES}
    for source in SOURCES:
        told = {place for each in imports(source) for place in said(each.tree["service"])}
        for place in told & found.keys():
            found[place].append(source)
    return found


def test_manifest__every_key__comes_of_the_tools_that_the_list_says() -> None:
    text = "".join(
        f"{'.'.join(place).replace('.0', '[]')}: {', '.join(tools) or '-'}\n"
        for place, tools in tools_of().items()
    )

    assert text == golden("importing/keys.txt", text)


def test_manifest__keys_that_no_tool_gives__are_those_that_somebody_decided_on() -> None:
    """A new key is read from the files of each tool that has it, or stands here."""
    without = {place for place, tools in tools_of().items() if not tools and len(place) > 1}
    highest = {place for place in without if above(place) not in without}

    assert {".".join(place[1:]) for place in highest} == OF_NO_TOOL


def checked(source: str) -> Iterator[tuple[Imported, Comparison]]:
    for imported in imports(source):
        fitted = fit(imported)
        for environment in imported.originals:
            compiled = compile_import(fitted, environment)
            yield (
                fitted.imported,
                compare_all(compiled.original, compiled.definition, compiled.around),
            )


@pytest.mark.parametrize("source", SOURCES)
def test_check__key_that_is_imported__is_compared_or_a_reason_says_why_not(source: str) -> None:
    """`NOT_THERE` is for what is lost: of a key that is imported it would be wrong."""
    wrong = {
        loss.where
        for imported, compared in checked(source)
        for loss in compared.uncompared
        if loss.reason == NOT_THERE
        and not any(each.where.startswith(loss.where) for each in imported.losses)
    }

    assert wrong == set()
