"""What ECS's failure texts mean: one row each, as data.

A row says what to look for, what it means, what to do, and after how many sightings of it a
rollout is lost (None: never by itself; the platform may recover). The first row that matches
wins, so the narrow ones stand first. `fsd explain` shows a row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from fsd.rollout.denials import advise_denial, find_denial
from fsd.rollout.reasons import Reason, Stage, read_reason
from fsd.snapshot import StoppedTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One kind of failure: at which stages, and by which words of the reason."""

    code: str
    pattern: str  # regular expression, case-insensitive, over a reason without its names
    summary: str
    advice: str
    after: int | None  # sightings that decide; None: never
    example: str  # what ECS says, or has said
    source: str  # the AWS page
    exit_codes: tuple[int, ...] = ()  # () any
    stages: tuple[Stage, ...] = ()  # () any

    def matches(self, reason: Reason, exit_code: int | None) -> bool:
        if self.exit_codes and exit_code not in self.exit_codes:
            return False
        if self.stages and reason.stage not in self.stages:
            return False
        return re.search(self.pattern, reason.words, re.IGNORECASE | re.DOTALL) is not None


# Stops that say nothing about the release: replaced, scaled in, stopped by hand, the platform.
INNOCENT_CODES = {"UserInitiated", "SpotInterruption", "TerminationNotice", "InfrastructureHealth"}
INNOCENT_REASON = re.compile(
    r"scaling activity initiated by|availability zone rebalancing|deployment completed|"
    r"spot task was interrupted|maintenance on the underlying infrastructure|"
    r"^host ec2 \(instance|container instance .* (?:deregistered|terminated)",
    re.IGNORECASE,
)

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_STOPPED = f"{_GUIDE}/stopped-task-error-codes.html"
_PULL = f"{_GUIDE}/task_cannot_pull_image.html"
_INITIALIZATION = f"{_GUIDE}/resource-initialization-error.html"
_EVENTS = f"{_GUIDE}/service-event-messages-list.html"
_PLACING = r"unable to place a task"

_DENIED = (
    r"AccessDenied|not authorized|UnauthorizedOperation|40[13] (?:Forbidden|Unauthorized)|"
    r"no basic auth|pull access denied|\bdenied\b|unauthorized|authentication required"
)
_UNREACHABLE = (
    r"dial tcp|i/o timeout|TLS handshake timeout|request canceled|context (?:deadline|canceled)|"
    r"no such host|connection (?:refused|reset)|connection issue between|"
    r"check your (?:task )?network (?:configuration|connection)|request send failed|"
    r"no route to host|network is unreachable|(?:connection|operation) timed out|Client\.Timeout"
)
_MISSING = r"not found|manifest unknown|name unknown|does not exist|NAME_UNKNOWN|no such image"
_FULL_DISK = r"no space left on device|disk quota exceeded"
_TAG_POLICY = r"TagPolicyViolation|tag policy"

_NAT = (
    "give the subnets a route out by a NAT gateway or a public IP, and let the security group's "
    "egress pass 443"
)
_ENDPOINTS = "VPC endpoints for ecr.api, ecr.dkr, s3 (gateway), logs, secretsmanager and ssm"

_BEFORE = (
    Stage.REGISTRY_LOGIN,
    Stage.SECRET,
    Stage.PARAMETER,
    Stage.LOGGER,
    Stage.ENVIRONMENT_FILES,
    Stage.NETWORK_INTERFACE,
    Stage.INITIALIZATION,
)

