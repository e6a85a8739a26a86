"""What each finding of `fsd doctor` means, for `fsd explain`: one row each, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fsd.account.checks import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorPage:
    check: Check
    summary: str  # what is the case, as a clause
    why: str  # what would happen to a deployment
    advice: str


_ROWS = (
    (
        Check.CLUSTER_MISSING,
        "the environment's cluster does not exist, or is not active",
        "ECS runs services in a cluster. A deployment creates the cluster if its role is allowed "
        "to; otherwise, it fails",
        "create it with `fsd bootstrap`, or name another one in .fsd/environments.yml: `cluster`",
    ),
    (
        Check.VPC_MISSING,
        "no VPC belongs to the environment, and the account has no default VPC",
        "tasks and load balancers need subnets, and FSD finds them in the VPC",
        "tag a VPC `fsd:environment=ENV`, name it in .fsd/environments.yml: `vpc.id`, or create "
        "one with `fsd bootstrap --network`",
    ),
    (
        Check.ZONES,
        "the VPC has too few subnets: for the tasks, or for a load balancer in two zones",
        "AWS refuses a load balancer in fewer than two zones, and a task needs a subnet to start",
        "add a subnet, or name the subnets in .fsd/environments.yml: `vpc.privateSubnets`",
    ),
    (
        Check.ADDRESSES,
        "the subnets have fewer free addresses than the rollout has tasks at once",
        "every task takes an address of its own, and old and new tasks run at the same time",
        "use larger subnets, or lower `deployment.maximumPercent`",
    ),
    (
        Check.NO_WAY_OUT,
        "a subnet of the tasks has no route to ECR, to the logs or to the secrets",
        "a task that cannot pull its image or read its secrets stops before its program starts",
        "add a NAT gateway, or the endpoints that the finding names; `fsd bootstrap --network` "
        "creates them",
    ),
    (
        Check.CERTIFICATE,
        "the load balancer's certificate does not exist, or ACM has not issued it",
        "AWS refuses a listener with such a certificate",
        "request the certificate in ACM and validate it, or correct `certificateArn`",
    ),
    (
        Check.CERTIFICATE_REGION,
        "the certificate and the load balancer are in different Regions",
        "a load balancer can only use certificates of its own Region",
        "request the certificate in the environment's Region, and correct `certificateArn`",
    ),
    (
        Check.CERTIFICATE_HOST,
        "the load balancer's certificate does not cover the hosts that the manifest names",
        "the deployment succeeds, but clients refuse to connect to these hosts",
        "request a certificate for the host in ACM, and correct `certificateArn`",
    ),
    (
        Check.SECRET_MISSING,
        "a secret or parameter of the manifest does not exist, or is scheduled for deletion",
        "ECS stops the task before its program starts",
        "create it in the environment's account and Region, or correct `valueFrom`",
    ),
    (
        Check.SECRET_KEY,
        "the secret does not have the JSON key that the manifest names",
        "ECS stops the task before its program starts",
        "add the key to the secret, or correct the end of `valueFrom`",
    ),
    (
        Check.SECRET_ENCRYPTION,
        "a secret is encrypted with a customer managed key whose policy does not name the "
        "execution role",
        "the execution role must also be allowed to decrypt with this KMS key",
        "allow the role in the key's policy, as the finding says",
    ),
    (
        Check.KEY_UNUSABLE,
        "the KMS key of a secret is disabled, is scheduled for deletion or does not exist",
        "ECS cannot decrypt the secret, and stops the task before its program starts",
        "enable the key, or encrypt the secret with another one",
    ),
    (
        Check.DEPENDENCY_MISSING,
        "a resource below `dependencies` does not exist in the account and Region",
        "the service starts, and its calls to the resource fail",
        "create the resource, or correct its name; `${ENV}` is replaced by the environment",
    ),
    (
        Check.DEPENDENCY_POLICY,
        "the policy of a resource below `dependencies` denies an action that the manifest lists",
        "a Deny overrules the permissions of the task role: the service's calls fail",
        "exempt the task role in the resource's policy, or remove the action from `permissions`",
    ),
    (
        Check.ROLE_MISSING,
        "the role that a deployment assumes does not exist",
        "the workflow gets no credentials",
        "create it with `fsd bootstrap`, or correct `roleArn` in .fsd/environments.yml",
    ),
    (
        Check.ROLE_TRUST,
        "the deploy role does not trust this repository's workflows",
        "AWS refuses the workflow's token: the deployment ends before it begins",
        "add the `sub` that the finding shows to the role's trust policy, or run `fsd bootstrap`",
    ),
    (
        Check.PERMISSION,
        "the role lacks a permission that a deployment needs",
        "the deployment would end with access denied, possibly halfway through",
        "attach what `fsd iam` prints, or run `fsd bootstrap` again",
    ),
    (
        Check.QUOTA,
        "the account's quota of Fargate vCPUs is too small for the peak of the rollout",
        "ECS starts no task beyond the quota, so the rollout never ends",
        "request a higher quota in Service Quotas, or use fewer or smaller tasks",
    ),
    (
        Check.BALANCING_QUOTA,
        "the account already has as many load balancers or target groups as its quota allows",
        "the service's stack cannot create another one, and is rolled back",
        "request a higher quota in Service Quotas, or share a load balancer: "
        "`networking.loadBalancer.shared`",
    ),
    (
        Check.LOG_GROUP_TAKEN,
        "the service's log group exists, and its stack did not create it",
        "CloudFormation cannot create a log group that already exists",
        "name the log group in `service.logs.group` to keep it, or delete it if nobody needs its "
        "lines",
    ),
    (
        Check.ALARM_MISSING,
        "an alarm below `deployment.alarms` does not exist",
        "an alarm that does not exist never goes off, so it cannot roll back a deployment",
        "create the alarm, or correct its name",
    ),
    (
        Check.REPOSITORY_MISSING,
        "the service has no ECR repository",
        "a deployment creates it if its role is allowed to; otherwise, it fails",
        "create it with `fsd bootstrap`",
    ),
    (
        Check.IMAGE_MISSING,
        "the registry does not have the image that `service.image` names",
        "ECS stops the task before its program starts: CannotPullContainerError",
        "push the image, or correct `service.image`",
    ),
    (
        Check.IMAGE_PLATFORM,
        "the image is for a different processor than `service.platform`",
        "the task stops at once: exec format error",
        "build the image for the platform that the finding names, or change `service.platform`",
    ),
    (
        Check.SERVICE_ROLE,
        "the account lacks a service-linked role",
        "AWS creates it during the first deployment, which takes some seconds and needs a "
        "permission",
        "create it with the command that the finding prints",
    ),
    (
        Check.NOT_SEEN,
        "something could not be checked: the role may not read it, or AWS did not answer",
        "FSD does not know whether what it could not check is in order; if it could not check "
        "the permissions, this is a warning, because a role without any permissions would look "
        "like one with all of them",
        "allow what the finding names, or run `fsd doctor` with a role that is allowed to",
    ),
)
DOCTOR_PAGES: Mapping[str, DoctorPage] = {
    str(check): DoctorPage(check=check, summary=summary, why=why, advice=advice)
    for check, summary, why, advice in _ROWS
}
