"""Many services, rolled out at once in one embedded AWS. See README.md."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from fsd.aws.ecr import ContainerRegistry
from fsd.aws.session import AwsSession
from fsd.image.build import build_image
from fsd_local import instance as local
from fsd_local.instance import Instance
from fsd_local.settings import Settings

HELLO = Path(__file__).parent.parent.parent / "examples" / "services" / "hello"
CLUSTER = "benchmark"
PORT = 8000
BAD_EVERY = 10
PATIENCE = 600.0  # seconds
POLL = 0.2
FINAL = {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """An instance, clients of it, and the image that all services run."""

    instance: Instance
    ecs: Any
    elbv2: Any
    image: str

    def create(self, name: str) -> None:
        group = self._make_target_group(name)
        self.ecs.create_service(
            cluster=CLUSTER,
            serviceName=name,
            taskDefinition=self.register(name, {}),
            desiredCount=1,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-00000001"]}},
            deploymentConfiguration=BREAKER,
            loadBalancers=[
                {"targetGroupArn": group, "containerName": "app", "containerPort": PORT}
            ],
            healthCheckGracePeriodSeconds=600,
        )

    def _make_target_group(self, name: str) -> str:
        (group,) = self.elbv2.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=PORT,
            VpcId="vpc-00000001",
            TargetType="ip",
            HealthCheckPath="/health",
            HealthCheckIntervalSeconds=10,
        )["TargetGroups"]
        (balancer,) = self.elbv2.create_load_balancer(
            Name=name, Subnets=["subnet-00000001", "subnet-00000002"]
        )["LoadBalancers"]
        self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
        )
        return str(group["TargetGroupArn"])

    def register(self, name: str, environment: dict[str, str]) -> str:
        definition = self.ecs.register_task_definition(
            family=name,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[
                {
                    "name": "app",
                    "image": self.image,
                    "portMappings": [{"containerPort": PORT}],
                    "environment": [{"name": k, "value": v} for k, v in environment.items()],
                }
            ],
        )["taskDefinition"]
        return str(definition["taskDefinitionArn"])

    def update(self, name: str, *, is_bad: bool) -> None:
        environment = {"HELLO_CRASH": "1"} if is_bad else {"VERSION": "2"}
        self.ecs.update_service(
            cluster=CLUSTER, service=name, taskDefinition=self.register(name, environment)
        )

    def wait(self, names: Sequence[str]) -> Counter[str]:
        """The newest deployments' statuses, once all of them are final."""
        deadline, pause = time.monotonic() + PATIENCE, threading.Event()
        open_, ended = list(names), Counter[str]()
        while open_ and time.monotonic() < deadline:
            for name in list(open_):
                listed = self.ecs.list_service_deployments(cluster=CLUSTER, service=name)
                status = listed["serviceDeployments"][0]["status"]
                if status in FINAL:
                    ended[status] += 1
                    open_.remove(name)
            pause.wait(POLL)
        ended["not over"] += len(open_)
        return +ended


@dataclass(slots=True)
class Visitor:
    """Asks every service in turn, through its load balancer, until it is told to stop."""

    urls: Sequence[str]
    answered: int = 0
    failed: Counter[str] = field(default_factory=Counter)  # by what went wrong
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        for url in itertools.cycle(self.urls):
            if self._over.wait(0.002):
                return
            try:
                with urllib.request.urlopen(url, timeout=10):
                    self.answered += 1
            except (urllib.error.URLError, OSError) as error:
                self.failed[str(error)] += 1

    def stop(self) -> None:
        self._over.set()


@contextmanager
def visiting(bench: Bench, names: Sequence[str]) -> Iterator[Visitor]:
    visitor = Visitor([f"{bench.instance.endpoint}/_alb/{name}/" for name in names])
    thread = threading.Thread(target=visitor.run)
    thread.start()
    try:
        yield visitor
    finally:
        visitor.stop()
        thread.join()


def measure(bench: Bench, names: Sequence[str]) -> tuple[float, Counter[str], Visitor]:
    """Create the services, wait until they serve, then roll them all out at once."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bench.create, names))
        bench.wait(names)
        bad = set(names[BAD_EVERY - 1 :: BAD_EVERY])
        with visiting(bench, names) as visitor:
            started = time.monotonic()
            list(pool.map(lambda name: bench.update(name, is_bad=name in bad), names))
            ended = bench.wait(names)
            return time.monotonic() - started, ended, visitor


def memory(pid: int) -> tuple[float, float]:
    """(now, peak) in MB, from https://docs.kernel.org/filesystems/proc.html"""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines if line.startswith(("VmRSS", "VmHWM")))
    now, peak = (int(found[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
    return now, peak


def make_bench(instance: Instance) -> Bench:
    boto = boto3.Session(
        aws_access_key_id=instance.account,
        aws_secret_access_key=instance.secret,
        region_name=instance.region,
    )
    session = AwsSession(boto, endpoint_url=instance.endpoint, clock=None)
    registry = ContainerRegistry(clients=session)
    built = build_image(
        context=HELLO,
        dockerfile=None,
        platform="X86_64",
        repository=registry.create_repository("benchmark", tags={}),
        registry=registry,
        runtime=instance.runtime,
    )
    config = Config(max_pool_connections=16)
    clients = {
        name: boto.client(name, endpoint_url=instance.endpoint, config=config)
        for name in ("ecs", "elbv2")
    }
    clients["ecs"].create_cluster(clusterName=CLUSTER)
    return Bench(
        instance=instance, ecs=clients["ecs"], elbv2=clients["elbv2"], image=built.image.uri
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=50)
    parser.add_argument("--speed", type=float, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FSD_LOCAL_STATE"] = str(Path(folder) / "state")
        instance = local.ensure(Settings(runtime="process", speed=options.speed))
        try:
            return report(make_bench(instance), count=options.services)
        finally:
            local.down()


def report(bench: Bench, *, count: int) -> int:
    one, _, _ = measure(bench, ["alone"])
    names = [f"service-{number:03}" for number in range(count)]
    wall, ended, visitor = measure(bench, names)
    now, peak = memory(bench.instance.pid)
    bad = count // BAD_EVERY
    expected = +Counter({"SUCCESSFUL": count - bad, "ROLLBACK_SUCCESSFUL": bad})
    verdicts = ", ".join(f"{number} {status}" for status, number in sorted(ended.items()))
    sys.stdout.write(
        f"services   {count} at once on {os.cpu_count()} cores, speed {bench.instance.speed:g}\n"
        f"wall       {wall:.1f} s; one alone {one:.1f} s; {wall / one:.1f} x\n"
        f"verdicts   {verdicts}\n"
        f"memory     {now:.0f} MB now, {peak:.0f} MB at the peak\n"
        f"requests   {visitor.answered} answered, {visitor.failed.total()} failed"
        f"{''.join(f'; {number} {why}' for why, number in visitor.failed.items())}\n"
    )
    return 0 if ended == expected else 1


if __name__ == "__main__":
    sys.exit(main())
