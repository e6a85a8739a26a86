"""Elastic Load Balancing refuses what AWS refuses, by API and in a template.

The words are AWS's: `fsd_local.balancing` says where they were recorded.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.server import stacks
from tests.local.server.conftest import Clients
from tests.local.server.refusals import refusal
from tests.waiting import eventually

Json = dict[str, Any]
SUBNETS = ["subnet-00000001", "subnet-00000002"]
INVALID = "ValidationError"
LONG = "a" * 33
PLAIN: Json = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/plain"},
}
CERTIFICATE = "arn:aws:acm:us-east-1:{account}:certificate/none"


class Balancing:
    """A load balancer with a listener on port 80, and a target group."""

    def __init__(self, elbv2: Any) -> None:
        self.elbv2 = elbv2
        (made,) = elbv2.create_load_balancer(Name="b", Subnets=SUBNETS)["LoadBalancers"]
        self.balancer = str(made["LoadBalancerArn"])
        self.group = self.make_group("g")
        (listener,) = elbv2.create_listener(**self.listener({"Port": 80}))["Listeners"]
        self.first = str(listener["ListenerArn"])

    def make_group(self, name: str, **changes: Any) -> str:
        (made,) = self.elbv2.create_target_group(**group({"Name": name, **changes}))["TargetGroups"]
        return str(made["TargetGroupArn"])

    def forward(self, *groups: str) -> Json:
        listed = [{"TargetGroupArn": arn, "Weight": 1} for arn in groups or (self.group,)]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": listed}}

    def listener(self, changes: Json) -> Json:
        return {
            "LoadBalancerArn": self.balancer,
            "Protocol": "HTTP",
            "Port": 81,
            "DefaultActions": [PLAIN],
            **changes,
        }

    def rule(self, changes: Json) -> Json:
        return {
            "ListenerArn": self.first,
            "Priority": 5,
            "Conditions": [path("/x")],
            "Actions": [PLAIN],
            **changes,
        }


def group(changes: Json) -> Json:
    whole = {
        "Name": "g",
        "Protocol": "HTTP",
        "Port": 80,
        "VpcId": stacks.VPC,
        "TargetType": "ip",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def path(*values: str) -> Json:
    return {"Field": "path-pattern", "Values": list(values)}


def condition(field: str, config: str, *values: Any) -> Json:
    return {"Conditions": [{"Field": field, config: {"Values": list(values)}}]}


@pytest.fixture
def elbv2(aws: Clients) -> Any:
    return aws("elbv2")


@pytest.fixture
def balancing(elbv2: Any) -> Balancing:
    return Balancing(elbv2)


BALANCERS: dict[str, tuple[Json, str, str]] = {
    "33 characters": (
        {"Name": LONG},
        INVALID,
        f"The load balancer name '{LONG}' cannot be longer than '32' characters",
    ),
    "underscore": ({"Name": "a_b"}, INVALID, "alphanumeric characters and hyphens(-)"),
    "internal-": ({"Name": "internal-a"}, INVALID, "cannot begin with 'internal-'"),
    "hyphen at the end": ({"Name": "a-"}, INVALID, "cannot end with a hyphen(-)"),
    "one subnet": (
        {"Subnets": SUBNETS[:1]},
        INVALID,
        "At least two subnets in two different Availability Zones must be specified",
    ),
    "no subnet": ({"Subnets": []}, INVALID, "At least two subnets"),
    "ghost subnet": ({"Subnets": [SUBNETS[0], "subnet-9"]}, "SubnetNotFound", "'subnet-9'"),
    "one subnet twice": (
        {"Subnets": [SUBNETS[0]] * 2},
        "InvalidConfigurationRequest",
        "multiple subnets in the same Availability Zone",
    ),
    "ghost security group": (
        {"SecurityGroups": ["sg-9"]},
        "InvalidSecurityGroup",
        "One or more security groups are invalid",
    ),
    "gateway": ({"Type": "gateway"}, INVALID, "The embedded AWS does not have gateway"),
    "scheme": ({"Scheme": "public"}, INVALID, "enum value set: [internet-facing, internal]"),
}


@pytest.mark.parametrize("name", BALANCERS)
def test_create_load_balancer__what_aws_refuses__refused(elbv2: Any, name: str) -> None:
    changes, code, text = BALANCERS[name]

    found = refusal(elbv2.create_load_balancer, **{"Name": "b", "Subnets": SUBNETS, **changes})

    assert (found[0], text in found[1]) == (code, True), found
    assert elbv2.describe_load_balancers()["LoadBalancers"] == []


GROUPS: dict[str, tuple[Json, str]] = {
    "33 characters": ({"Name": LONG}, f"Target group name '{LONG}' cannot be longer than '32'"),
    "hyphen first": ({"Name": "-a"}, "regular expression pattern: (?!^-)(?!.*-$)"),
    "no protocol": ({"Protocol": None}, "A protocol must be specified"),
    "no port": ({"Port": None}, "A port must be specified"),
    "no VPC": ({"VpcId": None}, "A VPC ID must be specified"),
    "ghost VPC": ({"VpcId": "vpc-9"}, "The VPC ID 'vpc-9' is not found"),
    "timeout above the interval": (
        {"HealthCheckTimeoutSeconds": 10, "HealthCheckIntervalSeconds": 5},
        "Health check timeout '10' must be smaller than the interval '5'",
    ),
    "timeout equal to the interval": (
        {"HealthCheckTimeoutSeconds": 5, "HealthCheckIntervalSeconds": 5},
        "Health check timeout '5' must be smaller than the interval '5'",
    ),
    "interval": (
        {"HealthCheckIntervalSeconds": 301},
        "Value '301' at 'healthCheckIntervalSeconds' failed to satisfy constraint: Member must "
        "have value less than or equal to 300",
    ),
    "matcher": (
        {"Matcher": {"HttpCode": "200-999"}},
        "Health check matcher HTTP code '999' must be within '200-499' inclusive",
    ),
    "matcher below": ({"Matcher": {"HttpCode": "100,200"}}, "HTTP code '100' must be within"),
    "TCP check of HTTP": (
        {"HealthCheckProtocol": "TCP"},
        "Health check protocol 'TCP' must be one of 'HTTP, HTTPS'",
    ),
    "check port": (
        {"HealthCheckPort": "65536"},
        "Health check port '65536' must be within '1-65535' or 'traffic-port'",
    ),
    "check path": ({"HealthCheckPath": "health"}, "must begin with a '/' character"),
    "lambda": ({"TargetType": "lambda"}, "The embedded AWS does not have targets of the type"),
}


@pytest.mark.parametrize("name", GROUPS)
def test_create_target_group__what_aws_refuses__refused(elbv2: Any, name: str) -> None:
    changes, text = GROUPS[name]

    code, message = refusal(elbv2.create_target_group, **group(changes))

    assert (code, text in message) == (INVALID, True), message
    assert elbv2.describe_target_groups()["TargetGroups"] == []


def test_modify_target_group__timeout_above_the_kept_interval__refused(
    balancing: Balancing,
) -> None:
    code, message = refusal(
        balancing.elbv2.modify_target_group,
        TargetGroupArn=balancing.group,
        HealthCheckTimeoutSeconds=30,
    )

    assert (code, message) == (
        INVALID,
        "Health check timeout '30' must be smaller than the interval '30'",
    )


LISTENERS: dict[str, tuple[Json, str, str]] = {
    "port that is taken": (
        {"Port": 80},
        "DuplicateListener",
        "A listener already exists on this port for this load balancer 'arn:aws:elasticload",
    ),
    "TCP": ({"Protocol": "TCP"}, INVALID, "Listener protocol 'TCP' must be one of 'HTTP, HTTPS'"),
    "HTTPS without certificate": (
        {"Protocol": "HTTPS"},
        INVALID,
        "A certificate must be specified for HTTPS listeners",
    ),
    "HTTPS with a ghost certificate": (
        {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": CERTIFICATE}]},
        "CertificateNotFound",
        "not found",
    ),
    "two certificates": (
        {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": CERTIFICATE}] * 2},
        "TooManyCertificates",
        "Up to '1' certificate ARNs can be specified, but '2' were specified",
    ),
    "HTTP with a certificate": (
        {"Certificates": [{"CertificateArn": CERTIFICATE}]},
        INVALID,
        "A certificate cannot be specified for HTTP listeners",
    ),
    "HTTP with a policy": (
        {"SslPolicy": "ELBSecurityPolicy-2016-08"},
        INVALID,
        "An SSL policy cannot be specifed for HTTP listeners",
    ),
    "ghost target group": (
        {"DefaultActions": [{"Type": "forward", "TargetGroupArn": "arn:none"}]},
        "TargetGroupNotFound",
        "One or more target groups not found",
    ),
    "fixed response without its config": (
        {"DefaultActions": [{"Type": "fixed-response"}]},
        INVALID,
        "you must specify the following fields: 'FixedResponseConfig'",
    ),
    "redirect to itself": (
        {"DefaultActions": [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}]},
        INVALID,
        "The redirect configuration is not valid because it creates a loop.",
    ),
    "redirect by 307": (
        {
            "DefaultActions": [
                {"Type": "redirect", "RedirectConfig": {"Port": "1", "StatusCode": "HTTP_307"}}
            ]
        },
        INVALID,
        "Value 'HTTP_307' at 'defaultActions.1.member.redirectConfig.statusCode' failed to satisfy "
        "constraint: Member must satisfy enum value set: [HTTP_301, HTTP_302]",
    ),
    "two routing actions": (
        {"DefaultActions": [PLAIN, PLAIN]},
        INVALID,
        "Action types 'fixed-response,fixed-response' cannot be specified together",
    ),
    "authentication": (
        {
            "DefaultActions": [
                {
                    "Type": "authenticate-cognito",
                    "Order": 1,
                    "AuthenticateCognitoConfig": {
                        "UserPoolArn": "arn:aws:cognito-idp:us-east-1:1:userpool/x",
                        "UserPoolClientId": "x",
                        "UserPoolDomain": "x",
                    },
                },
                {**PLAIN, "Order": 2},
            ]
        },
        INVALID,
        "The embedded AWS does not act on AuthenticateCognitoConfig.",
    ),
}


@pytest.mark.parametrize("name", LISTENERS)
def test_create_listener__what_aws_refuses__refused(balancing: Balancing, name: str) -> None:
    changes, code, text = LISTENERS[name]

    found = refusal(balancing.elbv2.create_listener, **balancing.listener(changes))

    assert (found[0], text in found[1]) == (code, True), found
    listeners = balancing.elbv2.describe_listeners(LoadBalancerArn=balancing.balancer)["Listeners"]
    assert [listener["Port"] for listener in listeners] == [80]


def test_modify_listener__port_that_is_taken__refused(balancing: Balancing) -> None:
    (second,) = balancing.elbv2.create_listener(**balancing.listener({}))["Listeners"]

    found = refusal(balancing.elbv2.modify_listener, ListenerArn=second["ListenerArn"], Port=80)

    assert found == (INVALID, "Listener port '80' is already in use")


RULES: dict[str, tuple[Json, str]] = {
    "no condition": ({"Conditions": []}, "A condition must be specified"),
    "unknown field": (
        {"Conditions": [{"Field": "header", "Values": ["a"]}]},
        "Condition field 'header' must be one of 'http-header,http-request-method,host-header,",
    ),
    "one field twice": (
        {"Conditions": [path("/a"), path("/b")]},
        "A rule can only have one 'path-pattern' condition",
    ),
    "six values": (
        {"Conditions": [path("/1", "/2", "/3", "/4", "/5", "/6")]},
        "A rule can only have '5' condition values and regex values",
    ),
    "config of another field": (
        condition("path-pattern", "HostHeaderConfig", "a.b"),
        "For conditions of type 'path-pattern', you must specify the following fields: 'Values or "
        "RegexValues or PathPatternConfig'",
    ),
    "no value": (
        {"Conditions": [{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "a"}}]},
        "['Values' 'RegexValues'] for config of type 'HttpHeaderConfig'",
    ),
    "address without a mask": (
        condition("source-ip", "SourceIpConfig", "10.0.0.1"),
        "The specified value '10.0.0.1' is not a valid CIDR block",
    ),
    "method in lower case": (
        condition("http-request-method", "HttpRequestMethodConfig", "get"),
        "Condition value 'get' contains a character that is not valid",
    ),
    "priority": ({"Priority": 50_001}, "have value less than or equal to 50000"),
    "regular expression": (
        {"Conditions": [{"Field": "path-pattern", "RegexValues": ["^/a"]}]},
        "The embedded AWS does not act on RegexValues.",
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_create_rule__what_aws_refuses__refused(balancing: Balancing, name: str) -> None:
    changes, text = RULES[name]

    code, message = refusal(balancing.elbv2.create_rule, **balancing.rule(changes))

    assert (code, text in message) == (INVALID, True), message
    rules = balancing.elbv2.describe_rules(ListenerArn=balancing.first)["Rules"]
    assert [rule["IsDefault"] for rule in rules] == [True]


def test_priorities__one_for_two_rules__refused(balancing: Balancing) -> None:
    elbv2 = balancing.elbv2
    arns = [
        elbv2.create_rule(**balancing.rule({"Priority": number}))["Rules"][0]["RuleArn"]
        for number in (5, 6)
    ]

    twice = refusal(
        elbv2.set_rule_priorities,
        RulePriorities=[{"RuleArn": arn, "Priority": 9} for arn in arns],
    )
    taken = refusal(elbv2.set_rule_priorities, RulePriorities=[{"RuleArn": arns[0], "Priority": 6}])

    assert twice == (INVALID, "Priority '9' was provided multiple times")
    assert taken == ("PriorityInUse", "Priority '6' is currently in use")


# ---- target groups that do not go together


def test_forward__group_of_another_load_balancer__refused(balancing: Balancing) -> None:
    elbv2 = balancing.elbv2
    elbv2.create_rule(**balancing.rule({"Actions": [balancing.forward()]}))
    (other,) = elbv2.create_load_balancer(Name="c", Subnets=SUBNETS)["LoadBalancers"]

    code, message = refusal(
        elbv2.create_listener,
        **balancing.listener(
            {
                "LoadBalancerArn": other["LoadBalancerArn"],
                "DefaultActions": [balancing.forward()],
            }
        ),
    )

    assert code == "TargetGroupAssociationLimit"
    assert message.endswith(balancing.group)


def test_forward__weights_and_protocols__refused(balancing: Balancing) -> None:
    other = balancing.make_group("h")
    tcp = balancing.make_group("t", Protocol="TCP")
    pair = balancing.forward(balancing.group, other)
    pair["ForwardConfig"]["TargetGroups"][0]["Weight"] = 1000

    def refuse(action: Json) -> tuple[str, str]:
        return refusal(balancing.elbv2.create_rule, **balancing.rule({"Actions": [action]}))

    assert refuse(pair) == (
        INVALID,
        "The weight for the target group must be between 1 and 999, inclusive",
    )
    assert refuse(balancing.forward(tcp))[0] == "IncompatibleProtocols"
    assert refuse(balancing.forward(*[other] * 6)) == (
        "TooManyTargetGroups",
        "You cannot specify more than 5 target groups per action",
    )


# ---- what is kept and shown


def test_listener__forward_config__is_kept_and_always_shown(balancing: Balancing) -> None:
    other = balancing.make_group("h")
    config = {
        "TargetGroups": [
            {"TargetGroupArn": balancing.group, "Weight": 3},
            {"TargetGroupArn": other, "Weight": 1},
        ],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 600},
    }
    elbv2 = balancing.elbv2

    elbv2.modify_listener(
        ListenerArn=balancing.first, DefaultActions=[{"Type": "forward", "ForwardConfig": config}]
    )
    weighted = elbv2.describe_listeners(ListenerArns=[balancing.first])["Listeners"][0]
    elbv2.modify_listener(
        ListenerArn=balancing.first,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": balancing.group}],
    )
    single = elbv2.describe_listeners(ListenerArns=[balancing.first])["Listeners"][0]

    assert weighted["DefaultActions"] == [{"Type": "forward", "Order": 1, "ForwardConfig": config}]
    (action,) = single["DefaultActions"]
    assert action["TargetGroupArn"] == balancing.group
    assert action["ForwardConfig"]["TargetGroups"] == [
        {"TargetGroupArn": balancing.group, "Weight": 1}
    ]


def test_rule__every_condition__is_shown_as_it_was_given(balancing: Balancing) -> None:
    conditions = [
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a*"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
        {
            "Field": "http-header",
            "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["<&>"]},
        },
    ]

    (rule,) = balancing.elbv2.create_rule(**balancing.rule({"Conditions": conditions}))["Rules"]

    shown = {found["Field"]: found for found in rule["Conditions"]}
    for given in conditions:
        (config,) = [name for name in given if name.endswith("Config")]
        assert shown[given["Field"]][config] == given[config]
    assert shown["path-pattern"]["Values"] == ["/a*"]


def test_target_group__tags_of_any_text__are_kept(elbv2: Any) -> None:
    tags = [{"Key": "Preis/Stück", "Value": "a b+c=d"}]
    (made,) = elbv2.create_target_group(**group({"Tags": tags}))["TargetGroups"]

    found = elbv2.describe_tags(ResourceArns=[made["TargetGroupArn"]])["TagDescriptions"]

    assert found[0]["Tags"] == tags


def test_target_group__tcp__is_checked_by_tcp(elbv2: Any) -> None:
    (made,) = elbv2.create_target_group(**group({"Protocol": "TCP"}))["TargetGroups"]

    assert (made["HealthCheckProtocol"], made["HealthCheckTimeoutSeconds"]) == ("TCP", 10)


# ---- the same in a template


@pytest.mark.parametrize(
    ("resource", "changes", "text"),
    [
        ("Balancer", {"Subnets": SUBNETS[:1]}, "At least two subnets"),
        ("Targets", {"HealthCheckTimeoutSeconds": 5}, "must be smaller than the interval '5'"),
        ("Targets", {"Matcher": {"HttpCode": "200-999"}}, "must be within '200-499' inclusive"),
        ("Listener", {"Protocol": "HTTPS"}, "A certificate must be specified for HTTPS listeners"),
    ],
)
def test_stack__what_aws_refuses__is_rolled_back_with_its_words(
    aws: Clients, resource: str, changes: Json, text: str
) -> None:
    cloudformation = aws("cloudformation")
    template = stacks.make_template()
    template["Resources"][resource]["Properties"] |= changes

    stacks.start(cloudformation, template)

    eventually(lambda: stacks.status(cloudformation) == "ROLLBACK_COMPLETE")
    events = cloudformation.describe_stack_events(StackName="app")["StackEvents"]
    assert any(text in event.get("ResourceStatusReason", "") for event in events)


def test_network_load_balancer__its_arns__say_net_and_lead_to_it(elbv2: Any) -> None:
    (made,) = elbv2.create_load_balancer(Name="n", Type="network", Subnets=SUBNETS)["LoadBalancers"]
    balancer = made["LoadBalancerArn"]
    forwards = elbv2.create_target_group(**group({"Protocol": "TCP"}))["TargetGroups"][0]
    action = {"Type": "forward", "TargetGroupArn": forwards["TargetGroupArn"]}
    (listener,) = elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="TCP", Port=9000, DefaultActions=[action]
    )["Listeners"]
    (listed,) = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    (found,) = elbv2.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"]
    tagged = elbv2.describe_tags(ResourceArns=[balancer, listener["ListenerArn"]])
    elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)

    assert ":loadbalancer/net/n/" in balancer
    assert f"{balancer.replace(':loadbalancer/', ':listener/')}/" in listener["ListenerArn"]
    assert (listed["ListenerArn"], found["Type"]) == (listener["ListenerArn"], "network")
    assert len(tagged["TagDescriptions"]) == 2
    assert elbv2.describe_load_balancers()["LoadBalancers"] == []