FAILURES: tuple[Failure, ...] = (
    # --- the image -----------------------------------------------------------------------------
    Failure(
        code="image-platform-mismatch",
        pattern=r"no match(?:ing manifest)? for|descriptor matching platform|exec format error|"
        r"not match the (?:specified|detected host|expected) platform|"
        r"cannot be used on this platform",
        summary="the image was built for another CPU architecture",
        advice="build it for `service.platform` (X86_64 or ARM64)",
        after=1,
        example="CannotPullContainerError: image manifest does not contain descriptor matching "
        "platform 'linux/amd64'",
        source=_PULL,
    ),
    Failure(
        code="disk-full",
        pattern=_FULL_DISK,
        summary="the task's disk is full",
        advice="make the image smaller, or give the task more ephemeral storage (Fargate's default "
        "is 20 GiB, the image unpacked counts)",
        after=2,
        example="CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract "
        "layer sha256:1: write /usr/lib/x: no space left on device",
        source=f"{_GUIDE}/fargate-task-storage.html",
    ),
    Failure(
        code="image-pull-rate-limit",
        stages=(Stage.IMAGE,),
        pattern=r"toomanyrequests|429 Too Many|pull rate limit|Rate exceeded",
        summary="the registry limits pulls",
        advice="push the image to ECR, or use a pull-through cache",
        after=None,
        example="CannotPullContainerError: toomanyrequests: You have reached your pull rate limit",
        source=_PULL,
    ),
    Failure(
        code="network-unreachable",
        stages=(Stage.IMAGE,),
        pattern=rf"(?:failed to copy|httpReadSeeker|<s3>).*(?:{_UNREACHABLE})|panic: runtime error",
        summary="the image's layers could not be fetched from S3",
        advice="ECR keeps layers in S3: give the subnets' route table the s3 gateway endpoint or "
        "a NAT gateway, and let the security group's egress pass 443",
        after=2,
        example="CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: "
        "httpReadSeeker: failed open: failed to do request: Get x: dial tcp 52.1.2.3:443: i/o "
        "timeout",
        source=_PULL,
    ),
    Failure(
        code="image-pull-denied",
        stages=(Stage.IMAGE,),
        pattern=r"<s3>.*40[13] |(?:failed to copy|httpReadSeeker).*403 Forbidden",
        summary="the image's layers may not be read from S3",
        advice="let the policy of the S3 gateway endpoint allow s3:GetObject on ECR's bucket, "
        "arn:aws:s3:::prod-REGION-starport-layer-bucket/*",
        after=2,
        example="CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: "
        "httpReadSeeker: failed open: unexpected status code https://prod-us-east-1-starport-layer-"
        "bucket.s3.us-east-1.amazonaws.com/1: 403 Forbidden",
        source="https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",
    ),
    Failure(
        code="network-unreachable",
        stages=(Stage.IMAGE,),
        pattern=rf"(?:<docker-hub>|<ghcr>|<ecr-public>|<registry>).*(?:{_UNREACHABLE})",
        summary="the task has no route to the image's registry",
        advice=f"{_NAT}: there is no VPC endpoint for a registry outside of AWS; or push the image "
        "to ECR",
        after=2,
        example="CannotPullContainerError: failed to resolve ref docker.io/library/nginx:1: failed "
        'to do request: Head "https://registry-1.docker.io/v2/": dial tcp 44.2.6.7:443: i/o '
        "timeout",
        source=_PULL,
    ),
    Failure(
        code="network-unreachable",
        stages=(Stage.IMAGE,),
        pattern=rf"{_UNREACHABLE}|signal: killed",
        summary="the task has no route to the image's registry",
        advice=f"{_NAT}; or give the VPC {_ENDPOINTS}",
        after=2,
        example="CannotPullContainerError: dial tcp 10.0.0.1:443: i/o timeout",
        source=_PULL,
    ),
    Failure(
        code="login-expired",
        stages=(Stage.IMAGE,),
        pattern=r"authorization token has expired",
        summary="the login to the registry has expired",
        advice="deploy again: ECS logs in anew for each task",
        after=2,
        example="CannotPullContainerError: denied: Your authorization token has expired. "
        "Reauthenticate and try again.",
        source=_PULL,
    ),
    Failure(
        code="image-not-found",
        stages=(Stage.IMAGE,),
        pattern=r"normalize image reference|invalid reference format",
        summary="the image's name is not one that a registry can have",
        advice="correct the image: registry/repository:tag or registry/repository@sha256:…",
        after=1,
        example='InternalError: failed to normalize image reference "Dockerfile"',
        source=_PULL,
    ),
    Failure(
        code="image-pull-denied",
        stages=(Stage.IMAGE,),
        pattern=rf"(?:<docker-hub>|<ghcr>|<registry>).*(?:{_DENIED})|requested access to the "
        "resource is denied",
        summary="the registry refuses the pull: the image does not exist, or is private",
        advice="check the repository's name; for a private one name credentials "
        "(repositoryCredentials of the task definition), or push the image to ECR",
        after=1,
        example="CannotPullContainerError: failed to resolve ref ghcr.io/org/web:1: failed to "
        "authorize: failed to fetch anonymous token: 401 Unauthorized",
        source=f"{_GUIDE}/private-auth.html",
    ),
    Failure(
        code="image-pull-denied",
        stages=(Stage.IMAGE,),
        pattern=_DENIED,
        summary="the execution role may not pull the image",
        advice="allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and ecr:GetAuthorizationToken; "
        "an image of another account needs its repository's policy as well",
        after=1,
        example="CannotPullContainerError: pull access denied for offer-api, repository does not "
        "exist or may require 'docker login'",
        source=_PULL,
    ),
    Failure(
        code="image-not-found",
        stages=(Stage.IMAGE,),
        pattern=rf"{_MISSING}|check whether the image exists",
        summary="the image does not exist",
        advice="check that the digest is in the repository: a lifecycle policy may have removed it",
        after=1,
        example="CannotPullContainerError: failed to resolve ref offer-api@sha256:9b1f2c: not "
        "found",
        source=_PULL,
    ),
    Failure(
        code="image-pull-failed",
        stages=(Stage.IMAGE,),
        pattern=r"layers and diffIDs|unexpected EOF|failed commit on ref|invalid tar|checksum",
        summary="the image is broken",
        advice="build and push the image again",
        after=2,
        example="CannotPullContainerError: ref pull has been retried 1 time(s): number of layers "
        "and diffIDs don't match: 3 != 15",
        source=_PULL,
    ),
    Failure(
        code="image-pull-failed",
        stages=(Stage.IMAGE,),
        pattern=r".",
        summary="the image could not be pulled",
        advice="deploy again when the registry answers; ECS's words say what it answered",
        after=2,
        example="CannotPullContainerError: API error",
        source=_PULL,
    ),
    # --- AWS itself ----------------------------------------------------------------------------
    Failure(
        code="throttled",
        stages=_BEFORE,
        pattern=r"Throttling|Rate exceeded|TooManyRequests|RequestLimitExceeded",
        summary="AWS limits the calls that the task's start needs",
        advice="wait: ECS tries again by itself; start fewer tasks at once if it goes on",
        after=None,
        example="ResourceInitializationError: unable to retrieve secrets from ssm: "
        "ThrottlingException: Rate exceeded",
        source=_INITIALIZATION,
    ),
    Failure(
        code="platform-error",
        stages=_BEFORE,
        pattern=r"InternalServ\w+|ServiceUnavailable|status ?code: 50\d",
        summary="an AWS service had trouble while the task started",
        advice="ECS tries again by itself; deploy again, and ask AWS if it goes on",
        after=None,
        example="ResourceInitializationError: unable to retrieve secret from asm: "
        "InternalServiceError: An error occurred on the server side.",
        source=_INITIALIZATION,
    ),
    # --- before the container ------------------------------------------------------------------
    Failure(
        code="network-unreachable",
        stages=(Stage.REGISTRY_LOGIN,),
        pattern=_UNREACHABLE,
        summary="the task has no route to ECR",
        advice=f"{_NAT}; or give the VPC {_ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: unable to pull secrets or registry auth: unable to "
        'retrieve ecr registry auth: RequestError: Post "https://api.ecr.us-east-1.amazonaws.com/":'
        " dial tcp 10.0.0.1:443: i/o timeout",
        source=_INITIALIZATION,
    ),
    Failure(
        code="image-pull-denied",
        stages=(Stage.REGISTRY_LOGIN,),
        pattern=_DENIED,
        summary="the execution role may not log in to ECR",
        advice="allow ecr:GetAuthorizationToken on `*` in the execution role",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: unable to "
        "retrieve ecr registry auth: AccessDeniedException: not authorized",
        source=_INITIALIZATION,
    ),
    Failure(
        code="secret-json-key-missing",
        stages=(Stage.SECRET, Stage.PARAMETER, Stage.INITIALIZATION),
        pattern=r"did not contain json key|invalid character .* looking for beginning of value",
        summary="a secret has no such JSON key",
        advice="correct the `:json-key::` part of `valueFrom`, or the secret's JSON",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: retrieved "
        "secret from Secrets Manager did not contain json key password",
        source=_INITIALIZATION,
    ),
    Failure(
        code="secret-access-denied",
        stages=(Stage.SECRET, Stage.PARAMETER, Stage.INITIALIZATION),
        pattern=r"(?:AccessDenied|not authorized).*\bKMS\b|kms:Decrypt|DecryptionFailure|"
        r"can't decrypt",
        summary="the execution role may not decrypt a secret",
        advice="allow kms:Decrypt in the execution role and in the policy of the key that encrypts "
        "the secret",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: unable to "
        "retrieve secret from asm: AccessDeniedException: Access to KMS is not allowed",
        source=_INITIALIZATION,
    ),
    Failure(
        code="network-unreachable",
        stages=(Stage.SECRET,),
        pattern=_UNREACHABLE,
        summary="the task has no route to Secrets Manager",
        advice=f"{_NAT}; or give the VPC {_ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: unable to retrieve secret from asm: There is a "
        "connection issue between the task and AWS Secrets Manager. Check your task network "
        "configuration.",
        source=_INITIALIZATION,
    ),
    Failure(
        code="network-unreachable",
        stages=(Stage.PARAMETER,),
        pattern=_UNREACHABLE,
        summary="the task has no route to Systems Manager",
        advice=f"{_NAT}; or give the VPC {_ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: unable to retrieve secrets from ssm: "
        "RequestCanceled: request context canceled caused by: context deadline exceeded",
        source=_INITIALIZATION,
    ),
    Failure(
        code="secret-access-denied",
        stages=(Stage.SECRET, Stage.PARAMETER),
        pattern=_DENIED,
        summary="the execution role may not read a secret",
        advice="name the full ARN in `valueFrom`, so that FSD allows it; allow kms:Decrypt where a "
        "customer key encrypts it",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: "
        "AccessDeniedException: … is not authorized to perform: secretsmanager:GetSecretValue",
        source=_INITIALIZATION,
    ),
    Failure(
        code="secret-not-found",
        stages=(Stage.SECRET, Stage.PARAMETER),
        pattern=r"ResourceNotFound|can't find|ParameterNotFound|invalid ssm parameters|"
        r"can't retrieve the secret|not found|marked for deletion|marked deleted",
        summary="a secret or parameter does not exist",
        advice="check `valueFrom`: region, account and the six characters at the end of the ARN",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret",
        source=_INITIALIZATION,
    ),
    Failure(
        code="secret-not-found",
        stages=(Stage.SECRET, Stage.PARAMETER),
        pattern=r"InvalidParameter|ValidationException|invalid parameter|Invalid name",
        summary="a secret's `valueFrom` names no secret",
        advice="correct `valueFrom`: the whole ARN, then :JSON-KEY:STAGE:VERSION with all three "
        "colons or none",
        after=1,
        example="ResourceInitializationError: unable to retrieve secret from asm: failed to fetch "
        "secret x from secrets manager: InvalidParameter: 1 validation error(s) found.",
        source=f"{_GUIDE}/secrets-envvar-secrets-manager.html",
    ),
    Failure(
        code="secret-unreadable",
        stages=(Stage.SECRET, Stage.PARAMETER),
        pattern=r".",
        summary="a secret could not be read, and ECS does not say why",
        advice=f"check `valueFrom` and the execution role, and the network: {_ENDPOINTS}, or NAT",
        after=2,
        example="ResourceInitializationError: unable to pull secrets or registry auth: unable to "
        "retrieve secret from asm: service call has been retried.",
        source=_INITIALIZATION,
    ),
    Failure(
        code="network-unreachable",
        stages=(Stage.LOGGER,),
        pattern=rf"{_UNREACHABLE}|signal: killed",
        summary="the task has no route to CloudWatch Logs",
        advice=f"{_NAT}; or give the VPC {_ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: failed to validate logger args: There is a "
        "connection issue between the task and Amazon CloudWatch. Check your network "
        "configuration. : signal: killed",
        source=_INITIALIZATION,
    ),
    Failure(
        code="log-access-denied",
        stages=(Stage.LOGGER,),
        pattern=_DENIED,
        summary="the execution role may not write the logs",
        advice="allow logs:CreateLogStream and logs:PutLogEvents on the log group in the execution "
        "role",
        after=1,
        example="ResourceInitializationError: failed to validate logger args: create stream has "
        "been retried 1 times: failed to create Cloudwatch log stream: AccessDeniedException: x "
        "is not authorized",
        source=_INITIALIZATION,
    ),
    Failure(
        code="log-group-missing",
        stages=(Stage.LOGGER,),
        pattern=r"log group does not exist|cannot find the Amazon CloudWatch log group|"
        r"ResourceNotFound|must specify a value for awslogs-group",
        summary="the log group does not exist",
        advice="deploy again: the stack owns the log group, and makes it again",
        after=1,
        example="ResourceInitializationError: failed to validate logger args: The specified log "
        "group does not exist",
        source=_INITIALIZATION,
    ),
    Failure(
        code="container-start-failed",
        stages=(Stage.LOGGER,),
        pattern=r".",
        summary="the container's log driver could not start",
        advice="correct the log driver's options: ECS's words name the fault",
        after=2,
        example="CannotStartContainerError: failed to initialize logging driver: unknown log opt "
        "'awslogs-stream-name' for awslogs log driver",
        source=f"{_GUIDE}/using_awslogs.html",
    ),
    Failure(
        code="network-unreachable",
        stages=(Stage.ENVIRONMENT_FILES,),
        pattern=_UNREACHABLE,
        summary="the task has no route to S3, where its environment file is",
        advice=f"{_NAT}; or give the VPC {_ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: failed to download env files: RequestCanceled: "
        "request context canceled caused by: context deadline exceeded",
        source=_INITIALIZATION,
    ),
    Failure(
        code="environment-file-unreadable",
        stages=(Stage.ENVIRONMENT_FILES,),
        pattern=r".",
        summary="an environment file could not be read",
        advice="check its bucket and name, and allow s3:GetObject and s3:GetBucketLocation in the "
        "execution role",
        after=1,
        example="ResourceInitializationError: failed to download env files: file download command: "
        "non empty error stream",
        source=_INITIALIZATION,
    ),
    Failure(
        code="file-system-not-mounted",
        stages=(Stage.FILE_SYSTEM,),
        pattern=r"reason given by server: No such file|No such file or directory",
        summary="the EFS file system has no such directory",
        advice="make the directory, or correct the volume's root path",
        after=1,
        example="ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
        "volumes: mount.nfs4: mounting fs-1:/data failed, reason given by server: No such file or "
        "directory",
        source=_INITIALIZATION,
    ),
    Failure(
        code="file-system-not-mounted",
        stages=(Stage.FILE_SYSTEM,),
        pattern=r"access denied|AccessDenied|not authorized",
        summary="the task may not mount the EFS file system",
        advice="allow elasticfilesystem:ClientMount in the task role and in the file system's "
        "policy, and check the access point",
        after=1,
        example="ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
        "volumes: mount.nfs4: access denied by server while mounting 127.0.0.1:/",
        source=_INITIALIZATION,
    ),
    Failure(
        code="file-system-not-mounted",
        stages=(Stage.FILE_SYSTEM,),
        pattern=r"Failed to resolve|mount target",
        summary="the EFS file system has no mount target that the task can find",
        advice="give the file system a mount target in each of the tasks' zones, and the VPC DNS "
        "resolution and DNS host names",
        after=1,
        example="ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
        'volumes: stderr: Failed to resolve "fs-1.efs.us-east-1.amazonaws.com"',
        source=_INITIALIZATION,
    ),
    Failure(
        code="file-system-not-mounted",
        stages=(Stage.FILE_SYSTEM,),
        pattern=r".",
        summary="an EFS file system could not be mounted",
        advice="allow port 2049 from the tasks, give each zone a mount target, and check IAM",
        after=1,
        example="ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
        "volumes: mount.nfs4: Connection timed out",
        source=_INITIALIZATION,
    ),
    Failure(
        code="tag-policy-violated",
        pattern=_TAG_POLICY,
        summary="the organization's tag policy refuses a tag of the task",
        advice="correct the tag's value, or the tag policy of AWS Organizations",
        after=1,
        example="Unexpected EC2 error while attempting to tag the network interface: "
        "TagPolicyViolation",
        source="https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_"
        "tag-policies-enforcement.html",
    ),
    Failure(
        code="subnet-full",
        stages=(Stage.NETWORK_INTERFACE,),
        pattern=r"InsufficientFreeAddresses|no free addresses|enough free addresses",
        summary="a subnet has no free addresses",
        advice="add subnets or free addresses",
        after=None,
        example="Unexpected EC2 error while attempting to Create Network Interface: "
        "InsufficientFreeAddressesInSubnet",
        source=_STOPPED,
    ),
    Failure(
        code="quota-reached",
        stages=(Stage.NETWORK_INTERFACE,),
        pattern=r"NetworkInterfaceLimitExceeded|AttachmentLimitExceeded",
        summary="the account has as many network interfaces as it may",
        advice="ask for a higher quota (Service Quotas console), or remove interfaces",
        after=None,
        example="Unexpected EC2 error while attempting to Create Network Interface: "
        "NetworkInterfaceLimitExceeded",
        source=_STOPPED,
    ),
    Failure(
        code="network-setting-invalid",
        stages=(Stage.NETWORK_INTERFACE,),
        pattern=r"Invalid(?:Subnet|SecurityGroup|Group|Parameter)|SecurityGroupLimit|"
        r"SecurityGroupsPerInterface|does not exist|not found",
        summary="a subnet or security group of the service does not exist or does not fit",
        advice="correct the subnets and security groups in the environments file; both must be of "
        "one VPC",
        after=1,
        example="Unexpected EC2 error while attempting to Create Network Interface with public IP "
        "assignment disabled in subnet 'subnet-1': InvalidSubnetID.NotFound",
        source=_STOPPED,
    ),
    Failure(
        code="platform-error",
        stages=(Stage.NETWORK_INTERFACE,),
        pattern=r"AuthFailure|Unauthorized|AccessDenied|not authorized",
        summary="EC2 refused ECS a network interface",
        advice="ECS tries again; if it goes on, check ECS's service-linked role, and in a shared "
        "VPC the permission of its owner",
        after=None,
        example="Unexpected EC2 error while attempting to Create Network Interface with public IP "
        "assignment enabled in subnet 'subnet-1': AuthFailure",
        source=_STOPPED,
    ),
    Failure(
        code="platform-error",
        stages=(Stage.NETWORK_INTERFACE,),
        pattern=r".",
        summary="the platform could not give the task its network interface",
        advice="ECS tries again by itself; deploy again, and ask AWS if it goes on",
        after=None,
        example="Timeout waiting for network interface provisioning to complete.",
        source=_STOPPED,
    ),
    Failure(
        code="capacity-provider-denied",
        stages=(Stage.CAPACITY_PROVIDER,),
        pattern=_DENIED,
        summary="the capacity provider may not launch instances",
        advice="allow it in the capacity provider's infrastructure role; iam:PassRole for the "
        "instances' role is the usual gap",
        after=1,
        example="ResourceInitializationError: Unable to launch instance(s) for capacity provider "
        "managed. UnauthorizedOperation: You are not authorized to perform this operation.",
        source=f"{_GUIDE}/infrastructure_IAM_role.html",
    ),
    Failure(
        code="capacity-unavailable",
        stages=(Stage.CAPACITY_PROVIDER,),
        pattern=r".",
        summary="the capacity provider could not launch an instance",
        advice="ECS tries again by itself; its words say what failed",
        after=None,
        example="ResourceInitializationError: Unable to launch instance(s) for capacity provider "
        "managed. InsufficientInstanceCapacity",
        source=_STOPPED,
    ),
    Failure(
        code="network-unreachable",
        stages=(Stage.INITIALIZATION,),
        pattern=rf"{_UNREACHABLE}|signal: killed",
        summary="the task has no route to AWS's endpoints",
        advice=f"{_NAT}; or give the VPC {_ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: unable to pull secrets or registry auth: pull "
        "command failed: : signal: killed",
        source=_INITIALIZATION,
    ),
    Failure(
        code="access-denied",
        stages=(Stage.INITIALIZATION,),
        pattern=_DENIED,
        summary="a role of the task may not do what its start needs",
        advice="allow in the execution role what ECS's words name",
        after=1,
        example="ResourceInitializationError: AccessDeniedException: User: x is not authorized to "
        "perform: logs:CreateLogGroup",
        source=_INITIALIZATION,
    ),
    Failure(
        code="task-failed-to-start",
        stages=(Stage.INITIALIZATION,),
        pattern=r".",
        summary="ECS could not prepare the task",
        advice="correct what ECS's words name, and deploy again",
        after=None,
        example="ResourceInitializationError: unable to pull secrets or registry auth",
        source=_INITIALIZATION,
    ),
    Failure(
        code="task-not-compatible",
        pattern=r"not compatible with the selected compute strategy|"
        r"(?:launch type|capacity provider).*(?:not compatible|incompatible)",
        summary="the task definition does not fit the launch type or capacity provider",
        advice="name a launch type or capacity provider that is compatible with the task "
        "definition's `requiresCompatibilities`",
        after=1,
        example="The selected task definition is not compatible with the selected compute strategy",
        source=_STOPPED,
    ),
    # --- the container -------------------------------------------------------------------------
    Failure(
        code="out-of-memory",
        stages=(Stage.MEMORY,),
        pattern=r".",
        summary="the container ran out of memory",
        advice="raise `resources.memory` to the next Fargate size",
        after=2,
        example="OutOfMemoryError: Container killed due to memory usage",
        source=_STOPPED,
    ),
    Failure(
        code="dependency-failed",
        stages=(Stage.DEPENDENCY,),
        pattern=r".",
        summary="a container that the service waits for failed",
        advice="read that container's logs; ECS's words name the container",
        after=2,
        example="Dependent container in task exited with non-zero status: dependent container "
        "migrate exited with non-zero status",
        source=f"{_GUIDE}/example_task_definitions.html",
    ),
    Failure(
        code="volume-failed",
        stages=(Stage.VOLUME,),
        pattern=r".",
        summary="a volume of the task could not be made or attached",
        advice="the volume's settings and the infrastructure role must fit: see ECS's words",
        after=2,
        example="CannotCreateVolumeError: create data: VolumeDriver.Create: not found",
        source=_STOPPED,
    ),
    Failure(
        code="container-start-failed",
        stages=(Stage.START,),
        pattern=r"unable to find user|no matching entries in passwd|unable to find group",
        summary="the image has no such user",
        advice="make the user in the Dockerfile, or correct USER",
        after=1,
        example="CannotStartContainerError: Error response from daemon: unable to find user app: "
        "no matching entries in passwd file",
        source=_STOPPED,
    ),
    Failure(
        code="container-start-failed",
        stages=(Stage.START,),
        pattern=r"chdir to cwd|read-only file system",
        summary="the container's working directory cannot be used",
        advice="make WORKDIR in the image, and writable for its user",
        after=1,
        example="CannotStartContainerError: OCI runtime create failed: chdir to cwd "
        '("/app") set in config.json failed: permission denied',
        source=_STOPPED,
    ),
    Failure(
        code="volume-failed",
        stages=(Stage.START,),
        pattern=r"error mounting|failed to mount|invalid mount|invalid volume|create volume|"
        r"not a directory: unknown: Are you trying to mount|VolumeDriver",
        summary="a volume of the container could not be mounted",
        advice="correct the volume's source and container path in the task definition",
        after=1,
        example="CannotStartContainerError: Error response from daemon: OCI runtime create failed: "
        'error mounting "/data" to rootfs: no such file or directory',
        source=_STOPPED,
    ),
    Failure(
        code="out-of-memory",
        stages=(Stage.START,),
        pattern=r"OOM-killed|cannot allocate memory|failed to get container status",
        summary="the container ended while it started, most often for want of memory",
        advice="raise `resources.memory` to the next Fargate size",
        after=2,
        example="CannotStartContainerError: failed to get container status: <reason>",
        source=_STOPPED,
    ),
    Failure(
        code="command-not-found",
        stages=(Stage.START,),
        pattern=r"executable file not found|no such file or directory|permission denied|"
        r"is a directory|stat <program>",
        summary="the container's program could not be started",
        advice="check CMD and ENTRYPOINT (or `service.command`): the program must be in the image "
        "and executable",
        after=1,
        example='CannotStartContainerError: exec: "serve": executable file not found in $PATH',
        source=_STOPPED,
    ),
    Failure(
        code="platform-error",
        stages=(Stage.START, Stage.PLATFORM),
        pattern=r"^(?:CannotCreate|ContainerRuntimeTimeout|DockerTimeout|CannotInspect|CannotStop|"
        r"InternalError)|EphemeralStorage",
        summary="the platform had trouble",
        advice="ECS tries again by itself; deploy again, and ask AWS if it goes on",
        after=None,
        example="ContainerRuntimeTimeoutError: Could not transition to created; timed out after "
        "waiting 3m0s",
        source=_STOPPED,
    ),
    Failure(
        code="container-start-failed",
        stages=(Stage.START,),
        pattern=r".",
        summary="the container could not be started",
        advice="correct the container's setting that ECS's words name",
        after=2,
        example="CannotStartContainerError: Error response from daemon: OCI runtime create failed: "
        "unable to apply caps: unknown",
        source=_STOPPED,
    ),
    Failure(
        code="command-not-found",
        stages=(Stage.EXIT,),
        pattern=r".",
        exit_codes=(126, 127),
        summary="the container's program was not found or is not executable",
        advice="check CMD and ENTRYPOINT (or `service.command`)",
        after=1,
        example="Essential container in task exited",
        source=_STOPPED,
    ),
    Failure(
        code="health-check-failed",
        stages=(Stage.HEALTH,),
        pattern=r".",
        summary="the load balancer's health check failed",
        advice="make the health path answer 200 to 299 in time on the container's port",
        after=2,
        example="Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:…)",
        source=_EVENTS,
    ),
    Failure(
        code="container-health-check-failed",
        stages=(Stage.CONTAINER_HEALTH,),
        pattern=r".",
        summary="the container's health check failed",
        advice="make the health path answer on 127.0.0.1; raise `healthCheck.gracePeriod` for a "
        "slow start",
        after=2,
        example="Task failed container health checks",
        source=_EVENTS,
    ),
    Failure(
        code="exited-at-once",
        stages=(Stage.EXIT,),
        pattern=r".",
        exit_codes=(0,),
        summary="the main process ended with exit code 0: no server, or gone to the background",
        advice="run the server in the foreground",
        after=1,
        example="Essential container in task exited",
        source=_STOPPED,
    ),
    Failure(
        code="killed",
        stages=(Stage.EXIT,),
        pattern=r".",
        exit_codes=(137,),
        summary="the main process was killed",
        advice="see what stopped it first; a process that ignores SIGTERM is killed after "
        "`stopTimeout`",
        after=None,
        example="Essential container in task exited",
        source=_STOPPED,
    ),
    Failure(
        code="crashed",
        stages=(Stage.EXIT,),
        pattern=r".",
        summary="the main process ended",
        advice="find out why the program ends: ECS knows no more than its exit code",
        after=2,
        example="Essential container in task exited",
        source=_STOPPED,
    ),
    Failure(
        code="task-failed-to-start",
        pattern=r".",
        summary="tasks failed to start",
        advice="correct what ECS's words name, and deploy again",
        after=None,
        example="Task failed to start",
        source=_STOPPED,
    ),
)

