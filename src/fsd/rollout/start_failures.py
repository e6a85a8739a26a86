"""Why a task did not start, or ended: what comes after the image, in the order of its start."""

from __future__ import annotations

from fsd.rollout.failure import (
    DENIED,
    ENDPOINTS,
    EVENTS,
    GUIDE,
    INITIALIZATION,
    NAT,
    STOPPED,
    THROTTLED,
    UNREACHABLE,
    Failure,
)
from fsd.rollout.known_causes import QuotedText
from fsd.rollout.reasons import TaskStage

_CODES = "https://docs.aws.amazon.com/AmazonECS/latest/userguide/stopped-task-error-codes.html"
_DAGSTER = (
    "https://github.com/dagster-io/dagster/blob/master/python_modules/libraries/dagster-aws/"
    "dagster_aws/ecs/launcher.py"
)

_BEFORE = (
    TaskStage.REGISTRY_LOGIN,
    TaskStage.SECRET,
    TaskStage.PARAMETER,
    TaskStage.LOGGER,
    TaskStage.ENVIRONMENT_FILES,
    TaskStage.NETWORK_INTERFACE,
    TaskStage.INITIALIZATION,
)
_KMS = r"(?:AccessDenied|not authorized).*\bKMS\b|DecryptionFailure|ciphertext refers to"
_TAG_POLICY = r"tag ?policy"

_VOLUME = (
    r"mounting \\*\"|invalid (?:mount config|volume spec)|VolumeDriver|for a local volume name"
)
_NO_USERS = r"/etc/passwd: no such file"
_SETTINGS = rf"chdir to cwd|{_NO_USERS}|{_VOLUME}"

