"""Everything that AWS says of a service that runs, whoever made it: for `fsd import`.

Only reads. What the caller may not look at is left out, and said by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fsd.aws.errors import call
from fsd.aws.session import Clients
from fsd.errors import CallFailedError, ErrorCode

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsRunning:
    clients: Clients

    def read(self, cluster: str, service: str) -> Answer:
        """Raises CallFailedError where there is no such service.

        Keys: service, taskDefinition, targetGroups, listeners, rules, loadBalancers, targets,
        policies, schedules, and `unknown` for what could not be read.
        """
        ecs = self.clients.client("ecs")
        found = call(
            ecs, "describe_services", service, cluster=cluster, services=[service], include=["TAGS"]
        )
        services = [each for each in found.get("services", []) if each["status"] != "INACTIVE"]
        if not services:
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
        self._balancing(answer)
        self._scaling(answer, cluster, service)
        return answer

    def _balancing(self, answer: Answer) -> None:
        arns = [
            each["targetGroupArn"]
            for each in answer["service"].get("loadBalancers", [])
            if "targetGroupArn" in each
        ]
        answer |= {"targetGroups": [], "listeners": [], "rules": [], "loadBalancers": []}
        if not arns:
            return
        elb = self.clients.client("elbv2")
        try:
            groups = call(elb, "describe_target_groups", arns[0], TargetGroupArns=arns)
            answer["targetGroups"] = groups["TargetGroups"]
            for arn in {arn for each in groups["TargetGroups"] for arn in each["LoadBalancerArns"]}:
                made = call(elb, "describe_load_balancers", arn, LoadBalancerArns=[arn])
                answer["loadBalancers"] += made["LoadBalancers"]
                listeners = call(elb, "describe_listeners", arn, LoadBalancerArn=arn)["Listeners"]
                answer["listeners"] += listeners
                for listener in listeners:
                    name = listener["ListenerArn"]
                    answer["rules"] += call(elb, "describe_rules", name, ListenerArn=name)["Rules"]
        except CallFailedError as error:
            answer["unknown"].append(f"the load balancer: {error.what}")

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
            actions = call(scaling, "describe_scheduled_actions", resource, **of_service)
            answer["schedules"] = actions["ScheduledActions"]
        except CallFailedError as error:
            answer["unknown"].append(f"the scaling: {error.what}")
