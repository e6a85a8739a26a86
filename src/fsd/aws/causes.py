"""What AWS's refusals mean: one row each, as data.

A row names AWS's codes, or words of its message, or both, and says what to do. Words are looked
for after ARNs, addresses and digests are cut out, so that a name cannot be taken for a reason.
Rows with words come before rows of a code alone: "ClientException" says nothing, its message does.
No row takes another row's example: a test holds that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fsd.errors import ErrorCode
from fsd.rollout.known_causes import Known, QuotedText
from fsd.rollout.reasons import cut_names


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCause(Known):
    """`aws` is a regular expression, matched whole over AWS's code; "" is any.

    Its examples are "Code: message". `code` is FSD's; CALL_FAILED where AWS's own says as much.
    """

    words: str = ""
    aws: str = ""

    def answers(self, aws_code: str, words: str) -> bool:
        """`words` is a message without its names (`cut_names`)."""
        if self.aws and not re.fullmatch(self.aws, aws_code):
            return False
        return self.matches(words)


def find_cause(aws_code: str, message: str) -> ApiCause | None:
    words = cut_names(message)
    return next((row for row in API_CAUSES if row.answers(aws_code, words)), None)


_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
_ECS = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference"
_COMMON = f"{_ECS}/CommonErrors.html"
_CREATE_SERVICE = f"{_ECS}/API_CreateService.html"
_EC2 = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
_ELB = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference"
_ECR = "https://docs.aws.amazon.com/AmazonECR/latest/APIReference"
_CFN = "https://docs.aws.amazon.com/AWSCloudFormation/latest"
_SCALING = "https://docs.aws.amazon.com/autoscaling/application/APIReference"
_WEB_IDENTITY = (
    "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"
)
_DENIED_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"
_PROVIDER = "https://github.com/hashicorp/terraform-provider-aws/issues"
_OIDC = "https://github.com/aws-actions/configure-aws-credentials/issues"

_RENEW = "get new credentials (`aws sso login`, or run the workflow's job again) and run it again"
_REJECTED = "check the access key, the secret key and the session token, and the machine's clock"
_AGAIN = "run it again; FSD finds the finished steps and does not repeat them"
_SOON = "wait a minute, and run it again"
_QUOTA = "request a higher quota (Service Quotas console), or remove unused resources"
_CORRECT = "correct what the message names, and run it again"
_UNREACHED = (
    "run it again: AWS could not fetch the issuer's keys, which passes; if the error persists, "
    "the issuer of the IAM OIDC provider must be reachable from the internet"
)
_SUPPORT = "contact AWS Support: the account can do nothing before that"

_LIMITS: tuple[ApiCause, ...] = (
    ApiCause(
        code=ErrorCode.THROTTLED,
        aws=r"Client\.RequestLimitExceeded|RequestLimitExceeded|Throttl\w+|"
        r"RequestThrottled(?:Exception)?|TooManyRequestsException|TooManyUpdates|"
        r"PriorRequestNotComplete|SlowDown",
        fix=_SOON,
        examples=(
            QuotedText("ThrottlingException: Rate exceeded", f"{_ECS}/request-throttling.html"),
            QuotedText("Throttling: Rate exceeded", f"{_CFN}/APIReference/CommonErrors.html"),
            QuotedText("RequestLimitExceeded: Request limit exceeded.", _EC2),
        ),
    ),
    ApiCause(
        code=ErrorCode.THROTTLED,
        aws=r"ClientException|LimitExceededException|ValidationError|"
        r"FailedResourceAccessException|InvalidParameterException",
        words=r"Too many concurrent attempts to create a new revision|Rate exceeded|"
        r"RequestLimitExceeded",
        fix=_SOON,
        examples=(
            QuotedText(
                "InvalidParameterException: Error retrieving security group information for "
                "[sg-0abc]: Request limit exceeded. (ErrorCode: RequestLimitExceeded)",
                "https://github.com/dask/dask-cloudprovider/issues/56",
            ),
            QuotedText(
                "ClientException: Too many concurrent attempts to create a new revision of the "
                "specified family.",
                f"{_PROVIDER}/9777",
            ),
            QuotedText(
                "FailedResourceAccessException: Rate exceeded",
                f"{_SCALING}/API_PutScalingPolicy.html",
            ),
        ),
        unlike=(
            QuotedText(
                "LimitExceededException: The limit for your resource has been exceeded.", _ECS
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.QUOTA_EXCEEDED,
        aws=r"(?!RequestLimit)\w*LimitExceeded(?:Exception)?|ServiceQuotaExceededException|"
        r"TooMany(?:TargetGroups|Targets|Rules|Listeners|"
        r"LoadBalancers|Certificates|RegistrationsForTargetId|UniqueTargetGroupsPerLoadBalancer|"
        r"TagsException|Tags)|TargetGroupAssociationLimit",
        fix=_QUOTA,
        examples=(
            QuotedText(
                "LimitExceededException: The limit for your resource has been exceeded.",
                _COMMON,
            ),
            QuotedText(
                "TooManyTargetGroups: You've reached the limit on the number of target groups for "
                "your AWS account.",
                f"{_ELB}/API_CreateTargetGroup.html",
            ),
            QuotedText(
                "VpcLimitExceeded: The maximum number of VPCs has been reached.",
                _EC2,
            ),
        ),
        unlike=(QuotedText("RequestLimitExceeded: Request limit exceeded.", _EC2),),
    ),
    ApiCause(
        code=ErrorCode.QUOTA_EXCEEDED,
        aws=r"ClientException|InvalidParameterException",
        words=r"reached the limit|exceeds limit|maximum number of .* exceeded",
        fix=_QUOTA,
        examples=(
            QuotedText(
                "InvalidParameterException: Desired count exceeds limit.",
                "https://github.com/aws/containers-roadmap/issues/768",
            ),
            QuotedText(
                "InvalidParameterException: The maximum number of capacity providers per "
                "cluster has been exceeded.",
                "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1086",
            ),
            QuotedText(
                "ClientException: You've reached the limit on the number of tasks you can run "
                "concurrently",
                f"{_GUIDE}/service-quotas.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.ACCOUNT_BLOCKED,
        aws=r"Blocked(?:Exception)?|OptInRequired|PendingVerification|ClientException|"
        r"InvalidParameterException",
        words=r"account (?:is currently|was|has been) (?:blocked|suspended)|"
        r"request for accessing resources in this region is being validated",
        fix=_SUPPORT,
        examples=(
            QuotedText(
                "OptInRequired: Your account has been suspended",
                _EC2,
            ),
            QuotedText(
                "BlockedException: Your account is currently blocked", f"{_ECS}/API_RunTask.html"
            ),
            QuotedText(
                "BlockedException: Your AWS account was blocked.", f"{_ECS}/API_RunTask.html"
            ),
            QuotedText(
                "PendingVerification: Your request for accessing resources in this region is being "
                "validated, and you will not be able to launch additional resources in this region "
                "until the validation is complete.",
                _EC2,
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.REGION_DISABLED,
        aws=r"OptInRequired|RegionDisabledException",
        fix="enable the region for this account, or use another one",
        examples=(
            QuotedText("OptInRequired: You are not subscribed to this service.", _EC2),
            QuotedText(
                "RegionDisabledException: STS is not activated in this region for account: x.",
                _WEB_IDENTITY,
            ),
        ),
        unlike=(QuotedText("OptInRequired: Your account has been suspended", _EC2),),
    ),
    ApiCause(
        code=ErrorCode.CHANGED_MEANWHILE,
        aws=r"Con(?:currentUpdate|flict)Exception|InvalidChangeSetStatus|UpdateInProgressException|"
        r"ResourceInUseException|OperationInProgressException|ResourceConflictException|"
        r"DuplicateTargetGroupName",
        fix=_AGAIN,
        examples=(
            QuotedText(
                "ConcurrentUpdateException: Concurrent update",
                f"{_SCALING}/API_PutScalingPolicy.html",
            ),
            QuotedText(
                "UpdateInProgressException: There's already a current Amazon ECS container agent "
                "update in progress on the container instance that's specified.",
                _COMMON,
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.AWS_UNAVAILABLE,
        aws=r"Internal(?:Failure|Error|ServiceException|ServerException|ServerError)|"
        r"Server(?:Exception|Error)|ServiceUnavailable(?:Exception)?|Unavailable|"
        r"ServiceException|50[0234]",
        fix=_AGAIN,
        examples=(
            QuotedText("ServerException: Service Unavailable. Please try again later.", _COMMON),
            QuotedText("InternalFailure: An internal error occurred.", _EC2),
        ),
    ),
)

_IDENTITY: tuple[ApiCause, ...] = (
    ApiCause(
        code=ErrorCode.CREDENTIALS_EXPIRED,
        aws=r"ExpiredToken(?:Exception)?|RequestExpired|ExpiredTradeInTokenException",
        fix=_RENEW,
        examples=(
            QuotedText(
                "ExpiredTokenException: Token expired: current date/time 1700000000 must be before "
                "the expiration date/time 1699999999",
                "https://github.com/aws/aws-sdk-java-v2/issues/5709",
            ),
            QuotedText("ExpiredToken: The security token included in the request is expired", _EC2),
        ),
    ),
    ApiCause(
        code=ErrorCode.CREDENTIALS_INVALID,
        aws=r"InvalidClientTokenId|UnrecognizedClientException|AuthFailure|SignatureDoesNotMatch|"
        r"InvalidSignatureException|IncompleteSignature|InvalidAccessKeyId|MissingAuthenticationToken",
        fix=_REJECTED,
        examples=(
            QuotedText(
                "UnrecognizedClientException: The security token included in the request is "
                "invalid.",
                _COMMON,
            ),
            QuotedText(
                "AuthFailure: AWS was not able to validate the provided access credentials", _EC2
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.ROLE_ARN_INVALID,
        aws=r"ValidationError|ValidationException|InvalidParameterValue",
        words=r"Request ARN is invalid|at 'roleArn' failed to satisfy",
        fix="correct the role's ARN (`role-to-assume`, or `roleArn` in .fsd/environments.yml): "
        "arn:aws:iam::ACCOUNT:role/NAME",
        examples=(
            QuotedText(
                "ValidationError: Request ARN is invalid",
                "https://github.com/crossplane-contrib/provider-aws/issues/517",
            ),
            QuotedText(
                "ValidationError: 1 validation error detected: Value 'deploy' at 'roleArn' failed "
                "to satisfy constraint: Member must have length greater than or equal to 20",
                _WEB_IDENTITY,
            ),
        ),
        unlike=(
            QuotedText(
                "ValidationError: Role arn:aws:iam::210987654321:role/x is invalid or cannot be "
                "assumed",
                f"{_CFN}/UserGuide/troubleshooting.html",
            ),
            QuotedText(
                "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set "
                "for this role.",
                "https://github.com/kreuzwerker/awsu/issues/27",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws=r"ValidationError",
        words=r"DurationSeconds exceeds the (?:MaxSessionDuration|1 hour session limit)",
        fix="correct the role's maximum session duration: raise it in IAM, or ask for less",
        examples=(
            QuotedText(
                "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set "
                "for this role.",
                "https://github.com/kreuzwerker/awsu/issues/27",
            ),
            QuotedText(
                "ValidationError: The requested DurationSeconds exceeds the 1 hour session limit "
                "for roles assumed by role chaining.",
                "https://github.com/99designs/aws-vault/issues/263",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.IDENTITY_PROVIDER_UNREACHABLE,
        aws="InvalidIdentityToken",
        words=r"retrieve verification key",
        fix=_UNREACHED,
        examples=(
            QuotedText(
                "InvalidIdentityToken: Couldn't retrieve verification key from your identity "
                "provider,  please reference AssumeRoleWithWebIdentity documentation for "
                "requirements",
                "https://github.com/awslabs/aws-sdk-rust/issues/827",
            ),
        ),
        unlike=(QuotedText("InvalidIdentityToken: Incorrect token audience", f"{_OIDC}/775"),),
    ),
    ApiCause(
        code=ErrorCode.IDENTITY_PROVIDER_UNREACHABLE,
        aws="IDPCommunicationError",
        fix=_UNREACHED,
        examples=(
            QuotedText(
                "IDPCommunicationError: The identity provider (IdP) could not be reached to verify "
                "the incoming identity token.",
                _WEB_IDENTITY,
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.IDENTITY_TOKEN_REFUSED,
        aws="InvalidIdentityToken",
        fix="make the token's issuer an IAM OIDC provider of this account, with the token's `aud` "
        "among its audiences",
        examples=(
            QuotedText(
                "InvalidIdentityToken: No OpenIDConnect provider found in your account for "
                "https://token.actions.githubusercontent.com",
                f"{_OIDC}/280",
            ),
            QuotedText("InvalidIdentityToken: Incorrect token audience", f"{_OIDC}/775"),
            QuotedText(
                "InvalidIdentityToken: OpenIDConnect provider's HTTPS certificate doesn't match "
                "configured thumbprint",
                f"{_OIDC}/357",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.ASSUME_ROLE_DENIED,
        aws=r"IDPRejectedClaim",
        fix="change the role's trust policy so that it accepts the claims of the workflow's token",
        examples=(
            QuotedText(
                "IDPRejectedClaim: The identity provider (IdP) reported that authentication "
                "failed.",
                _WEB_IDENTITY,
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.ROLE_NOT_ASSUMABLE,
        aws=r"ClientException|InvalidParameterException|ValidationError|ValidationException",
        words=r"unable to assume (?:the|IAM) role|unable to assume the configured ECS|"
        r"Role is not valid|is invalid or cannot be assumed|unable to assume role and validate",
        fix="name the service that assumes the role in its trust policy (ecs-tasks.amazonaws.com "
        "for a task's roles); a new role needs a few seconds: run it again",
        examples=(
            QuotedText(
                "InvalidParameterException: ECS was unable to assume the configured ECS "
                "Infrastructure Role 'arn:aws:iam::210987654321:role/web'. Please verify that "
                "the role being passed has the proper trust relationship with Amazon ECS.",
                "https://github.com/hashicorp/terraform-provider-aws/issues/38538",
            ),
            QuotedText(
                "ClientException: ECS was unable to assume the role 'arn:aws:iam::210987654321:"
                "role/web' that was provided for this task. Please verify that the role being "
                "passed has the proper trust relationship and permissions and that your IAM user "
                "has permissions to pass this role.",
                f"{_GUIDE}/task_execution_IAM_role.html",
            ),
            QuotedText(
                "InvalidParameterException: Unable to assume role and validate the listeners "
                "configured on your load balancer.  Please verify the role being passed has the "
                "proper permissions.",
                "https://github.com/hashicorp/terraform/issues/5442",
            ),
            QuotedText(
                "ClientException: Role is not valid",
                "https://github.com/fabfuel/ecs-deploy/issues/231",
            ),
            QuotedText(
                "InvalidParameterException: Unable to assume role and validate the specified "
                "targetGroupArn. Please verify that the ECS service role being passed has the "
                "proper permissions.",
                "https://github.com/trussworks/terraform-aws-ecs-service/issues/335",
            ),
            QuotedText(
                "ValidationError: Role arn:aws:iam::210987654321:role/x is invalid or cannot be "
                "assumed",
                f"{_CFN}/UserGuide/troubleshooting.html",
            ),
            QuotedText(
                "ValidationException: Unable to assume IAM role: arn:aws:iam::210987654321:role/x",
                f"{_SCALING}/API_RegisterScalableTarget.html",
            ),
        ),
        unlike=(
            QuotedText(
                "InvalidParameterException: Unable to assume the service linked role. Please "
                "verify that the ECS service linked role exists.",
                "https://github.com/aws/amazon-ecs-cli/issues/733",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws=r"InvalidParameterException|ClientException",
        words=r"unable to assume the service linked role",
        fix="run it again: a new service-linked role needs some seconds; if the error persists, "
        "`aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`",
        examples=(
            QuotedText(
                "InvalidParameterException: Unable to assume the service linked role. Please "
                "verify that the ECS service linked role exists.",
                "https://github.com/aws/amazon-ecs-cli/issues/733",
            ),
        ),
    ),
)

_CONTAINERS: tuple[ApiCause, ...] = (
    ApiCause(
        code=ErrorCode.CLUSTER_NOT_FOUND,
        aws="ClusterNotFoundException",
        fix="name a cluster that exists (`cluster` in .fsd/environments.yml), or deploy to create "
        "it",
        examples=(QuotedText("ClusterNotFoundException: Cluster not found.", _COMMON),),
    ),
    ApiCause(
        code=ErrorCode.SERVICE_NOT_FOUND,
        aws="ServiceNotFoundException",
        fix="deploy the service first: fsd deploy",
        examples=(QuotedText("ServiceNotFoundException: Service not found.", _COMMON),),
    ),
    ApiCause(
        code=ErrorCode.SERVICE_NOT_ACTIVE,
        aws="ServiceNotActiveException",
        fix="deploy the service again: fsd deploy",
        examples=(QuotedText("ServiceNotActiveException: Service was not ACTIVE.", _COMMON),),
    ),
    ApiCause(
        code=ErrorCode.SERVICE_NOT_ACTIVE,
        aws="InvalidParameterException",
        words=r"still Draining",
        fix="wait until ECS has drained the service that was deleted, and run it again",
        examples=(
            QuotedText(
                "InvalidParameterException: Unable to Start a service that is still Draining.",
                "https://github.com/spinnaker/spinnaker/issues/5476",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CHANGED_MEANWHILE,
        aws="InvalidParameterException",
        words=r"Creation of service was not idempotent",
        fix="run it again: a service of this name has been created in the meantime, with other "
        "settings",
        examples=(
            QuotedText(
                "InvalidParameterException: Creation of service was not idempotent.",
                f"{_PROVIDER}/2283",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.TASK_NOT_COMPATIBLE,
        aws=r"PlatformTaskDefinitionIncompatibilityException",
        fix="name a launch type, capacity provider and platform version that the task definition "
        "is compatible with",
        examples=(
            QuotedText(
                "PlatformTaskDefinitionIncompatibilityException: The specified platform version "
                "does not satisfy the required capabilities of the task definition.",
                _COMMON,
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.TASK_NOT_COMPATIBLE,
        aws=r"InvalidParameterException|ClientException",
        words=r"definition does not support launch_?type|incompatible with the \w+ "
        r"network ?mode",
        fix="make the task definition, the launch type and the target group match: FARGATE needs "
        "`requiresCompatibilities`, awsvpc needs a target group of type ip",
        examples=(
            QuotedText(
                "InvalidParameterException: Task definition does not support launch_type FARGATE.",
                "https://github.com/sil-org/ecs-deploy/issues/134",
            ),
            QuotedText(
                "InvalidParameterException: The provided target group arn:aws:elasticloadbalancing:"
                "eu-west-1:210987654321:targetgroup/web/1 has target type instance, which is "
                "incompatible with the awsvpc network mode specified in the task definition.",
                "https://github.com/riboseinc/terraform-aws-ecs-gitlab/issues/5",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws=r"ClientException|InvalidParameterException",
        words=r"TaskDefinition (?:not found|is inactive)|Unable to describe task definition",
        fix="deploy again: the revision is not registered, or was deregistered, and a deployment "
        "registers it again",
        examples=(
            QuotedText(
                "ClientException: TaskDefinition not found.",
                "https://github.com/Cloud-CV/EvalAI/issues/2419",
            ),
            QuotedText(
                "ClientException: TaskDefinition is inactive",
                "https://github.com/DefangLabs/defang/pull/775",
            ),
            QuotedText(
                "ClientException: Unable to describe task definition.",
                "https://github.com/sil-org/ecs-deploy/issues/145",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws=r"ClientException|InvalidParameterException",
        words=r"Invalid 'cpu' setting|No Fargate configuration exists",
        fix="correct `resources.cpu` and `resources.memory` to a size that Fargate has",
        examples=(
            QuotedText(
                "ClientException: Invalid 'cpu' setting for task. For more information, see the "
                "Troubleshooting section of the Amazon ECS Developer Guide.",
                f"{_GUIDE}/task-cpu-memory-error.html",
            ),
            QuotedText(
                "ClientException: No Fargate configuration exists for given values.",
                f"{_GUIDE}/task-cpu-memory-error.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws="InvalidParameterException",
        words=r"with an? \w+ deployment controller",
        fix="deploy by its controller: CodeDeploy, or what the EXTERNAL controller is; or make a "
        "service whose deployment controller is ECS",
        examples=(
            QuotedText(
                "InvalidParameterException: Unable to update task definition on services with a "
                "CODE_DEPLOY deployment controller. Please use Code Deploy to trigger a new "
                "deployment.",
                "https://github.com/keidarcy/e1s/issues/145",
            ),
            QuotedText(
                "InvalidParameterException: Unable to update task definition on services with a "
                "CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new "
                "deployment.",
                "https://github.com/fabfuel/ecs-deploy/issues/175",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.NETWORK_SETTING_INVALID,
        aws=r"InvalidParameterException|InvalidSubnetI[dD]\.NotFound|InvalidSubnet(?:\.\w+)?|"
        r"InvalidGroup(?:Id)?\.(?:NotFound|Malformed)|InvalidSecurityGroup|"
        r"InvalidSecurityGroupI[dD]\.NotFound|InvalidConfigurationRequest",
        words=r"(?:subnet ID|security group) '[^']*' does not exist|"
        r"belong to (?:the same VPC|different networks)|"
        r"multiple subnets in the same Availability Zone|subnets can not be empty",
        fix="correct the subnets and security groups in .fsd/environments.yml; all must be of one "
        "VPC",
        examples=(
            QuotedText(
                "InvalidParameterException: Error retrieving subnet information for [subnet-12]: "
                "The subnet ID 'subnet-12' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
                _CREATE_SERVICE,
            ),
            QuotedText(
                "InvalidSecurityGroup: The security group 'sg-12' does not exist (Service: "
                "AmazonEC2; Status Code: 400; Error Code: InvalidGroup.NotFound)",
                "https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2371",
            ),
            QuotedText(
                "InvalidGroup.NotFound: You have specified two resources that belong to different "
                "networks.",
                "https://github.com/philips-software/go-hsdp-api/issues/43",
            ),
            QuotedText(
                "InvalidSubnetID.NotFound: The subnet ID 'subnet-12' does not exist",
                _EC2,
            ),
            QuotedText(
                "InvalidConfigurationRequest: A load balancer cannot be attached to multiple "
                "subnets in the same Availability Zone",
                f"{_ELB}/API_CreateLoadBalancer.html",
            ),
            QuotedText(
                "InvalidParameterException: subnets can not be empty.",
                f"{_ECS}/API_AwsVpcConfiguration.html",
            ),
            QuotedText(
                "InvalidParameterException: Security group sg-12 does not appear to belong to the "
                "same VPC as the input subnets.",
                _CREATE_SERVICE,
            ),
        ),
        unlike=(QuotedText("InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist", _EC2),),
    ),
    ApiCause(
        code=ErrorCode.NETWORK_SETTING_INVALID,
        aws=r"SubnetNotFound|InvalidSubnet|InvalidSecurityGroup",
        fix="correct the subnets and security groups in .fsd/environments.yml",
        examples=(
            QuotedText(
                "SubnetNotFound: The specified subnet does not exist.",
                f"{_ELB}/API_CreateLoadBalancer.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.VPC_NOT_FOUND,
        aws=r"InvalidVpcI[dD]\.NotFound",
        fix="correct `vpc.id` in .fsd/environments.yml",
        examples=(QuotedText("InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist", _EC2),),
    ),
    ApiCause(
        code=ErrorCode.TARGET_GROUP_MISSING,
        aws=r"TargetGroupNotFound(?:Exception)?|LoadBalancerNotFound(?:Exception)?|"
        r"ListenerNotFound(?:Exception)?|RuleNotFound(?:Exception)?",
        fix="deploy again: the stack owns the load balancer, its listener and its target group; "
        "recreate any that somebody deleted by hand",
        examples=(
            QuotedText(
                "TargetGroupNotFound: One or more target groups not found",
                f"{_ELB}/API_DescribeTargetHealth.html",
            ),
            QuotedText(
                "ListenerNotFound: One or more listeners not found",
                f"{_ELB}/API_DescribeListeners.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.TARGET_GROUP_MISSING,
        aws=r"InvalidParameterException",
        words=r"target ?group .*(?:does not have an associated load balancer|does not exist)",
        fix="correct the listener: a target group serves only where a listener or a rule of a load "
        "balancer forwards to it; deploy again: the stack creates the missing one",
        examples=(
            QuotedText(
                "InvalidParameterException: The target group with targetGroupArn arn:aws:"
                "elasticloadbalancing:ap-northeast-2:210987654321:targetgroup/web/0f3a does not "
                "have an associated load balancer.",
                "https://github.com/hashicorp/terraform/issues/32908",
            ),
            QuotedText(
                "InvalidParameterException: The specified target group does not exist.",
                _CREATE_SERVICE,
            ),
        ),
        unlike=(
            QuotedText(
                "InvalidParameterException: The provided target group arn:x has target type "
                "instance, which is incompatible with the awsvpc network mode specified in the "
                "task definition.",
                "https://github.com/riboseinc/terraform-aws-ecs-gitlab/issues/5",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CAPACITY_UNAVAILABLE,
        aws=r"InvalidParameterException|ClientException",
        words=r"specified capacity provider .*not |No Container Instances were found",
        fix="associate the capacity provider with the cluster, or register instances",
        examples=(
            QuotedText(
                "InvalidParameterException: The specified capacity provider strategy cannot "
                "contain a capacity provider that is not associated with the cluster. "
                "Associate the capacity provider with the cluster or specify a valid capacity "
                "provider and try again.",
                "https://github.com/dask/dask-cloudprovider/issues/328",
            ),
            QuotedText(
                "ClientException: The specified capacity provider was not found. Specify a "
                "valid capacity provider and try again.",
                "https://github.com/terraform-aws-modules/terraform-aws-ecs/issues/53",
            ),
            QuotedText(
                "InvalidParameterException: The specified capacity provider 'FARGATE_SPOT' was not "
                "found. Specify a valid name or ARN and try again.",
                f"{_GUIDE}/cluster-capacity-providers.html",
            ),
            QuotedText(
                "InvalidParameterException: No Container Instances were found in your cluster.",
                f"{_ECS}/API_RunTask.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.LOG_GROUP_MISSING,
        aws=r"ResourceNotFoundException",
        words=r"specified log \w+ does not exist",
        fix="deploy again: the stack creates its own log group again; a group that "
        "`service.logs.group` names you create yourself",
        examples=(
            QuotedText(
                "ResourceNotFoundException: The specified log group does not exist.",
                "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/"
                "API_GetLogEvents.html",
            ),
        ),
    ),
)

_IMAGES: tuple[ApiCause, ...] = (
    ApiCause(
        code=ErrorCode.REPOSITORY_NOT_FOUND,
        aws="RepositoryNotFoundException",
        fix="create the ECR repository, or deploy from a build, which creates it; check the region "
        "and the account",
        examples=(
            QuotedText(
                "RepositoryNotFoundException: The repository with name 'web' does not exist in the "
                "registry with id '210987654321'",
                f"{_ECR}/API_DescribeImages.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.IMAGE_NOT_FOUND,
        aws="ImageNotFoundException",
        fix="push the image, or name one that exists",
        examples=(
            QuotedText(
                "ImageNotFoundException: The image with imageId {imageDigest:'null', "
                "imageTag:'v1'} does not exist within the repository with name 'web' in the "
                "registry with id '210987654321'",
                f"{_ECR}/API_DescribeImages.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.IMAGE_TAG_TAKEN,
        aws="ImageTagAlreadyExistsException",
        fix="use another tag: this repository's tags cannot be moved",
        examples=(
            QuotedText(
                "ImageTagAlreadyExistsException: The image tag 'latest' already exists in the "
                "'web' repository and cannot be overwritten because the repository is immutable.",
                f"{_ECR}/API_PutImage.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.IMAGE_ELSEWHERE,
        aws=r"LayersNotFoundException|ReferencedImagesNotFoundException",
        fix="copy the whole image into this repository first (crane copy, or docker pull, tag, "
        "push)",
        examples=(
            QuotedText(
                "LayersNotFoundException: The following layers do not exist: sha256:1",
                f"{_ECR}/API_PutImage.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.IMAGE_DIGEST_CHANGED,
        aws="ImageDigestDoesNotMatchException",
        fix="push the image again, and deploy the digest that the push prints",
        examples=(
            QuotedText(
                "ImageDigestDoesNotMatchException: The specified image digest does not match the "
                "digest that Amazon ECR calculated for the image.",
                f"{_ECR}/API_PutImage.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.IMAGE_ARCHIVED,
        aws="ImageArchivedException",
        fix="restore it in ECR, which takes up to 20 minutes, or deploy another image",
        examples=(
            QuotedText(
                "ImageArchivedException: The specified image is archived and cannot be scanned.",
                f"{_ECR}/API_DescribeImages.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws=r"KmsException|UnableToDecryptSecretValueException|UnableToAccessSecretException",
        fix="correct the KMS key that the message names: enabled, and allowed in its key policy",
        examples=(
            QuotedText(
                "KmsException: The operation failed due to a KMS exception.",
                f"{_ECR}/API_CreateRepository.html",
            ),
        ),
    ),
)

_SCALES: tuple[ApiCause, ...] = (
    ApiCause(
        code=ErrorCode.TARGET_MISSING,
        aws="ObjectNotFoundException",
        words=r"No (?:scalable target|scaling policy|scheduled action) (?:registered|found)",
        fix="deploy again: the service is not registered as a scalable target with Application "
        "Auto Scaling, or was deregistered",
        examples=(
            QuotedText(
                "ObjectNotFoundException: No scheduled action found for service namespace: "
                "ecs, resource ID: service/demo/web, scalable dimension: "
                "ecs:service:DesiredCount, scheduled action name: night",
                "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeleteSch"
                "eduledAction.html",
            ),
            QuotedText(
                "ObjectNotFoundException: No scalable target registered for service namespace: "
                "ecs, resource ID: service/demo/web, scalable dimension: ecs:service:DesiredCount",
                "https://github.com/ansible/ansible/pull/35632",
            ),
            QuotedText(
                "ObjectNotFoundException: No scalable target found for service namespace: ecs, "
                "resource ID: service/demo/web, scalable dimension: ecs:service:DesiredCount",
                f"{_SCALING}/API_DeregisterScalableTarget.html",
            ),
            QuotedText(
                "ObjectNotFoundException: No scaling policy found for service namespace: ecs, "
                "resource ID: service/demo/web, scalable dimension: ecs:service:DesiredCount: web",
                f"{_SCALING}/API_DeleteScalingPolicy.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.SERVICE_NOT_FOUND,
        aws="ValidationException",
        words=r"ECS service doesn't exist",
        fix="run it again: Application Auto Scaling does not see a new service at once; where it "
        "stays, deploy the service first: fsd deploy",
        examples=(
            QuotedText(
                "ValidationException: ECS service doesn't exist: service/demo/web",
                "https://github.com/spinnaker/spinnaker/issues/4371",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws="ValidationException",
        words=r"Maximum capacity cannot be less than minimum",
        fix="correct `scaling.min` and `scaling.max`: the minimum must not be above the maximum",
        examples=(
            QuotedText(
                "ValidationException: Maximum capacity cannot be less than minimum capacity",
                f"{_SCALING}/API_RegisterScalableTarget.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.PERMISSIONS_CHANGED,
        aws="FailedResourceAccessException",
        fix="restore the permissions of Application Auto Scaling's service-linked role "
        "(AWSServiceRoleForApplicationAutoScaling_ECSService): it must read the service and its "
        "alarms",
        examples=(
            QuotedText(
                "FailedResourceAccessException: Failed access to resources caused an exception.",
                f"{_SCALING}/API_PutScalingPolicy.html",
            ),
        ),
    ),
)

_STACKS: tuple[ApiCause, ...] = (
    ApiCause(
        code=ErrorCode.STACK_REFUSED,
        aws="InsufficientCapabilitiesException",
        fix="allow this template's IAM resources: CAPABILITY_NAMED_IAM",
        examples=(
            QuotedText(
                "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]",
                f"{_CFN}/APIReference/API_CreateChangeSet.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.STACK_REFUSED,
        aws="ValidationError",
        words=r"Template (?:format|validation) error|Parameters: \[.*\] must have values",
        fix=_CORRECT,
        examples=(
            QuotedText(
                "ValidationError: Template format error: Unresolved resource dependencies [Web] in "
                "the Resources block of the template",
                f"{_CFN}/UserGuide/troubleshooting.html",
            ),
            QuotedText(
                "ValidationError: Template validation error: Template error: resource Web does not "
                "support attribute type Arn in Fn::GetAtt",
                f"{_CFN}/UserGuide/troubleshooting.html",
            ),
            QuotedText(
                "ValidationError: Parameters: [EnvironmentName] must have values",
                "https://github.com/boto/botocore/issues/2598",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.TEMPLATE_TOO_LONG,
        aws="ValidationError",
        words=r"'templateBody' failed to satisfy constraint: Member must have length less than",
        fix="grant fewer single permissions, or split the service",
        examples=(
            QuotedText(
                "ValidationError: 1 validation error detected: Value '{}' at 'templateBody' failed "
                "to satisfy constraint: Member must have length less than or equal to 51200",
                f"{_CFN}/UserGuide/cloudformation-limits.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.STACK_STUCK,
        aws="ValidationError|ValidationException",
        words=r"is in (?:\w*FAILED|ROLLBACK_COMPLETE) state and can ?not be",
        fix="continue the stack's rollback (aws cloudformation continue-update-rollback), or "
        "delete it, and run it again",
        examples=(
            QuotedText(
                "ValidationException: "
                "Stack:arn:aws:cloudformation:eu-west-1:210987654321:stack/web/1 is in "
                "UPDATE_ROLLBACK_FAILED state and can not be updated.",
                "https://github.com/org-formation/org-formation-cli/issues/455",
            ),
            QuotedText(
                "ValidationError: "
                "Stack:arn:aws:cloudformation:eu-west-1:210987654321:stack/web/1 is in "
                "ROLLBACK_FAILED state and can not be updated.",
                "https://github.com/aws-solutions-library-samples/data-lakes-on-aws/issues/109",
            ),
            QuotedText(
                "ValidationError: Stack:arn:aws:cloudformation:eu-west-1:210987654321:stack/web/1 "
                "is in ROLLBACK_COMPLETE state and can not be updated.",
                "https://github.com/aws/aws-sam-cli/issues/4230",
            ),
        ),
        unlike=(
            QuotedText(
                "ValidationError: Stack:arn:aws:cloudformation:eu-west-1:210987654321:stack/web/1 "
                "is in UPDATE_IN_PROGRESS state and can not be updated.",
                f"{_CFN}/UserGuide/troubleshooting.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CHANGED_MEANWHILE,
        aws="ValidationError",
        words=r"_IN_PROGRESS state and can ?not be",
        fix=_AGAIN,
        examples=(
            QuotedText(
                "ValidationError: Stack:arn:aws:cloudformation:eu-west-1:210987654321:stack/web/1 "
                "is in UPDATE_IN_PROGRESS state and can not be updated.",
                f"{_CFN}/UserGuide/troubleshooting.html",
            ),
        ),
    ),
)

_DENIALS: tuple[ApiCause, ...] = (
    ApiCause(
        code=ErrorCode.ACCESS_DENIED,
        aws=r"AccessDenied(?:Exception)?|(?:Client\.)?UnauthorizedOperation|AuthorizationError"
        r"(?:Exception)?|UnauthorizedAccess|UnauthorizedException|Unauthorized|"
        r"BlockedByOrganizationPolicyException|40[13]",
        fix="allow this operation in a policy of the role or user that runs FSD",
        examples=(
            QuotedText(
                "AccessDeniedException: User: arn:aws:sts::210987654321:assumed-role/ci/run is not "
                "authorized to perform: ecs:UpdateService on resource: arn:aws:ecs:eu-west-1:"
                "210987654321:service/demo/web because no identity-based policy allows the "
                "ecs:UpdateService action",
                _DENIED_PAGE,
            ),
            QuotedText(
                "UnauthorizedOperation: You are not authorized to perform this operation. Encoded "
                "authorization failure message: oGsbAaIV7wl4Ai9q",
                _EC2,
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.ACCESS_DENIED,
        aws=r"ClientException|InvalidParameterException|ValidationError|ValidationException|"
        r"FailedResourceAccessException|InvalidRequest",
        words=r"not authorized to perform|missing the following permissions",
        fix="allow this operation in a policy of the role or user that runs FSD",
        examples=(
            QuotedText(
                "ValidationException: User is missing the following permissions: "
                "execute-api:Invoke:PATCH, execute-api:Invoke:GET",
                "https://github.com/aws/aws-auto-scaling-custom-resource/issues/25",
            ),
            QuotedText(
                "ValidationException: User: arn:aws:sts::210987654321:assumed-role/ci/run is not "
                "authorized to perform: iam:CreateServiceLinkedRole on resource: arn:aws:iam::"
                "210987654321:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/x",
                f"{_SCALING}/API_RegisterScalableTarget.html",
            ),
        ),
    ),
)

_WORDED = (*_IDENTITY, *_CONTAINERS, *_IMAGES, *_SCALES, *_STACKS, *_LIMITS, *_DENIALS)
# What a message says comes before what its code says.
API_CAUSES: tuple[ApiCause, ...] = (
    *(row for row in _WORDED if row.words),
    *(row for row in _WORDED if not row.words),
)
