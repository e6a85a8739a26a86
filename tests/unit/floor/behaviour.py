"""What a task of the embedded AWS does with each key, in both runtimes: the test that shows it.

A runtime without a test says why. `control` is a test of the control plane, which decides the same
whatever runs the tasks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
RUNTIMES = ("process", "container")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Tests as `path::name`, below tests/local/."""

    process: str = ""
    container: str = ""
    control: str = ""
    why: str = ""  # a runtime has no test


def _both(test: str) -> Behaviour:
    return Behaviour(process=test, container=test)


def _process(test: str, why: str) -> Behaviour:
    return Behaviour(process=test, why=why)


def _control(test: str, why: str = "the control plane alone decides it") -> Behaviour:
    return Behaviour(control=test, why=why)


def _none(why: str) -> Behaviour:
    return Behaviour(why=why)


_PROMISES, _CONTAINERS = "runtime/test_promises.py", "runtime/test_containers.py"
_PROCESSES, _ENGINE = "runtime/test_processes.py", "ecs/test_engine.py"
_STEPS = _both(
    "floor/test_steps.py::test_deploy__before_and_after__run_once_and_a_failure_changes_nothing"
)
_JOB = _both("floor/test_jobs.py::test_job__deployed_fired_failed_and_rolled_back")
_NETWORKS = _both(
    "floor/test_networks.py::test_networking__groups_and_subnets_that_are_there__the_tasks_have_them"
)
_SHARED = _both(
    "floor/test_shared.py::test_shared__two_services__by_host_and_by_path_and_gone_with_the_last"
)
_DOMAIN = _both("floor/test_domain.py::test_domain__alias_record__its_requests_reach_the_service")
_GRPC = _both("floor/test_grpc.py::test_grpc__deployed_and_called__by_grpc_alone")
_TCP = _both(
    "floor/test_network_balancer.py::"
    "test_network_balancer__connections__reach_the_service_and_end_with_it"
)
_TAKEN_OVER = _process(
    "test_take_over.py::"
    "test_deploy__service_of_another_tool__taken_over_and_back_without_a_failed_request",
    "what takes over is in no runtime",
)
_GROUP = _both(
    "floor/test_log_groups.py::test_operations__log_group_of_somebody__is_read_and_left_again"
)
_VARIABLES = _both(f"{_PROMISES}::test_launch__environment__of_image_and_task")
_ORDER = _both(f"{_PROMISES}::test_launch__depends_on__what_comes_first_has_ended_well")
_KEPT = _both(f"{_PROMISES}::test_launch__kept_volume__the_next_task_finds_what_the_last_one_wrote")
_AS_USER = f"{_CONTAINERS}::test_launch__user_and_read_only_root__enforced"
_NO_SANDBOX = "a process has the user and the files of the embedded AWS: docs/local.md"
_ROLES = _control(
    "test_enforced_iam.py::"
    "test_execution_role__permission_that_is_lost__fails_the_rollout_in_ecs_words"
)
_OF_FSD = "FSD's own: a task never learns of it"
_SCALING = "server/test_autoscaling.py"
_LISTENER = _control("server/test_rules.py::test_meets__condition__as_the_load_balancer_reads_it")