# What the service's events tell: a task was not even made, or cannot be put to use.
EVENT_FAILURES: tuple[Failure, ...] = (
    Failure(
        code="target-group-missing",
        pattern=r"TARGET GROUP IS NOT FOUND",
        summary="the target group was deleted",
        advice="deploy again: the stack owns the target group",
        after=1,
        example="(service web) (task 1) is not healthy in (target-group arn:x) due to "
        "TARGET GROUP IS NOT FOUND",
        source=_EVENTS,
    ),
    Failure(
        code="targets-not-registered",
        pattern=r"(?:failed|unable) to (?:de)?register targets",
        summary="ECS could not register the tasks with the load balancer",
        advice="the service-linked role and the target group must fit: see ECS's words",
        after=None,
        example="(service web) failed to register targets in (target-group arn:x) with (error "
        "rate exceeded)",
        source=_EVENTS,
    ),
    Failure(
        code="tasks-protected",
        pattern=r"(?:tasks?|due to) .*(?:protection|protected)",
        summary="old tasks are protected from being stopped",
        advice="the deployment waits for them: end their protection (`aws ecs "
        "update-task-protection --no-protection-enabled`), or wait until it expires",
        after=None,
        example="(service web) was unable to stop or start tasks during a deployment because 2 "
        "tasks are protected by task scale-in protection.",
        source=f"{_GUIDE}/task-scale-in-protection.html",
    ),
    Failure(
        code="no-room-to-deploy",
        pattern=r"unable to stop or start tasks during a deployment because of the service "
        r"deployment configuration",
        summary="minimum and maximum healthy percent leave no room to start or stop a task",
        advice="let the maximum be 200 percent, or the minimum less than 100",
        after=1,
        example="(service web) was unable to stop or start tasks during a deployment "
        "because of the service deployment configuration.",
        source=_EVENTS,
    ),
    Failure(
        code="account-blocked",
        pattern=r"account is (?:currently )?blocked",
        summary="AWS has blocked the account",
        advice="contact AWS Support: no task can start before that",
        after=1,
        example="(service web) was unable to place a task. Reason: Your account is currently "
        "blocked.",
        source=_EVENTS,
    ),
    Failure(
        code="quota-exceeded",
        pattern=r"configuration is above your limit",
        summary="the task is larger than the account may run",
        advice="ask for a higher quota (Service Quotas console), or take a smaller size",
        after=1,
        example="(service web) was unable to place a task. Reason: The requested CPU "
        "configuration is above your limit.",
        source=_EVENTS,
    ),
    Failure(
        code="quota-reached",
        pattern=r"reached the limit on the number of (vCPUs|tasks)",
        summary="the account runs as many vCPUs or tasks as it may",
        advice="ask for a higher quota (Service Quotas console), or lower the maximum percent: a "
        "deployment needs room for old and new tasks",
        after=None,
        example="(service web) was unable to place a task. Reason: You've reached the limit"
        " on the number of vCPUs you can run concurrently.",
        source=_EVENTS,
    ),
    Failure(
        code="quota-reached",
        pattern=r"provisioning capacity limit was exceeded",
        summary="the cluster has as many tasks in provisioning as it may",
        advice="deploy again later; the cluster provisions no more tasks at once",
        after=None,
        example="(service web) was unable to place tasks in your cluster because the tasks "
        "provisioning capacity limit was exceeded.",
        source=_EVENTS,
    ),
    Failure(
        code="permissions-changed",
        pattern=r"permissions policies have been misconfigured",
        summary="ECS has lost permissions that it needs for the service",
        advice="restore the permissions of ECS's service-linked role and of the service's roles",
        after=3,
        example="IAM permissions policies have been misconfigured or changed, and ECS can no "
        "longer maintain your service",
        source=_EVENTS,
    ),
    Failure(
        code="role-not-assumable",
        pattern=r"unable to assume the role|Role is not valid|trust relationship has been "
        "misconfigured",
        summary="ECS may not assume a role of the task",
        advice="let the role's trust policy name ecs-tasks.amazonaws.com; a new role needs some "
        "seconds",
        after=3,
        example="ECS was unable to assume the role 'arn:aws:iam::123456789012:role/x' that "
        "was provided for this task.",
        source=_EVENTS,
    ),
    Failure(
        code="zone-not-supported",
        pattern=rf"{_PLACING}.*Internal error",
        summary="ECS could not place a task, often because Fargate is not in a subnet's zone",
        advice="name subnets in other zones; if all zones have Fargate, it is ECS's own trouble, "
        "and it tries again",
        after=None,
        example="(service web) was unable to place a task. Reason: Internal error.",
        source=_EVENTS,
    ),
    Failure(
        code="capacity-unavailable",
        pattern=r"capacity is unavailable|RESOURCE:|could not launch \d+ tasks|"
        r"No Container Instances were found|closest matching",
        summary="there is no capacity for the task",
        advice="add subnets in more zones, use on-demand capacity, or deploy again later; on EC2 "
        "add instances that have what the task asks for",
        after=None,
        example="(service web) was unable to place a task. Reason: Capacity is unavailable "
        "at this time.",
        source=_EVENTS,
    ),
    Failure(
        code="subnet-full",
        pattern=rf"{_PLACING}.*subnet",
        summary="a subnet has no free addresses",
        advice="add subnets or free addresses",
        after=None,
        example="(service web) was unable to place a task. Reason: no free addresses in "
        "subnet subnet-1.",
        source=_EVENTS,
    ),
    Failure(
        code="tasks-fail-to-start",
        pattern=r"unable to consistently start tasks",
        summary="tasks keep failing to start, and ECS waits longer between its tries",
        advice="read the reasons of the stopped tasks: `fsd diagnose` shows them",
        after=None,
        example="(service web) is unable to consistently start tasks successfully.",
        source=_EVENTS,
    ),
    Failure(
        code="throttled",
        pattern=r"operations are being throttled",
        summary="ECS slows the service down",
        advice="wait: ECS tries again by itself",
        after=None,
        example="(service web) operations are being throttled. Will try again later.",
        source=_EVENTS,
    ),
)

