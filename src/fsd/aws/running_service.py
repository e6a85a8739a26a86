"""Everything that AWS says of a service that runs, whoever made it: for `fsd import`.

Only reads. What the caller may not look at is left out, and said by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fsd.aws.errors import call, pages
from fsd.aws.session import Clients
from fsd.errors import CallFailedError, ErrorCode
from fsd.manifest.names import ROLE_PATH

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsRunning:
    clients: Clients

    def read(self, cluster: str, service: str) -> Answer:
        """Raises CallFailedError where there is no such service, and no schedule or EventBridge
        rule of this name.

        Keys: service, taskDefinition, logGroup, targetGroups, listeners, rules (each with its
        ListenerArn), loadBalancers, attributes and tags (by ARN, as mappings), securityGroups (of
        the tasks and the load balancer, with their tags as a mapping), vpcCidr, boundary, targets,
        policies, schedules, and `unknown` for what could not be read.
        """
        ecs = self.clients.client("ecs")
        found = call(
            ecs, "describe_services", service, cluster=cluster, services=[service], include=["TAGS"]
        )
        services = [each for each in found.get("services", []) if each["status"] != "INACTIVE"]
        if not services:
            schedule = self._find_schedule(cluster, service) or self._find_rule(cluster, service)
            if schedule is not None:
                return self._scheduled(schedule)
            raise CallFailedError(
                f"there is no service `{service}` in the cluster `{cluster}`",
                where=f"{cluster}/{service}",
                fix=f"`aws ecs list-services --cluster {cluster}` lists them",
                code=ErrorCode.SERVICE_NOT_FOUND,
            )
        definition = call(
            ecs,
            "describe_task_definition",
            service,
            taskDefinition=services[0]["taskDefinition"],
            include=["TAGS"],
        )
        answer: Answer = {
            "service": services[0],
            "taskDefinition": {**definition["taskDefinition"], "tags": definition.get("tags", [])},
            "unknown": [],
        }
        self._logs(answer)
        self._balancing(answer)
        self._security_groups(answer)
        self._boundary(answer)
        self._scaling(answer, cluster, service)
        return answer

    def _find_schedule(self, cluster: str, name: str) -> Answer | None:
        """One of EventBridge Scheduler's that starts tasks in this cluster."""
        scheduler = self.clients.client("scheduler")
        try:
            found = call(scheduler, "get_schedule", name, Name=name)
        except CallFailedError:
            return None
        return found if _starts_in(found.get("Target", {}), cluster) else None

    def _find_rule(self, cluster: str, name: str) -> Answer | None:
        """One of EventBridge's with a schedule, whose `Targets` start tasks in this cluster."""
        events = self.clients.client("events")
        try:
            rule = call(events, "describe_rule", name, Name=name)
            targets = call(events, "list_targets_by_rule", name, Rule=name)["Targets"]
        except CallFailedError:
            return None
        there = [each for each in targets if _starts_in(each, cluster)]
        return {**rule, "Targets": targets} if there and rule.get("ScheduleExpression") else None

    def _scheduled(self, schedule: Answer) -> Answer:
        """Keys: schedule, taskDefinition, logGroup, securityGroups, boundary, unknown."""
        targets = [schedule.get("Target", {}), *schedule.get("Targets", [])]
        ecs = next(each["EcsParameters"] for each in targets if "EcsParameters" in each)
        arn = ecs["TaskDefinitionArn"]
        definition = call(
            self.clients.client("ecs"),
            "describe_task_definition",
            arn,
            taskDefinition=arn,
            include=["TAGS"],
        )
        vpc = ecs.get("NetworkConfiguration", {}).get("awsvpcConfiguration", {})
        network = {"awsvpcConfiguration": {"securityGroups": vpc.get("SecurityGroups", [])}}
        answer: Answer = {
            "service": {"networkConfiguration": network},
            "loadBalancers": [],
            "schedule": schedule,
            "taskDefinition": {**definition["taskDefinition"], "tags": definition.get("tags", [])},
            "unknown": [],
        }
        self._logs(answer)
        self._security_groups(answer)
        self._boundary(answer)
        return answer

    def _logs(self, answer: Answer) -> None:
        """The first log group that a container writes to."""
        containers = answer["taskDefinition"].get("containerDefinitions", [])
        options = [each.get("logConfiguration", {}).get("options", {}) for each in containers]
        name = next(filter(None, (each.get("awslogs-group") for each in options)), "")
        answer["logGroup"] = {}
        if not name:
            return
        logs = self.clients.client("logs")
        try:
            found = call(logs, "describe_log_groups", name, logGroupNamePrefix=name)["logGroups"]
        except CallFailedError as error:
            answer["unknown"].append(f"the log group: {error.what}")
            return
        answer["logGroup"] = next((each for each in found if each["logGroupName"] == name), {})

    def _balancing(self, answer: Answer) -> None:
        arns = [
            each["targetGroupArn"]
            for each in answer["service"].get("loadBalancers", [])
            if "targetGroupArn" in each
        ]
        answer |= {"targetGroups": [], "listeners": [], "rules": [], "loadBalancers": []}
        answer |= {"attributes": {}, "tags": {}}
        if not arns:
            return
        try:
            self._groups(answer, arns)
        except CallFailedError as error:
            answer["unknown"].append(f"the load balancer: {error.what}")

    def _groups(self, answer: Answer, arns: list[str]) -> None:
        elb = self.clients.client("elbv2")
        groups = call(elb, "describe_target_groups", arns[0], TargetGroupArns=arns)
        answer["targetGroups"] = groups["TargetGroups"]
        for arn in arns:
            found = call(elb, "describe_target_group_attributes", arn, TargetGroupArn=arn)
            answer["attributes"][arn] = _pairs(found["Attributes"])
        balancers = {arn for each in groups["TargetGroups"] for arn in each["LoadBalancerArns"]}
        for arn in sorted(balancers):
            self._balancer(answer, arn)
        both = [*arns, *sorted(balancers)]
        tagged = call(elb, "describe_tags", arns[0], ResourceArns=both)["TagDescriptions"]
        answer["tags"] = {each["ResourceArn"]: _pairs(each.get("Tags", [])) for each in tagged}

    def _balancer(self, answer: Answer, arn: str) -> None:
        elb = self.clients.client("elbv2")
        made = call(elb, "describe_load_balancers", arn, LoadBalancerArns=[arn])
        answer["loadBalancers"] += made["LoadBalancers"]
        found = call(elb, "describe_load_balancer_attributes", arn, LoadBalancerArn=arn)
        answer["attributes"][arn] = _pairs(found["Attributes"])
        listeners = call(elb, "describe_listeners", arn, LoadBalancerArn=arn)["Listeners"]
        answer["listeners"] += listeners
        for listener in listeners:
            name = listener["ListenerArn"]
            if listener["Protocol"] == "TCP":  # no other listener has a timeout of its own
                found = call(elb, "describe_listener_attributes", name, ListenerArn=name)
                answer["attributes"][name] = _pairs(found["Attributes"])
            rules = call(elb, "describe_rules", name, ListenerArn=name)["Rules"]
            answer["rules"] += [{**rule, "ListenerArn": name} for rule in rules]

    def _security_groups(self, answer: Answer) -> None:
        """Of the tasks and of the load balancer."""
        network = answer["service"].get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        ids = [*network.get("securityGroups", [])]
        for balancer in answer["loadBalancers"]:
            ids += balancer.get("SecurityGroups", [])
        answer |= {"securityGroups": [], "vpcCidr": ""}
        if not ids:
            return
        ec2 = self.clients.client("ec2")
        try:
            found = call(ec2, "describe_security_groups", ids[0], GroupIds=sorted(set(ids)))
        except CallFailedError as error:
            answer["unknown"].append(f"the security groups: {error.what}")
            return
        vpc = next((each["VpcId"] for each in answer["loadBalancers"]), "")
        if vpc:
            network = call(ec2, "describe_vpcs", vpc, VpcIds=[vpc])["Vpcs"]
            answer["vpcCidr"] = network[0]["CidrBlock"]
        answer["securityGroups"] = [
            {**each, "Tags": _pairs(each.get("Tags", []))} for each in found["SecurityGroups"]
        ]

    def _boundary(self, answer: Answer) -> None:
        """The permissions boundary of a role that FSD made."""
        answer["boundary"] = ""
        for key in ("taskRoleArn", "executionRoleArn"):
            path, _, name = answer["taskDefinition"].get(key, "").rpartition("/")
            if not path.endswith(f"role{ROLE_PATH}".rstrip("/")):
                continue
            try:
                role = call(self.clients.client("iam"), "get_role", name, RoleName=name)["Role"]
            except CallFailedError as error:
                answer["unknown"].append(f"the role {name}: {error.what}")
                return
            found = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
            answer["boundary"] = answer["boundary"] or found

    def _scaling(self, answer: Answer, cluster: str, service: str) -> None:
        resource = f"service/{cluster.rpartition('/')[2]}/{service.rpartition('/')[2]}"
        scaling = self.clients.client("application-autoscaling")
        answer |= {"targets": [], "policies": [], "schedules": []}
        try:
            targets = call(
                scaling,
                "describe_scalable_targets",
                resource,
                ServiceNamespace="ecs",
                ResourceIds=[resource],
            )
            answer["targets"] = targets["ScalableTargets"]
            if not answer["targets"]:
                return
            of_service = {"ServiceNamespace": "ecs", "ResourceId": resource}
            policies = call(scaling, "describe_scaling_policies", resource, **of_service)
            answer["policies"] = policies["ScalingPolicies"]
            answer["schedules"] = [
                action
                for page in pages(scaling, "describe_scheduled_actions", resource, **of_service)
                for action in page["ScheduledActions"]
            ]
        except CallFailedError as error:
            answer["unknown"].append(f"the scaling: {error.what}")


def _starts_in(target: Answer, cluster: str) -> bool:
    is_there = str(target.get("Arn", "")).rpartition("/")[2] == cluster.rpartition("/")[2]
    return is_there and bool(target.get("EcsParameters"))


def _pairs(entries: list[dict[str, str]]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in entries}
