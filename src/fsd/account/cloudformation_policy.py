"""The least that CloudFormation needs to make a service's stack."""

from __future__ import annotations

from fsd.account.grant import Grant, Reach, actions


def cloudformation_grants(reach: Reach) -> tuple[Grant, ...]:
    """What a service's stack is made of, and nothing else."""
    return (
        *_role_grants(reach),
        Grant(
            sid="LogGroup",
            why="the service's log group",
            actions=actions(
                "logs",
                "CreateLogGroup DeleteLogGroup DeleteRetentionPolicy ListTagsForResource "
                "PutRetentionPolicy TagResource UntagResource",
            ),
            resources=(
                *reach.log_groups,
                *(arn.removesuffix(":*") for arn in reach.log_groups),
            ),
        ),
        *_group_grants(reach),
        *_balancer_grants(reach),
        *_rule_grants(reach),
        *_domain_grants(reach),
        Grant(
            sid="Describe",
            why="see when a resource is there",
            actions=(
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "elasticloadbalancing:DescribeListenerAttributes",
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeLoadBalancerAttributes",
                "elasticloadbalancing:DescribeLoadBalancers",
                "elasticloadbalancing:DescribeRules",
                "elasticloadbalancing:DescribeTags",
                "elasticloadbalancing:DescribeTargetGroupAttributes",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
                "logs:DescribeLogGroups",
            ),
        ),
    )


def _role_grants(reach: Reach) -> tuple[Grant, ...]:
    return (
        Grant(
            sid="RolesWithinTheBoundary",
            why="roles of tasks, schedules and traffic shifts; without the boundary none is made",
            actions=actions(
                "iam",
                "AttachRolePolicy CreateRole DeleteRolePolicy DetachRolePolicy "
                "PutRolePermissionsBoundary PutRolePolicy",
            ),
            resources=reach.made_roles,
            conditions={"StringEquals": {"iam:PermissionsBoundary": reach.boundary}},
        ),
        Grant(
            sid="Roles",
            why="read, tag and delete these roles, and change whom they trust",
            actions=actions(
                "iam",
                "DeleteRole GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies "
                "ListRoleTags TagRole UntagRole UpdateAssumeRolePolicy UpdateRole "
                "UpdateRoleDescription",
            ),
            resources=reach.made_roles,
        ),
        Grant(
            sid="BalancerServiceLinkedRole",
            why="the first load balancer of an account",
            actions=actions("iam", "CreateServiceLinkedRole"),
            conditions={
                "StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}
            },
        ),
    )


_OF_A_GROUP = actions(
    "ec2",
    "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateTags DeleteSecurityGroup "
    "DeleteTags RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
)


def _group_grants(reach: Reach) -> tuple[Grant, ...]:
    groups = (reach.place.arn("ec2", "security-group/*"),)
    rules = (reach.place.arn("ec2", "security-group-rule/*"),)
    return (
        Grant(
            sid="MakeSecurityGroups",
            why="the security groups of tasks and load balancer",
            actions=actions("ec2", "CreateSecurityGroup"),
            resources=groups,
            conditions=reach.tagged(on="RequestTag"),
        ),
        Grant(
            sid="SecurityGroupsInAVpc",
            why="EC2 asks for the VPC of a new security group as well",
            actions=actions("ec2", "CreateSecurityGroup"),
            resources=(reach.place.arn("ec2", "vpc/*"),),
        ),
        Grant(
            sid="TagSecurityGroups",
            why="a new security group has its tags from the first moment",
            actions=actions("ec2", "CreateTags"),
            resources=(*groups, *rules),
            conditions={
                "StringEquals": {
                    "ec2:CreateAction": (
                        "AuthorizeSecurityGroupEgress",
                        "AuthorizeSecurityGroupIngress",
                        "CreateSecurityGroup",
                    )
                }
            },
        ),
        Grant(
            sid="SecurityGroups",
            why="the security groups' rules and tags, and their deletion",
            actions=_OF_A_GROUP,
            resources=groups,
            conditions=reach.tagged(on="ResourceTag"),
        ),
        *_shared_group_grants(reach),
        Grant(
            sid="SecurityGroupRules",
            why="a rule of a security group is a resource of its own",
            actions=actions("ec2", "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress"),
            resources=rules,
        ),
    )