# Ends that no stopped task tells, but the deployment itself; there is no text to look for.
ALARM_TRIGGERED = Failure(
    code="alarm-triggered",
    pattern="",
    summary="a CloudWatch alarm went off",
    advice="look at what the alarm measures; it is named in `deployment.alarms`",
    after=None,
    example="deployment failed: alarm detected.",
    source=f"{_GUIDE}/deployment-alarm-failure.html",
)
ROLLOUT_FAILED = Failure(
    code="rollout-failed",
    pattern="",
    summary="ECS ended the deployment",
    advice="look at the service's events and logs",
    after=None,
    example="deployment failed: tasks failed to start.",
    source=f"{_GUIDE}/deployment-circuit-breaker.html",
)
ROLLBACK_REQUESTED = Failure(
    code="rollback-requested",
    pattern="",
    summary="somebody asked ECS to roll it back, while nothing had failed",
    advice="CloudTrail names who called StopServiceDeployment; deploy again to go on",
    after=None,
    example="Service deployment rolled back because a rollback was requested.",
    source=f"{_GUIDE}/stop-service-deployment.html",
)
WITHOUT_TASKS = (*EVENT_FAILURES, ALARM_TRIGGERED, ROLLBACK_REQUESTED, ROLLOUT_FAILED)


def classify(task: StoppedTask) -> Failure | None:
    """The row for one stopped task; None where its end says nothing about the release.

    Where ECS quotes AWS's denial, the row's advice names the action and the policy. What ECS says
    in an event it may say of a task too ("Capacity is unavailable"); the row that takes everything
    comes last.
    """
    if task.stop_code in INNOCENT_CODES or INNOCENT_REASON.search(task.stopped_reason):
        return None
    texts = [task.stopped_reason, *(c.reason for c in task.containers if c.reason)]
    exit_code = next((c.exit_code for c in task.containers if c.exit_code is not None), None)
    failing = next((c.exit_code for c in task.containers if c.exit_code), exit_code)
    return (
        _first(FAILURES[:-1], texts, failing)
        or _first(EVENT_FAILURES, texts, None)
        or _first(FAILURES[-1:], texts, failing)
    )


