from __future__ import annotations

import pytest

from fsd.compile.desired import Json
from fsd.release.log_places import LogRoutes, StreamPlace, log_routes, task_of
from fsd.release.ports import TaskDefinition
from fsd.report.words import log_remark_text


def container(name: str, *, essential: bool = True, driver: str = "awslogs") -> Json:
    options: Json = {"awslogs-group": "/team/app", "awslogs-stream-prefix": "p"}
    return {
        "name": name,
        "essential": essential,
        "logConfiguration": {"logDriver": driver, "options": options},
    }


def routed(options: Json) -> Json:
    router: Json = {"firelensConfiguration": {"type": "fluentbit"}, **container("log_router")}
    web: Json = {"logDriver": "awsfirelens", "options": options}
    return {"containerDefinitions": [{"name": "web", "logConfiguration": web}, router]}


@pytest.mark.parametrize(
    ("containers", "prefixes"),
    [
        ([container("web"), container("collector", essential=False)], ("p/web/",)),
        ([container("collector", essential=False)], ("p/collector/",)),
        ([container("web", driver="splunk")], ()),
        ([{"name": "web"}], ()),
        (["no container"], ()),
        (None, ()),
    ],
)
def test_log_routes__containers__the_essential_ones_on_awslogs(
    containers: list[Json], prefixes: tuple[str, ...]
) -> None:
    routes = log_routes({"containerDefinitions": [*containers] if containers else None})

    assert routes.places == tuple(StreamPlace(group="/team/app", prefix=each) for each in prefixes)
    assert routes.group == ("/team/app" if prefixes else "")


def test_log_routes__sidecar__among_all_places() -> None:
    both: Json = {"containerDefinitions": [container("web"), container("proxy", essential=False)]}

    assert [place.prefix for place in log_routes(both).all_places] == ["p/web/", "p/proxy/"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"Name": "datadog", "Host": "http-intake.logs.datadoghq.eu", "apikey": "s3cr3t"},
            "the log lines of web go through FireLens to datadog (http-intake.logs.datadoghq.eu), "
            "where FSD cannot read them",
        ),
        (
            {},
            "the log lines of web go through FireLens to wherever its log router sends them, "
            "where FSD cannot read them",
        ),
        # the group is made of the record, so that no task definition says it
        (
            {
                "Name": "cloudwatch",
                "log_group_name": "/app/$(ecs_cluster)",
                "log_stream_prefix": "a",
            },
            "the log lines of web go through FireLens to cloudwatch (/app/$(ecs_cluster)), "
            "where FSD cannot read them",
        ),
    ],
)
def test_log_routes__firelens__says_where_and_reads_the_router(options: Json, said: str) -> None:
    routes = log_routes(routed(options))

    assert [log_remark_text(one) for one in routes.elsewhere] == [said]
    assert routes.places == (StreamPlace(group="/team/app", prefix="p/log_router/"),)


def test_log_routes__firelens_to_cloudwatch__the_streams_of_its_records() -> None:
    options: Json = {
        "Name": "cloudwatch_logs",
        "log_group_name": "/app/web",
        "log_stream_prefix": "from-",
    }
    (place,) = (routes := log_routes(routed(options))).places

    assert place.group == "/app/web"
    assert place.stream("7f3a") == "from-web-firelens-7f3a"
    assert routes.elsewhere == ()


@pytest.mark.parametrize(
    ("stream", "task"),
    [
        ("ecs/web/7f3a", "7f3a"),
        ("from-web-firelens-7f3a", "7f3a"),
        ("logs/web-firelens-7f3a", "7f3a"),
        ("by hand", "by hand"),
    ],
)
def test_task_of__stream__the_task_that_it_is_named_after(stream: str, task: str) -> None:
    assert task_of(stream) == task


def test_log_routes__group_that_the_driver_creates__is_not_required() -> None:
    options: Json = {"awslogs-group": "/made", "awslogs-stream-prefix": "p"}
    logs: Json = {"logDriver": "awslogs", "options": {**options, "awslogs-create-group": "true"}}
    made: Json = {"name": "made", "logConfiguration": logs}

    routes = log_routes({"containerDefinitions": [container("web"), made]})

    assert routes.required_groups == ("/team/app",)


def logged_in(region: str, *others: Json) -> Json:
    options: Json = {"awslogs-group": "/team/app", "awslogs-stream-prefix": "p"}
    logs: Json = {"logDriver": "awslogs", "options": {**options, "awslogs-region": region}}
    return {"containerDefinitions": [{"name": "web", "logConfiguration": logs}, *others]}


def test_log_routes__another_region__is_elsewhere_and_not_required() -> None:
    routes = log_routes(logged_in("eu-west-1"), region="us-east-1")

    assert routes == LogRoutes(elsewhere=routes.elsewhere)
    assert [log_remark_text(one) for one in routes.elsewhere] == [
        "the log lines of web go through awslogs to /team/app in eu-west-1, where "
        "FSD cannot read them"
    ]


def test_log_routes__firelens_to_another_region__is_elsewhere() -> None:
    options: Json = {
        "Name": "cloudwatch",
        "region": "eu-west-1",
        "log_group_name": "/app/web",
        "log_stream_prefix": "from-",
    }

    routes = log_routes(routed(options), region="us-east-1")

    assert [log_remark_text(one) for one in routes.elsewhere] == [
        "the log lines of web go through FireLens to cloudwatch (/app/web) in eu-west-1, "
        "where FSD cannot read them"
    ]


@pytest.mark.parametrize("region", ["us-east-1", "${AWS_REGION}", ""])
def test_log_routes__its_own_region__is_read(region: str) -> None:
    routes = log_routes(logged_in(region), region="us-east-1")

    assert routes.places == (StreamPlace(group="/team/app", prefix="p/web/"),)
    assert routes.required_groups == ("/team/app",)


def test_task_definition__region_of_its_arn__is_the_one_that_is_read() -> None:
    made = TaskDefinition(
        arn="arn:aws:ecs:us-east-1:123456789012:task-definition/web:1",
        family="web",
        revision=1,
        status="ACTIVE",
        definition=logged_in("eu-west-1", container("aside", essential=False)),
        tags={},
    )

    assert made.log_routes.required_groups == ("/team/app",)  # of the other container alone
    assert [one.container for one in made.log_routes.elsewhere] == ["web"]


def test_log_routes__no_log_configuration__said() -> None:
    routes: LogRoutes = log_routes({"containerDefinitions": [{"name": "web"}]})

    assert [log_remark_text(one) for one in routes.elsewhere] == [
        "web has no log configuration, so its log lines are not kept"
    ]