def _shared_group_grants(reach: Reach) -> tuple[Grant, ...]:
    if not reach.named.shared:
        return ()
    groups = (reach.place.arn("ec2", "security-group/*"),)
    return (
        Grant(
            sid="MakeSharedSecurityGroups",
            why="the security group of a load balancer that several services have",
            actions=actions("ec2", "CreateSecurityGroup"),
            resources=groups,
            conditions=reach.tagged_shared(on="RequestTag"),
        ),
        Grant(
            sid="SharedSecurityGroups",
            why="the shared security group's rules and tags, and its deletion",
            actions=_OF_A_GROUP,
            resources=groups,
            conditions=reach.tagged_shared(on="ResourceTag"),
        ),
    )


def _balancer_grants(reach: Reach) -> tuple[Grant, ...]:
    prefix = "elasticloadbalancing"
    balancers = tuple(
        reach.place.arn(prefix, f"loadbalancer/{reach.balancer_kind(name)}/{name}/*")
        for name in reach.balancers
    )
    groups, theirs = (reach.place.arn(prefix, "targetgroup/*/*"),), reach.named.listeners
    return (
        Grant(
            sid="LoadBalancer",
            why="the service's load balancer with its listeners",
            actions=actions(
                prefix,
                "AddTags CreateListener CreateLoadBalancer DeleteListener DeleteLoadBalancer "
                "ModifyListener ModifyListenerAttributes ModifyLoadBalancerAttributes RemoveTags "
                "SetSecurityGroups SetSubnets",
            ),
            resources=(*balancers, *(arn for arn in reach.listeners if arn not in theirs)),
        ),
        Grant(
            sid="MakeTargetGroups",
            why="the service's target group",
            actions=actions(prefix, "AddTags CreateTargetGroup"),
            resources=groups,
            conditions=reach.tagged(on="RequestTag"),
        ),
        Grant(
            sid="TargetGroups",
            why="the target group's settings and tags, and its deletion",
            actions=actions(
                prefix,
                "AddTags DeleteTargetGroup ModifyTargetGroup ModifyTargetGroupAttributes "
                "RemoveTags",
            ),
            resources=groups,
            conditions=reach.tagged(on="ResourceTag"),
        ),
    )


def _rule_grants(reach: Reach) -> tuple[Grant, ...]:
    """Only where a manifest names a listener that others have rules of too, or a strategy that
    shifts traffic."""
    if not (reach.named.shared or reach.named.listeners or reach.named.shifting):
        return ()
    prefix = "elasticloadbalancing"
    return (
        Grant(
            sid="MakeListenerRules",
            why="the service's rule of a listener: one that several have, or whose traffic shifts",
            actions=actions(prefix, "CreateRule"),
            resources=reach.listeners,
        ),
        Grant(
            sid="ListenerRules",
            why="the rule's conditions and priority, and its deletion",
            actions=actions(prefix, "AddTags DeleteRule ModifyRule RemoveTags SetRulePriorities"),
            resources=reach.listener_rules,
        ),
    )


def _domain_grants(reach: Reach) -> tuple[Grant, ...]:
    """Only where a manifest names a domain; a certificate's ARN says nothing of its service.

    A request for one has no ARN at all, and CloudFormation tags the certificate in a second call:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscertificatemanager.html
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2308
    """
    if not reach.named.zones:
        return ()
    return (
        Grant(
            sid="DomainRecords",
            why="the record of a load balancer's domain, and the one that proves its certificate",
            actions=actions(
                "route53", "ChangeResourceRecordSets GetHostedZone ListResourceRecordSets"
            ),
            resources=reach.hosted_zones,
        ),
        Grant(
            sid="DomainChanges",
            why="see when a change of the domain has taken effect",
            actions=actions("route53", "GetChange"),
            resources=(f"arn:{reach.place.partition}:route53:::change/*",),
        ),
        Grant(
            sid="RequestCertificates",
            why="the certificate of a load balancer's domain, which a record has to prove",
            actions=actions("acm", "RequestCertificate"),
            conditions={"StringEquals": {"acm:ValidationMethod": "DNS"}},
        ),
        Grant(
            sid="TagCertificates",
            why="a requested certificate has its tags from the first moment",
            actions=actions("acm", "AddTagsToCertificate"),
            resources=(reach.place.arn("acm", "certificate/*"),),
            conditions=reach.tagged(on="RequestTag"),
        ),
        Grant(
            sid="Certificates",
            why="read and delete the certificate",
            actions=actions("acm", "DeleteCertificate DescribeCertificate ListTagsForCertificate"),
            resources=(reach.place.arn("acm", "certificate/*"),),
            conditions=reach.tagged(on="ResourceTag"),
        ),
    )