START_FAILURES: tuple[Failure, ...] = (
    # --- AWS itself ----------------------------------------------------------------------------
    Failure(
        code="throttled",
        stages=_BEFORE,
        pattern=THROTTLED,
        summary="AWS throttles the calls that start the task",
        advice="wait: ECS retries on its own; if it continues, start fewer tasks at once",
        after=None,
        example="ResourceInitializationError: unable to retrieve secrets from ssm: "
        "ThrottlingException: Rate exceeded",
        source=INITIALIZATION,
        also=(
            QuotedText(
                "Unexpected EC2 error while attempting to Create Network Interface with public "
                "IP assignment enabled in subnet 'subnet-1': RequestLimitExceeded",
                STOPPED,
            ),
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve secret from asm: "
                "service call has been retried 1 time(s): ThrottlingException: You have "
                "exceeded the rate at which you may call KMS. Reduce the frequency of your "
                "calls.",
                "https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html",
            ),
        ),
    ),
    Failure(
        code="platform-error",
        stages=_BEFORE,
        pattern=r"Internal(?:Serv|Failure)\w*|ServiceUnavailable",
        summary="an AWS service had a problem while the task started",
        advice="ECS retries on its own; deploy again, and contact AWS Support if it continues",
        after=None,
        example="ResourceInitializationError: unable to retrieve secret from asm: "
        "InternalServiceError: An error occurred on the server side.",
        source=INITIALIZATION,
        also=(
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve ecr registry auth: "
                "service call has been retried 5 time(s): InternalFailure: The request "
                "processing has failed because of an unknown error, exception or failure.",
                "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html",
            ),
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve ecr registry auth: "
                "service call has been retried 5 time(s): ServiceUnavailable: The request has "
                "failed due to a temporary failure of the server.",
                "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html",
            ),
        ),
    ),
    # --- before the container ------------------------------------------------------------------
    Failure(
        code="network-unreachable",
        stages=(TaskStage.REGISTRY_LOGIN,),
        pattern=UNREACHABLE,
        summary="the task has no route to ECR",
        advice=f"{NAT}; or add {ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: unable to pull secrets or registry auth: unable to "
        'retrieve ecr registry auth: RequestError: Post "https://api.ecr.us-east-1.amazonaws.com/":'
        " dial tcp 10.0.0.1:443: i/o timeout",
        source=INITIALIZATION,
        also=(
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve ecr registry auth: "
                "service call has been retried 5 time(s): RequestError: send request failed "
                "caused by: Post https://api.ecr.eu-west-1.amazonaws.com/",
                "https://github.com/aws/aws-app-mesh-examples/issues/413",
            ),
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: The "
                "task cannot pull registry auth from Amazon ECR: There is a connection issue "
                "between the task and Amazon ECR. Check your task network configuration.",
                "https://github.com/aws/copilot-cli/issues/5927",
            ),
        ),
    ),
    Failure(
        code="image-pull-denied",
        stages=(TaskStage.REGISTRY_LOGIN,),
        pattern=DENIED,
        summary="the execution role is not allowed to log in to ECR",
        advice="allow ecr:GetAuthorizationToken on `*` in the execution role",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: unable to "
        "retrieve ecr registry auth: AccessDeniedException: not authorized",
        source=INITIALIZATION,
    ),
    Failure(
        code="secret-json-key-missing",
        stages=(TaskStage.SECRET, TaskStage.PARAMETER, TaskStage.INITIALIZATION),
        pattern=r"did not contain json key|invalid character .* looking for beginning of value",
        summary="a secret has no such JSON key",
        advice="correct the `:json-key::` part of `valueFrom`, or the secret's JSON",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: retrieved "
        "secret from Secrets Manager did not contain json key password",
        source=INITIALIZATION,
        also=(
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve secret from asm: "
                "service call has been retried 1 time(s): failed to fetch secret x from "
                "secrets manager: invalid character '\\'' looking for beginning of value",
                "https://github.com/rileydakota/valheim-ecs-fargate-cdk/issues/9",
            ),
        ),
    ),
    Failure(
        code="secret-access-denied",
        stages=(TaskStage.SECRET, TaskStage.PARAMETER, TaskStage.INITIALIZATION),
        pattern=_KMS,
        summary="the execution role is not allowed to decrypt a secret",
        advice="allow kms:Decrypt in the execution role and in the policy of the key that encrypts "
        "the secret",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: unable to "
        "retrieve secret from asm: AccessDeniedException: Access to KMS is not allowed",
        source=INITIALIZATION,
        also=(
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve secret from asm: "
                "service call has been retried 1 time(s): DecryptionFailure: Secrets Manager "
                "can't decrypt the protected secret text using the provided KMS key.",
                "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretVa"
                "lue.html",
            ),
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve secrets from ssm: "
                "service call has been retried 1 time(s): AccessDeniedException: The "
                "ciphertext refers to a customer master key that does not exist, does not "
                "exist in this region, or you are not allowed to access.",
                "https://github.com/external-secrets/kubernetes-external-secrets/issues/627",
            ),
        ),
    ),
    Failure(
        code="network-unreachable",
        stages=(TaskStage.SECRET,),
        pattern=UNREACHABLE,
        summary="the task has no route to Secrets Manager",
        advice=f"{NAT}; or add {ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: unable to retrieve secret from asm: There is a "
        "connection issue between the task and AWS Secrets Manager. Check your task network "
        "configuration.",
        source=INITIALIZATION,
    ),
    Failure(
        code="network-unreachable",
        stages=(TaskStage.PARAMETER,),
        pattern=UNREACHABLE,
        summary="the task has no route to Systems Manager",
        advice=f"{NAT}; or add {ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: unable to retrieve secrets from ssm: "
        "RequestCanceled: request context canceled caused by: context deadline exceeded",
        source=INITIALIZATION,
    ),
    Failure(
        code="secret-access-denied",
        stages=(TaskStage.SECRET, TaskStage.PARAMETER),
        pattern=DENIED,
        unless=_KMS,
        summary="the execution role is not allowed to read a secret",
        advice="use the full ARN in `valueFrom`, so that FSD can grant access to the secret; if a "
        "customer managed key encrypts the secret, also allow kms:Decrypt",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: "
        "AccessDeniedException: … is not authorized to perform: secretsmanager:GetSecretValue",
        source=INITIALIZATION,
        also=(
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "AccessDeniedException: User: arn:aws:sts::210987654321:assumed-role/web/1 is "
                "not authorized to perform: ssm:GetParameters on resource: "
                "arn:aws:ssm:eu-west-1:210987654321:parameter/x",
                INITIALIZATION,
            ),
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve secrets from ssm: "
                "service call has been retried 1 time(s): AccessDeniedException: User:",
                "https://github.com/aws/copilot-cli/issues/3104",
            ),
        ),
    ),
    Failure(
        code="secret-not-found",
        stages=(TaskStage.SECRET, TaskStage.PARAMETER),
        pattern=r"not ?found|invalid ssm parameters|marked (?:for deletion|deleted)|"
        r"check whether the secret exists",
        summary="a secret or parameter does not exist",
        advice="check the ARN in `valueFrom`: its Region, its account and, for a secret, its last "
        "six characters",
        after=1,
        example="ResourceInitializationError: unable to pull secrets or registry auth: "
        "ResourceNotFoundException: Secrets Manager can't find the specified secret",
        source=INITIALIZATION,
        also=(
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: The "
                "task can't retrieve the secret with ARN "
                "'arn:aws:secretsmanager:eu-west-1:210987654321:secret:x' from AWS Secrets "
                "Manager. Check whether the secret exists in the specified Region.",
                INITIALIZATION,
            ),
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve secrets from ssm: "
                "service call has been retried 1 time(s): invalid ssm parameters: "
                "/offers/database",
                INITIALIZATION,
            ),
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve secret from asm: "
                "service call has been retried 1 time(s): InvalidRequestException: You can't "
                "perform this operation on the secret because it was marked for deletion.",
                "https://github.com/hashicorp/terraform-provider-aws/issues/23998",
            ),
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve secret from asm: "
                "service call has been retried 1 time(s): InvalidRequestException: You can't "
                "perform this operation on the secret because it was currently marked deleted.",
                "https://github.com/localstack/awscli-local/issues/83",
            ),
        ),
    ),
    Failure(
        code="secret-not-found",
        stages=(TaskStage.SECRET, TaskStage.PARAMETER),
        pattern=r"InvalidParameter|ValidationException",
        summary="`valueFrom` does not refer to a valid secret",
        advice="write the full ARN, either alone or followed by :JSON-KEY:STAGE:VERSION with all "
        "three colons",
        after=1,
        example="ResourceInitializationError: unable to retrieve secret from asm: failed to fetch "
        "secret x from secrets manager: InvalidParameter: 1 validation error(s) found.",
        source=f"{GUIDE}/secrets-envvar-secrets-manager.html",
        also=(
            QuotedText(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                "execution resource retrieval failed: unable to retrieve secrets from ssm: "
                "service call has been retried 1 time(s): ValidationException: Parameter name: "
                'can\'t be prefixed with "ssm" (case-insensitive).',
                "https://github.com/aws/amazon-ecs-cli/issues/1020",
            ),
        ),
    ),
    Failure(
        code="secret-unreadable",
        stages=(TaskStage.SECRET, TaskStage.PARAMETER),
        pattern=r".",
        summary="a secret could not be read, and ECS does not say why",
        advice=f"check `valueFrom` and the execution role, and the network: {ENDPOINTS}, or NAT",
        after=2,
        example="ResourceInitializationError: unable to pull secrets or registry auth: unable to "
        "retrieve secret from asm: service call has been retried.",
        source=INITIALIZATION,
        is_rest=True,
    ),
    Failure(
        code="network-unreachable",
        stages=(TaskStage.LOGGER,),
        pattern=rf"{UNREACHABLE}|signal: killed",
        summary="the task has no route to CloudWatch Logs",
        advice=f"{NAT}; or add {ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: failed to validate logger args: There is a "
        "connection issue between the task and Amazon CloudWatch. Check your network "
        "configuration. : signal: killed",
        source=INITIALIZATION,
        also=(
            QuotedText(
                "ResourceInitializationError: failed to validate logger args: The task cannot "
                "find the Amazon CloudWatch log group defined in the task definition. There is "
                "a connection issue between the task and Amazon CloudWatch. Check your network "
                "configuration. : signal: killed",
                "https://github.com/civiform/civiform/issues/7648",
            ),
            QuotedText(
                "ResourceInitializationError: failed to validate logger args: pull command "
                "failed: : signal: killed",
                INITIALIZATION,
            ),
        ),
    ),
    Failure(
        code="log-access-denied",
        stages=(TaskStage.LOGGER,),
        pattern=DENIED,
        summary="the execution role is not allowed to write the logs",
        advice="allow logs:CreateLogStream and logs:PutLogEvents on the log group in the execution "
        "role",
        after=1,
        example="ResourceInitializationError: failed to validate logger args: create stream has "
        "been retried 1 times: failed to create Cloudwatch log stream: AccessDeniedException: x "
        "is not authorized",
        source=INITIALIZATION,
        also=(
            QuotedText(
                "ResourceInitializationError: failed to validate logger args: create stream "
                "has been retried 1 times: failed to create Cloudwatch log group: "
                "AccessDeniedException: User: arn:aws:sts::210987654321:assumed-role/web/1 is "
                "not authorized to perform: logs:CreateLogGroup on resource: "
                "arn:aws:logs:eu-west-1:210987654321:log-group:x:log-stream: because no "
                "identity-based policy allows the logs:CreateLogGroup action : exit status 1",
                "https://github.com/terraform-aws-modules/terraform-aws-ecs/pull/313",
            ),
            QuotedText(
                "CannotStartContainerError: Error response from daemon: failed to initialize "
                "logging driver: failed to create Cloudwatch log group: AccessDeniedException: "
                "User: arn:aws:sts::210987654321:assumed-role/web/i-0a",
                "https://github.com/prakhar1989/docker-curriculum/issues/260",
            ),
        ),
    ),
    Failure(
        code="log-group-missing",
        stages=(TaskStage.LOGGER,),
        pattern=r"log group does not exist",
        summary="the log group does not exist",
        advice="if FSD created the log group, deploy again: the stack creates it again; if "
        "`service.logs.group` names it, create it yourself",
        after=1,
        example="ResourceInitializationError: failed to validate logger args: The specified log "
        "group does not exist",
        source=INITIALIZATION,
        also=(
            QuotedText(
                "CannotStartContainerError: Error response from daemon: failed to initialize "
                "logging driver: failed to create Cloudwatch log stream: "
                "ResourceNotFoundException: The specified log group does not exist.",
                "https://github.com/prakhar1989/docker-curriculum/issues/253",
            ),
        ),
    ),
    Failure(
        code="container-start-failed",
        stages=(TaskStage.LOGGER,),
        pattern=r".",
        summary="the container's log driver could not start",
        advice="correct the log driver's options: ECS's message says what is wrong with them",
        after=2,
        example="CannotStartContainerError: failed to initialize logging driver: unknown log opt "
        "'awslogs-stream-name' for awslogs log driver",
        source=f"{GUIDE}/using_awslogs.html",
        is_rest=True,
        also=(
            QuotedText(
                "ResourceInitializationError: failed to validate logger args: create stream "
                "has been retried 1 times: failed to create Cloudwatch log stream: "
                "MissingEndpoint: 'Endpoint' configuration is required for this service",
                "https://github.com/TechToSpeech/terraform-aws-serverless-static-wordpress/issu"
                "es/74",
            ),
            QuotedText(
                "CannotStartContainerError: API error (500): failed to initialize logging "
                "driver: NoCredentialProviders: no valid providers in chain. Deprecated.",
                "https://github.com/docker-archive/for-aws/issues/127",
            ),
        ),
    ),
    Failure(
        code="network-unreachable",
        stages=(TaskStage.ENVIRONMENT_FILES,),
        pattern=UNREACHABLE,
        summary="the task has no route to S3, where its environment file is",
        advice=f"{NAT}; or add {ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: failed to download env files: RequestCanceled: "
        "request context canceled caused by: context deadline exceeded",
        source=INITIALIZATION,
    ),
    Failure(
        code="environment-file-unreadable",
        stages=(TaskStage.ENVIRONMENT_FILES,),
        pattern=r".",
        summary="an environment file could not be read",
        advice="check its bucket and name, and allow s3:GetObject and s3:GetBucketLocation in the "
        "execution role",
        after=1,
        example="ResourceInitializationError: failed to download env files: file download command: "
        "non empty error stream",
        source=INITIALIZATION,
        is_rest=True,
    ),
    Failure(
        code="file-system-not-mounted",
        stages=(TaskStage.FILE_SYSTEM,),
        pattern=r"No such file or directory",
        summary="the EFS file system has no such directory",
        advice="create the directory, or correct the volume's root path",
        after=1,
        example="ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
        "volumes: mount.nfs4: mounting fs-1:/data failed, reason given by server: No such file or "
        "directory",
        source=INITIALIZATION,
        unlike=(
            QuotedText(
                "ResourceInitializationError: failed to invoke EFS utils commands to set up "
                'EFS volumes: stderr: Failed to resolve "fs-1.efs.eu-west-1.amazonaws.com" - '
                "check that your file system ID is correct, and ensure that the VPC has an EFS "
                "mount target for this file system ID.",
                "https://github.com/rileydakota/valheim-ecs-fargate-cdk/issues/28",
            ),
        ),
    ),
    Failure(
        code="file-system-not-mounted",
        stages=(TaskStage.FILE_SYSTEM,),
        pattern=r"access denied|AccessDenied|not authorized",
        summary="the task is not allowed to mount the EFS file system",
        advice="allow elasticfilesystem:ClientMount in the task role and in the file system's "
        "policy, and check the access point",
        after=1,
        example="ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
        "volumes: mount.nfs4: access denied by server while mounting 127.0.0.1:/",
        source=INITIALIZATION,
    ),
    Failure(
        code="file-system-not-mounted",
        stages=(TaskStage.FILE_SYSTEM,),
        pattern=r"Failed to resolve",
        summary="the EFS file system has no mount target that the task can find",
        advice="give the file system a mount target in each of the tasks' zones, and turn on DNS "
        "resolution and DNS hostnames in the VPC",
        after=1,
        example="ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
        'volumes: stderr: Failed to resolve "fs-1.efs.us-east-1.amazonaws.com"',
        source=INITIALIZATION,
    ),
    Failure(
        code="file-system-not-mounted",
        stages=(TaskStage.FILE_SYSTEM,),
        pattern=r".",
        summary="an EFS file system could not be mounted",
        advice="allow port 2049 from the tasks, give each zone a mount target, and check IAM",
        after=1,
        example="ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
        "volumes: mount.nfs4: Connection timed out",
        source=INITIALIZATION,
        is_rest=True,
        also=(
            QuotedText(
                "ResourceInitializationError: failed to invoke EFS utils commands to set up "
                "EFS volumes: stderr: mount.nfs4: Connection reset by peer : unsuccessful EFS "
                "utils command execution; code: 32",
                "https://github.com/docker-archive/compose-cli/issues/1490",
            ),
        ),
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
        stages=(TaskStage.NETWORK_INTERFACE,),
        pattern=r"free ?addresses",
        summary="a subnet has no free addresses",
        advice="add subnets or free addresses",
        after=None,
        example="Unexpected EC2 error while attempting to Create Network Interface: "
        "InsufficientFreeAddressesInSubnet",
        source=STOPPED,
        also=(
            QuotedText(
                "InsufficientFreeAddressesInSubnet: The specified subnet does not have enough "
                "free addresses for a network interface of the task.",
                "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html",
            ),
        ),
    ),
    Failure(
        code="quota-reached",
        stages=(TaskStage.NETWORK_INTERFACE,),
        pattern=r"(?:NetworkInterface|Attachment)LimitExceeded",
        summary="the account has reached its limit for network interfaces",
        advice="request a higher quota in the Service Quotas console, or remove network interfaces",
        after=None,
        example="Unexpected EC2 error while attempting to Create Network Interface: "
        "NetworkInterfaceLimitExceeded",
        source=STOPPED,
        also=(
            QuotedText(
                "Unexpected EC2 error while attempting to attach network interface: "
                "AttachmentLimitExceeded: Interface count 4 exceeds the limit for t3.medium",
                "https://github.com/cilium/cilium/issues/15877",
            ),
        ),
    ),
    Failure(
        code="network-setting-invalid",
        stages=(TaskStage.NETWORK_INTERFACE,),
        pattern=r"Invalid(?:Subnet|SecurityGroup|Group|Parameter)|SecurityGroupsPerInterface",
        summary="a subnet or security group of the service does not exist or is in another VPC",
        advice="correct the subnets and security groups in the environments file; all must be in "
        "the same VPC",
        after=1,
        example="Unexpected EC2 error while attempting to Create Network Interface with public IP "
        "assignment disabled in subnet 'subnet-1': InvalidSubnetID.NotFound",
        source=STOPPED,
        also=(
            QuotedText(
                "Unexpected EC2 error while attempting to Create Network Interface with public "
                "IP assignment enabled in subnet 'subnet-1': InvalidSecurityGroupID.NotFound",
                STOPPED,
            ),
            QuotedText(
                "Unexpected EC2 error while attempting to Create Network Interface with public "
                "IP assignment enabled in subnet 'subnet-1': InvalidGroup.NotFound",
                "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html",
            ),
            QuotedText(
                "Unexpected EC2 error while attempting to Create Network Interface with public "
                "IP assignment enabled in subnet 'subnet-1': InvalidParameterValue: user "
                "210987654321 exceeded limit 5 on the number of interface security group "
                "memberships",
                "https://github.com/aws/amazon-vpc-resource-controller-k8s/pull/583",
            ),
            QuotedText(
                "Unexpected EC2 error while attempting to Create Network Interface with public "
                "IP assignment enabled in subnet 'subnet-1': "
                "SecurityGroupsPerInterfaceLimitExceeded",
                "https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/682",
            ),
        ),
    ),
    Failure(
        code="platform-error",
        stages=(TaskStage.NETWORK_INTERFACE,),
        pattern=r"AuthFailure|not authorized",
        summary="EC2 refused to give ECS a network interface",
        advice="ECS retries; if it continues, check ECS's service-linked role and, in a shared "
        "VPC, whether its owner permits network interfaces",
        after=None,
        example="Unexpected EC2 error while attempting to Create Network Interface with public IP "
        "assignment enabled in subnet 'subnet-1': AuthFailure",
        source=STOPPED,
        also=(
            QuotedText(
                "Unexpected EC2 error while attempting to Create Network Interface with public "
                "IP assignment enabled in subnet 'subnet-1': UnauthorizedOperation: You are "
                "not authorized to perform this operation.",
                STOPPED,
            ),
        ),
    ),
    Failure(
        code="platform-error",
        stages=(TaskStage.NETWORK_INTERFACE,),
        pattern=r".",
        summary="the platform could not give the task its network interface",
        advice="ECS retries on its own; deploy again, and contact AWS Support if it continues",
        after=None,
        example="Timeout waiting for network interface provisioning to complete.",
        source=STOPPED,
        is_rest=True,
        also=(
            QuotedText(
                "ResourceInitializationError: failed to configure ENI: failed to setup regular "
                "eni: netplugin failed with no error message",
                "https://github.com/aws/amazon-ecs-agent/tree/master/ecs-agent/netlib",
            ),
            QuotedText(
                "Unable to attach network interface to unused device index",
                "https://github.com/aws/containers-roadmap/issues/1545",
            ),
        ),
    ),
    Failure(
        code="capacity-provider-denied",
        stages=(TaskStage.CAPACITY_PROVIDER,),
        pattern=DENIED,
        summary="the capacity provider is not allowed to launch instances",
        advice="allow it in the capacity provider's infrastructure role; often, iam:PassRole for "
        "the instances' role is missing",
        after=1,
        example="ResourceInitializationError: Unable to launch instance(s) for capacity provider "
        "managed. UnauthorizedOperation: You are not authorized to perform this operation.",
        source=f"{GUIDE}/infrastructure_IAM_role.html",
    ),
    Failure(
        code="capacity-unavailable",
        stages=(TaskStage.CAPACITY_PROVIDER,),
        pattern=r".",
        summary="the capacity provider could not launch an instance",
        advice="ECS retries on its own; its message says what failed",
        after=None,
        example="ResourceInitializationError: Unable to launch instance(s) for capacity provider "
        "managed. InsufficientInstanceCapacity",
        source=STOPPED,
        is_rest=True,
    ),
    Failure(
        code="network-unreachable",
        stages=(TaskStage.INITIALIZATION,),
        pattern=rf"{UNREACHABLE}|signal: killed",
        summary="the task has no route to AWS's endpoints",
        advice=f"{NAT}; or add {ENDPOINTS}",
        after=2,
        example="ResourceInitializationError: unable to pull secrets or registry auth: pull "
        "command failed: : signal: killed",
        source=INITIALIZATION,
    ),
    Failure(
        code="access-denied",
        stages=(TaskStage.INITIALIZATION,),
        pattern=DENIED,
        summary="a role of the task lacks a permission that is needed to start it",
        advice="in the execution role, allow the action that ECS's message names",
        after=1,
        example="ResourceInitializationError: AccessDeniedException: User: x is not authorized to "
        "perform: logs:CreateLogGroup",
        source=INITIALIZATION,
    ),
    Failure(
        code="task-failed-to-start",
        stages=(TaskStage.INITIALIZATION,),
        pattern=r".",
        summary="ECS could not prepare the task",
        advice="correct what ECS's message names, then deploy again",
        after=None,
        example="ResourceInitializationError: unable to pull secrets or registry auth",
        source=INITIALIZATION,
        is_rest=True,
    ),
    Failure(
        code="task-not-compatible",
        pattern=r"not compatible with the (?:selected )?compute strategy",
        summary="the task definition is not compatible with the launch type or capacity provider",
        advice="use a launch type or capacity provider that is compatible with the task "
        "definition's `requiresCompatibilities`",
        after=1,
        example="The selected task definition is not compatible with the selected compute strategy",
        source=STOPPED,
    ),
    # --- the container -------------------------------------------------------------------------
    Failure(
        code="out-of-memory",
        stages=(TaskStage.MEMORY,),
        pattern=r".",
        summary="the container ran out of memory",
        advice="raise `resources.memory` to the next Fargate size",
        after=2,
        example="OutOfMemoryError: Container killed due to memory usage",
        source=STOPPED,
    ),
    Failure(
        code="dependency-failed",
        stages=(TaskStage.DEPENDENCY,),
        pattern=r".",
        summary="a container that the service waits for failed",
        advice="read that container's logs; ECS's message names the container",
        after=2,
        example="Dependent container in task exited with non-zero status: dependent container "
        "migrate exited with non-zero status",
        source=f"{GUIDE}/example_task_definitions.html",
    ),
    Failure(
        code="volume-failed",
        stages=(TaskStage.VOLUME,),
        pattern=r".",
        summary="a volume of the task could not be created or attached",
        advice="check the volume's settings and the infrastructure role; ECS's message says what "
        "is wrong",
        after=2,
        example="CannotCreateVolumeError: create data: VolumeDriver.Create: not found",
        source=STOPPED,
    ),
    Failure(
        code="container-start-failed",
        stages=(TaskStage.START,),
        pattern=rf"unable to find (?:user|group)|{_NO_USERS}",
        summary="the image has no such user",
        advice="create the user in the Dockerfile, or correct USER",
        after=1,
        example="CannotStartContainerError: Error response from daemon: unable to find user app: "
        "no matching entries in passwd file",
        source=STOPPED,
        also=(
            QuotedText(
                "CannotStartContainerError: ResourceInitializationError: unable to create new "
                "container: mount callback failed on /tmp/containerd-mount916692511: open "
                "/tmp/containerd-mount916692511/etc/passwd: no such file or directory",
                "https://github.com/aws-samples/net-modernization/issues/13",
            ),
            QuotedText(
                "CannotStartContainerError: Error response from daemon: unable to find group "
                "docker: no matching entries in group file",
                "https://github.com/bazelbuild/continuous-integration/issues/2702",
            ),
        ),
    ),
    Failure(
        code="container-start-failed",
        stages=(TaskStage.START,),
        pattern=r"chdir to cwd",
        summary="the container's working directory cannot be used",
        advice="create WORKDIR in the image, and make it writable for the image's user",
        after=1,
        example="CannotStartContainerError: OCI runtime create failed: chdir to cwd "
        '("/app") set in config.json failed: permission denied',
        source=STOPPED,
    ),
    Failure(
        code="volume-failed",
        stages=(TaskStage.START,),
        pattern=_VOLUME,
        summary="a volume of the container could not be mounted",
        advice="correct the volume's source and container path in the task definition",
        after=1,
        example="CannotStartContainerError: Error response from daemon: OCI runtime create failed: "
        'error mounting "/data" to rootfs: no such file or directory',
        source=STOPPED,
        also=(
            QuotedText(
                'CannotCreateContainerError: invalid mount config for type "bind": bind source '
                "path does not exist: /app",
                "https://github.com/devcontainers/cli/issues/613",
            ),
            QuotedText(
                "CannotCreateContainerError: API error (500): Invalid bind mount spec "
                "\":/tmp:rw\": Invalid volume specification: ':/tmp:rw'",
                "https://github.com/tobegit3hub/lambda-docker/issues/5",
            ),
            QuotedText(
                "CannotStartContainerError: API error (500): oci runtime error: "
                "container_linux.go:247: starting container process caused "
                '"process_linux.go:359: container init caused \\"rootfs_linux.go:54: mounting '
                '\\\\\\"/opt/nginx_conf\\\\\\" to rootfs \\\\\\"/merged\\\\\\" '
                'caused \\\\\\"mkdir /etc/nginx/sites-enabled: read-only file system',
                "https://github.com/aws/amazon-ecs-agent/issues/951",
            ),
            QuotedText(
                "CannotStartContainerError: API error (500): error while mounting volume "
                "'/var/lib/volumes/data': VolumeDriver.Mount: Mount failed",
                "https://github.com/cloudstax/firecamp/issues/46",
            ),
            QuotedText(
                "CannotCreateContainerError: API error (500): create ./volumes/nginx.conf: "
                '"./volumes/nginx.conf" includes invalid characters for a local volume name',
                "https://github.com/aws/amazon-ecs-cli/issues/181",
            ),
            QuotedText(
                "CannotStartContainerError: Error response from daemon: invalid volume "
                "specification: '/config:/:ro': invalid mount config for type \"bind\": invalid "
                "specification: destination can't be '/'",
                "https://github.com/shift/domain_exporter/issues/63",
            ),
        ),
        unlike=(
            QuotedText(
                "CannotStartContainerError: ResourceInitializationError: unable to create new "
                "container: mount callback failed on /tmp/containerd-mount916692511: open "
                "/tmp/containerd-mount916692511/etc/passwd: no such file or directory",
                "https://github.com/aws-samples/net-modernization/issues/13",
            ),
        ),
    ),
    Failure(
        code="out-of-memory",
        stages=(TaskStage.START,),
        pattern=r"OOM-killed|cannot allocate memory|failed to get container status",
        summary="the container ended while it was starting, most often because it lacked memory",
        advice="raise `resources.memory` to the next Fargate size",
        after=2,
        example="CannotStartContainerError: failed to get container status: <reason>",
        source=STOPPED,
        also=(
            QuotedText(
                "CannotStartContainerError: Error response from daemon: failed to create shim "
                "task: OCI runtime create failed: runc create failed: unable to start "
                "container process: container init was OOM-killed (memory limit too low?): "
                "unknown",
                "https://github.com/aws/amazon-ecs-agent/issues/3021",
            ),
            QuotedText(
                "CannotStartContainerError: API error (500): OCI runtime create failed: "
                "container_linux.go:346: starting container process caused "
                '"process_linux.go:297: applying cgroup configuration for process caused '
                '\\"mkdir /sys/fs/cgroup/memory/docker/ad: cannot allocate memory\\"": unknown',
                "https://github.com/docker/for-linux/issues/841",
            ),
        ),
    ),
    Failure(
        code="command-not-found",
        stages=(TaskStage.START,),
        pattern=r"executable file not found|no such file or directory|permission denied|"
        r"no command specified",
        unless=_SETTINGS,
        summary="the container's program could not be started",
        advice="check CMD and ENTRYPOINT (or `service.command`): the program must be in the image "
        "and executable",
        after=1,
        example='CannotStartContainerError: exec: "serve": executable file not found in $PATH',
        source=STOPPED,
        also=(
            QuotedText(
                "CannotStartContainerError: API error (500): No command specified",
                "https://github.com/aws/amazon-ecs-agent/issues/157",
            ),
            QuotedText(
                "CannotStartContainerError: ResourceInitializationError: failed to create new "
                "container runtime task: failed to create shim: OCI runtime create failed: "
                'container_linux.go:370: starting container process caused: exec: "-url": '
                "executable file not found in $PATH",
                "https://github.com/jenkinsci/amazon-ecs-plugin/issues/258",
            ),
            QuotedText(
                "CannotStartContainerError: ResourceInitializationError: failed to create new "
                "container runtime task: OCI runtime create failed: container_linux.go:370: "
                'starting container process caused: exec: "/opt/sonarqube/bin/run.sh": stat '
                "/opt/sonarqube/bin/run.sh: no such file or directory",
                "https://github.com/aws/amazon-ecs-agent/issues/2954",
            ),
            QuotedText(
                "CannotStartContainerError: Error response from daemon: failed to create shim "
                "task: OCI runtime create failed: runc create failed: unable to start "
                'container process: exec: "/entrypoint.sh": permission denied: unknown',
                "https://github.com/aminvakil/docker-ocserv/issues/52",
            ),
        ),
        unlike=(
            QuotedText(
                "CannotStartContainerError: Error response from daemon: OCI runtime create "
                "failed: container_linux.go:370: starting container process caused: chdir to "
                'cwd ("/home/atmo") set in config.json failed: permission denied: unknown',
                "https://github.com/suborbital/e2core/issues/197",
            ),
            QuotedText(
                "CannotStartContainerError: API error (500): error while mounting volume "
                "'/data': VolumeDriver.Mount: mount /dev/xvdf: no such file or directory",
                "https://github.com/cloudstax/firecamp/issues/46",
            ),
        ),
    ),
    Failure(
        code="platform-error",
        stages=(TaskStage.PLATFORM,),
        pattern=r".",
        summary="the platform had a problem",
        advice="ECS retries on its own; deploy again, and contact AWS Support if it continues",
        after=None,
        example="ContainerRuntimeTimeoutError: Could not transition to created; timed out after "
        "waiting 3m0s",
        source=STOPPED,
        also=(
            QuotedText(
                "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s",
                "https://github.com/rstudio/r-builds/pull/140",
            ),
            QuotedText(
                "CannotInspectContainerError: Could not transition to inspecting; timed out "
                "after waiting 30s",
                "https://github.com/aws/amazon-ecs-agent/issues/2312",
            ),
            QuotedText(
                "CannotStopContainerError: failed sending SIGTERM to container: <reason>",
                _CODES,
            ),
            QuotedText(
                "Timeout waiting for EphemeralStorage provisioning to complete.",
                _DAGSTER,
            ),
            QuotedText(
                "InternalError: <reason>",
                _CODES,
            ),
        ),
    ),
    Failure(
        code="platform-error",
        stages=(TaskStage.START,),
        pattern=r"CannotCreateContainerError",
        summary="the platform could not create the container",
        advice="ECS retries on its own; deploy again, and contact AWS Support if it continues",
        after=None,
        example="CannotCreateContainerError: API error (500): devmapper: Thin Pool has 1 free data "
        "blocks which is less than minimum required 4454",
        source=f"{GUIDE}/CannotCreateContainerError.html",
        is_rest=True,
    ),
    Failure(
        code="container-start-failed",
        stages=(TaskStage.START,),
        pattern=r".",
        summary="the container could not be started",
        advice="correct the container's setting that ECS's message names",
        after=2,
        example="CannotStartContainerError: Error response from daemon: OCI runtime create failed: "
        "unable to apply caps: unknown",
        source=STOPPED,
        is_rest=True,
        also=(
            QuotedText(
                "ContainerRuntimeError: failed to create container IO set",
                _CODES,
            ),
            QuotedText(
                "CannotStartContainerError: ResourceInitializationError: failed to create new "
                "container runtime task: failed to create shim task: OCI runtime create "
                "failed: runc create failed: unable to start container process: error during "
                "container init: error creating device nodes: mknod /dev/null: errno 524: "
                "unknown",
                "https://github.com/aws/amazon-ecs-agent/issues/3526",
            ),
        ),
    ),
    Failure(
        code="command-not-found",
        stages=(TaskStage.EXIT,),
        pattern=r".",
        exit_codes=(126, 127),
        summary="the container's program was not found or is not executable",
        advice="check CMD and ENTRYPOINT (or `service.command`)",
        after=1,
        example="Essential container in task exited",
        source=STOPPED,
    ),
    Failure(
        code="health-check-failed",
        stages=(TaskStage.HEALTH,),
        pattern=r".",
        summary="the load balancer's health check failed",
        advice="make the health path answer in time, and with a status code that "
        "`healthCheck.matcher` accepts",
        after=2,
        example="Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:…)",
        source=EVENTS,
    ),
    Failure(
        code="container-health-check-failed",
        stages=(TaskStage.CONTAINER_HEALTH,),
        pattern=r".",
        summary="the container's health check failed",
        advice="make the health path answer on 127.0.0.1; if the service starts slowly, raise "
        "`healthCheck.gracePeriod`",
        after=2,
        example="Task failed container health checks",
        source=EVENTS,
    ),
    Failure(
        code="exited-at-once",
        stages=(TaskStage.EXIT,),
        pattern=r".",
        exit_codes=(0,),
        summary="the main process ended with exit code 0: it is not a server, or it moved to the "
        "background",
        advice="run the server in the foreground",
        after=1,
        example="Essential container in task exited",
        source=STOPPED,
    ),
    Failure(
        code="killed",
        stages=(TaskStage.EXIT,),
        pattern=r".",
        exit_codes=(137,),
        summary="the main process was killed",
        advice="find out what stopped it; a process that ignores SIGTERM is killed after "
        "`stopTimeout`",
        after=None,
        example="Essential container in task exited",
        source=STOPPED,
    ),
    Failure(
        code="crashed",
        stages=(TaskStage.EXIT,),
        pattern=r".",
        summary="the main process ended",
        advice="find out why the program ended: ECS reports only the exit code",
        after=2,
        example="Essential container in task exited",
        source=STOPPED,
        is_rest=True,
    ),
    Failure(
        code="task-failed-to-start",
        pattern=r".",
        summary="tasks failed to start",
        advice="correct what ECS's message names, then deploy again",
        after=None,
        example="Task failed to start",
        source=STOPPED,
        is_rest=True,
    ),
)