def classify_event(message: str) -> Failure | None:
    """The row for one service event; None where it tells of no failure that has a name.

    An event may quote a task's reason behind "was unable to place a task. Reason:".
    """
    row = _first(EVENT_FAILURES, [message], None)
    if row is not None:
        return row
    quoted = _QUOTED.search(message)
    return _first(_OF_TASKS, [quoted["reason"]], None) if quoted else None


_QUOTED = re.compile(rf"{_PLACING}\. Reason: (?P<reason>\w+Error: .*)", re.DOTALL)
_OF_TASKS = tuple(row for row in FAILURES if not row.exit_codes and row.pattern != ".")


def _first(rows: tuple[Failure, ...], texts: list[str], exit_code: int | None) -> Failure | None:
    reasons = [read_reason(text) for text in texts]
    for row in rows:
        text = next(
            (
                text
                for text, reason in zip(texts, reasons, strict=True)
                if row.matches(reason, exit_code)
            ),
            None,
        )
        if text is not None:
            return _with_denial(row, text)
    return None


def _with_denial(row: Failure, text: str) -> Failure:
    """AWS's own clause says more than a row can: which action, and whose policy."""
    denial = find_denial(text)
    if denial is None or (denial.policy is None and not denial.is_explicit):
        return row
    return replace(row, advice=f"{advise_denial(denial)}; {row.advice}")