BEHAVIOURS: Mapping[str, Behaviour] = {
    "service.exec": _both("test_exec.py::test_exec__a_command__prints_what_it_prints"),
    "service.stopTimeout": _both(
        f"{_PROMISES}::test_stop__program_that_ignores_sigterm__killed_after_the_stop_timeout"
    ),
    "service.user": Behaviour(container=_AS_USER, why=_NO_SANDBOX),
    "service.workingDirectory": _both(
        f"{_PROMISES}::test_launch__working_directory__of_image_or_task"
    ),
    "service.init": _none("the engine's own init; a process task has a process group instead"),
    "service.readonlyRootFilesystem": Behaviour(container=_AS_USER, why=_NO_SANDBOX),
    "service.ulimits": _both(f"{_PROMISES}::test_launch__ulimits__the_program_has_them"),
    "service.capabilities": _control(
        "server/test_refused_task_definitions.py::"
        "test_register__what_aws_takes__says_where_it_can_run",
        "the engine's own capabilities; a process has those of the embedded AWS",
    ),
    "service.dockerLabels": _none("of a container at the engine: no program reads them"),
    "service.systemControls": Behaviour(
        process=f"{_PROCESSES}::test_launch__kernel_settings__left_to_the_machine",
        container=f"{_CONTAINERS}::"
        "test_launch__kernel_settings__of_the_container_and_the_network_of_the_task",
    ),
    "service.repositoryCredentials": _both(
        f"{_PROMISES}::test_launch__login__instead_of_the_runtimes_own"
    ),
    "service.enableFaultInjection": _control(
        "server/test_refused_task_definitions.py::"
        "test_register__what_aws_takes__says_where_it_can_run",
        "the embedded AWS has no endpoints that inject faults: docs/local.md",
    ),
    "service.tags": _none("of resources, not of tasks' programs"),
    "service.resources.ephemeralStorage": _none("a task has the machine's disk, of any size"),
    "service.build": _none(_OF_FSD),
    "service.environmentFiles": _VARIABLES,
    "service.secrets.valueFrom": _VARIABLES,
    "service.roles": _ROLES,
    "service.roles.execution": _ROLES,
    "service.ports": _GRPC,
    "service.healthCheck.protocol.grpc": _GRPC,
    "service.healthCheck.protocol.tcp": _TCP,
    "service.networking.connect": Behaviour(
        process=f"{_PROCESSES}::"
        "test_set_names__task_that_knows_a_name__finds_what_is_behind_it_now",
        container=f"{_CONTAINERS}::test_set_names__containers__reach_each_other_by_name",
    ),
    "service.resources.spot": _control(
        "ecs/test_connect.py::test_interrupt_spot__spot_task__stops_in_aws_words_and_is_replaced"
    ),
    "service.beforeDeploy": _STEPS,
    "service.afterDeploy": _STEPS,
    "service.sidecars": _both(f"{_PROMISES}::test_inspect__two_containers__each_by_name_in_order"),
    "service.sidecars.ulimits": _both(f"{_PROMISES}::test_launch__ulimits__the_program_has_them"),
    "service.sidecars.dependsOn": _ORDER,
    "service.dependsOn": _ORDER,
    "service.volumes": _KEPT,
    "service.volumes.efs.root": _KEPT,
    "service.deployment.earlySuccess": _both(
        "test_proof.py::test_deploy__early_success__does_not_wait_for_the_drain"
    ),
    "service.deployment.steadyFor": _none(_OF_FSD),
    "service.healthCheck.port": _control(
        "server/test_elb.py::test_state__health_check_changes__takes_effect_at_once"
    ),
    "service.healthCheck.startPeriod": _both(
        f"{_PROMISES}::test_launch__healthy__waits_for_the_check"
    ),
    "service.autoScaling.targetQueueDepth": _control(
        f"{_SCALING}::test_put_policy__customized_metric__is_what_is_measured"
    ),
    "service.autoScaling.metric": _control(
        f"{_SCALING}::test_put_policy__customized_metric__is_what_is_measured"
    ),
    "service.autoScaling.targetRequestsPerTask": _control(
        f"{_SCALING}::test_put_policy__requests_per_target__is_measured_at_the_load_balancer"
    ),
    "service.autoScaling.schedules": _control(
        f"{_SCALING}::test_scheduled_action__its_time_comes__the_bounds_and_the_count_follow"
    ),
    "service.networking.loadBalancer.listenerArn": _LISTENER,
    "service.networking.loadBalancer.targetGroupArn": _TAKEN_OVER,
    "service.existingService": _TAKEN_OVER,
    "service.existingSchedule": _control(
        "floor/test_old_schedules.py::test_adopt__rule__is_disabled_when_the_schedule_begins"
    ),
    "service.logs": _GROUP,
    "service.observability.logs.group": _GROUP,
    "service.observability.logs.kmsKey": _none("lines are kept as they are"),
    "service.observability.logs.driver": _none("Fluent Bit is an image that sends lines to AWS"),
    "service.networking.securityGroups": _NETWORKS,
    "service.networking.securityGroups.only": _NETWORKS,
    "service.networking.subnets": _NETWORKS,
    "service.networking.loadBalancer.shared": _SHARED,
    "service.networking.loadBalancer.domain": _DOMAIN,
    "service.networking.loadBalancer.domain (shared)": _DOMAIN,
    "service.networking.loadBalancer.type": _TCP,
    "service.networking.loadBalancer.type (http check)": _TCP,
    "service.networking.loadBalancer.idleTimeout (network)": _process(
        "floor/test_network_balancer.py::"
        "test_network_balancer__another_port__its_listener_moves_after_a_rollout_that_succeeded",
        "the load balancer's own, in front of any runtime",
    ),
    "service.networking.loadBalancer.accessLogs": _process(
        "floor/test_access_logs.py::test_access_logs__a_request__its_line_is_in_the_bucket",
        "the load balancer's own, in front of any runtime",
    ),
    "service.networking.loadBalancer.accessLogs (shared)": _process(
        "floor/test_access_logs.py::test_access_logs__a_request__its_line_is_in_the_bucket",
        "the load balancer's own, in front of any runtime",
    ),
    "service.networking.loadBalancer.ingress": _none("rules of security groups are not enforced"),
    "service.schedule": _JOB,
    "service.timezone": _control("server/test_schedules.py::test_next_after__cron__when_aws_says"),
    "service.timeout": _both("floor/test_jobs.py::test_job__takes_too_long__is_stopped_and_said"),
    "service.retries": _control(
        "server/test_schedules.py::test_tick__start_fails__again_as_often_as_the_policy_says"
    ),
}

# How a fixture names a runtime.
_NAMES = {"processes": "process", "containers": "container", **{name: name for name in RUNTIMES}}


def exists(test: str) -> bool:
    path, _, name = test.partition("::")
    return name in _functions(ROOT / "tests" / "local" / path)


def runtimes_of(test: str) -> set[str]:
    """In which runtimes a test is run: as its decorators say, else as its fixtures do."""
    path, _, name = test.partition("::")
    file = ROOT / "tests" / "local" / path
    found: dict[str, ast.FunctionDef] = {}
    for folder in reversed([*file.relative_to(ROOT).parents][:-1]):
        conftest = ROOT / folder / "conftest.py"
        found |= _functions(conftest) if conftest.exists() else {}
    found |= _functions(file)
    return set(_runtimes(name, found))


def _functions(file: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(file.read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _runtimes(name: str, functions: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    if name in ("processes", "containers"):
        yield _NAMES[name]
        return
    node = functions.get(name)
    if node is None:
        return
    said = [text for each in node.decorator_list for text in _texts(each)]
    of_decorators = [_NAMES[text] for text in said if text in _NAMES]
    started = [text for each in node.body for text in _texts(each) if text in RUNTIMES]
    if of_decorators or started:
        yield from of_decorators or started
        return
    fixtures = [each.arg for each in node.args.args]
    for fixture in [*fixtures, *(text for text in said if text in functions)]:
        yield from _runtimes(fixture, functions)


def _texts(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
