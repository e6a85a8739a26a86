"""Why CloudFormation could not make a resource: the reason of a stack event, read in two steps.

First the frame: a resource handler's message stands in quotes, with its own code after it. Then the
message, which is most often another service's refusal; the code alone where that says nothing.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
"""

from __future__ import annotations

import re

from fsd.aws.causes import API_CAUSES, ApiCause
from fsd.errors import ErrorCode
from fsd.rollout.denials import advise_denial, find_denial
from fsd.rollout.known_causes import QuotedText
from fsd.rollout.reasons import cut_names

_HANDLER = re.compile(r"HandlerErrorCode: (?P<code>\w+)")
_FRAMES = re.compile(
    r'Resource handler returned message: "|Invalid request provided: |'
    r"\(RequestToken: .*|\(Service: .*?Status Code: \d+.*|\w+ error: ",
    re.DOTALL,
)

_CODES = (
    "https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/"
    "resource-type-test-contract-errors.html"
)

_AGAIN = "run it again: the trouble is on AWS's side, and passes"
_ALLOW = (
    "allow what the reason names in the policy of the role that creates the stack "
    "(CloudFormation's role, or the one that runs FSD)"
)

# `aws` is the handler's code here.
STACK_CAUSES: tuple[ApiCause, ...] = (
    ApiCause(
        code=ErrorCode.QUOTA_EXCEEDED,
        words=r"maximum number of .* has been reached",
        fix="request a higher quota (Service Quotas console), or remove unused resources",
        examples=(
            QuotedText(
                'Resource handler returned message: "The maximum number of VPC endpoints has been '
                'reached. (Service: Ec2, Status Code: 400, Request ID: 1)" (RequestToken: 1, '
                "HandlerErrorCode: ServiceLimitExceeded)",
                "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.POLICY_TOO_LONG,
        words=r"Maximum policy size of|exceed quota for PolicySize",
        fix="grant fewer single permissions: IAM limits the length of a role's policies, and does "
        "not raise that quota",
        examples=(
            QuotedText(
                "Maximum policy size of 10240 bytes exceeded for role web (Service: "
                "AmazonIdentityManagement; Status Code: 409; Error Code: LimitExceeded; Request "
                "ID: 1)",
                "https://github.com/aws/aws-cdk/issues/4465",
            ),
            QuotedText(
                'Resource handler returned message: "Cannot exceed quota for PolicySize: 6144 '
                '(Service: Iam, Status Code: 409, Request ID: 1)" (RequestToken: 1, '
                "HandlerErrorCode: ServiceLimitExceeded)",
                "https://github.com/aws-cloudformation/cfn-lint/issues/3804",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.QUOTA_EXCEEDED,
        aws="ServiceLimitExceeded",
        fix="request a higher quota (Service Quotas console), or remove unused resources: the "
        "reason names the limit",
        examples=(QuotedText("(RequestToken: 1, HandlerErrorCode: ServiceLimitExceeded)", _CODES),),
    ),
    ApiCause(
        code=ErrorCode.ACCESS_DENIED,
        words=r"permissions error performing a tagging operation|CreateLogGroup with Tags",
        fix="allow the tagging of this resource (…:TagResource, for log groups logs:TagResource) "
        "in the policy of the role that creates the stack",
        examples=(
            QuotedText(
                'Resource handler returned message: "Encountered a permissions error performing a '
                "tagging operation, please add required tag permissions. See https://repost.aws/"
                "knowledge-center/cloudformation-tagging-permission-error for how to resolve. "
                'Resource handler returned message: "Unauthorized tagging operation"" '
                "(RequestToken: 3, HandlerErrorCode: UnauthorizedTaggingOperation)",
                "https://github.com/aws-samples/aws-eda-slurm-cluster/issues/340",
            ),
            QuotedText(
                'Resource handler returned message: "User with accountId: 210987654321 is not '
                "authorized to perform CreateLogGroup with Tags (Service: CloudWatchLogs, Status "
                'Code: 400, Request ID: 1)" (RequestToken: 1, HandlerErrorCode: '
                "GeneralServiceException)",
                "https://github.com/awslabs/aws-well-architected-labs/pull/747",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.ACCESS_DENIED,
        aws="UnauthorizedTaggingOperation",
        fix="allow the tagging of this resource in the policy of the role that creates the stack",
        examples=(
            QuotedText("(RequestToken: 1, HandlerErrorCode: UnauthorizedTaggingOperation)", _CODES),
        ),
    ),
    ApiCause(
        code=ErrorCode.ACCESS_DENIED,
        aws="AccessDenied",
        fix=f"{_ALLOW}; CloudTrail has the action where the reason does not",
        examples=(
            QuotedText(
                "Resource handler returned message: \"Access denied for operation 'AWS::ECS::"
                "Service'.\" (RequestToken: 1, HandlerErrorCode: AccessDenied)",
                _CODES,
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws="AlreadyExists",
        fix="delete or rename what has this name already and is not the stack's, or choose another "
        "service name",
        examples=(
            QuotedText(
                "Resource handler returned message: \"Resource of type 'AWS::Logs::LogGroup' with "
                'identifier \'{"/properties/LogGroupName":"/fsd/web"}\' already exists." '
                "(RequestToken: 1, HandlerErrorCode: AlreadyExists)",
                "https://github.com/aws-solutions/amazon-marketing-cloud-uploader-from-aws/issues/"
                "167",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"already exists in stack",
        fix="delete or rename what has this name already: another stack has it",
        examples=(
            QuotedText(
                "/fsd/web already exists in stack arn:aws:cloudformation:us-east-1:210987654321:"
                "stack/alertgraph-development/1",
                "https://github.com/serverless/serverless/issues/3237",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws="NotFound",
        fix="recreate what the reason names, or correct its name: it does not exist, or was "
        "deleted by hand",
        examples=(
            QuotedText(
                'Resource handler returned message: "One or more listeners not found (Service: '
                'ElasticLoadBalancingV2, Status Code: 400)" (RequestToken: 1, HandlerErrorCode: '
                "NotFound)",
                _CODES,
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"Circuit Breaker was triggered",
        fix="see why the tasks did not stay: fsd diagnose",
        examples=(
            QuotedText(
                "Resource handler returned message: \"Error occurred during operation 'ECS "
                "Deployment Circuit Breaker was triggered'.\" (RequestToken: 1, HandlerErrorCode: "
                "GeneralServiceException)",
                "https://github.com/aws/copilot-cli/issues/5296",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"Exceeded attempts to wait|did not stabilize|Resource timed out waiting",
        fix="look at the resource itself, it did not become ready in time; of an ECS service fsd "
        "diagnose shows why; then run it again",
        examples=(
            QuotedText(
                "Resource timed out waiting for completion (RequestToken: 1)",
                "https://github.com/aws/aws-app-mesh-examples/issues/419",
            ),
            QuotedText(
                "Resource timed out waiting for creation of physical resource",
                "https://github.com/aws-cloudformation/cloudformation-cli-java-plugin/issues/210",
            ),
            QuotedText(
                'Resource handler returned message: "Exceeded attempts to wait" (RequestToken: 1, '
                "HandlerErrorCode: NotStabilized)",
                "https://github.com/aws-quickstart/quickstart-dotnetcore-cicd/issues/21",
            ),
            QuotedText(
                "Service arn:aws:ecs:eu-west-1:210987654321:service/web did not stabilize.",
                "https://github.com/microservices-demo/microservices-demo/pull/412",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.THROTTLED,
        words=r"Rate exceeded",
        fix="wait a minute, and run it again: AWS limits the calls that CloudFormation makes",
        examples=(
            QuotedText(
                "Rate exceeded for operation 'Rate exceeded (Service: Lambda, Status Code: 429, "
                "Request ID: 1, Extended Request ID: null)'.",
                "https://github.com/aws/aws-cdk/issues/9882",
            ),
            QuotedText(
                "Unable to create alarms for scaling policy web due to reason: Rate exceeded "
                "(Service: AmazonCloudWatch; Status Code: 400; Error Code: Throttling; Request ID: "
                "1)",
                "https://github.com/aws/aws-cli/issues/3002",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.THROTTLED,
        aws="Throttling",
        fix="wait a minute, and run it again: AWS limits the calls that CloudFormation makes",
        examples=(QuotedText("(RequestToken: 1, HandlerErrorCode: Throttling)", _CODES),),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"cannot be associated with more than one load balancer",
        fix="deploy once without `networking.loadBalancer`, and then with it: the load balancer "
        "must be replaced, and its target group serves only one; users lose it meanwhile",
        examples=(
            QuotedText(
                'Resource handler returned message: "The following target groups cannot be '
                "associated with more than one load balancer: arn:aws:elasticloadbalancing:"
                "eu-west-1:210987654321:targetgroup/web/1 (Service: ElasticLoadBalancingV2, Status "
                'Code: 400)" (RequestToken: 1, HandlerErrorCode: InvalidRequest)',
                "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/780",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"Priority '\d+' is currently in use|One or more priorities not found",
        fix="give `networking.loadBalancer.priority` a number that no other rule of the listener "
        "has; `aws elbv2 describe-rules --listener-arn …` lists them",
        examples=(
            QuotedText(
                "Priority '26' is currently in use (Service: AmazonElasticLoadBalancingV2; Status "
                "Code: 400; Error Code: PriorityInUse; Request ID: 1)",
                "https://github.com/stelligent/mu/issues/324",
            ),
            QuotedText(
                'Resource handler returned message: "Resource of type '
                "'AWS::ElasticLoadBalancingV2::ListenerRule' with identifier 'One or more "
                "priorities not found (Service: ElasticLoadBalancingV2, Status Code: 400, Request "
                "ID: 1)' already exists.\" (RequestToken: 1, HandlerErrorCode: AlreadyExists)",
                "https://github.com/aws/copilot-cli/issues/4532",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"create resource record set .* but it already exists",
        fix="remove `networking.loadBalancer.domain` from all services of that name but one, or "
        "remove the record that somebody else has made",
        examples=(
            QuotedText(
                "[Tried to create resource record set [name='api.example.com.', type='A'] but it "
                "already exists]",
                "https://github.com/aws/aws-cdk/issues/7244",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"check S3bucket permission",
        fix="in the policy of the bucket that `accessLogs` names, permit the load balancer to "
        "write: Allow s3:PutObject for logdelivery.elasticloadbalancing.amazonaws.com; the bucket "
        "is in the load balancer's Region, and is encrypted with SSE-S3 at most",
        examples=(
            QuotedText(
                "Access Denied for bucket: app-env-elbaccesslogsbucket-1234. Please check S3bucket "
                "permission (Service: AmazonElasticLoadBalancing; Status Code: 400; Error Code: "
                "InvalidConfigurationRequest; Request ID: id; Proxy: null)",
                "https://github.com/aws/copilot-cli/pull/4169",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"has a dependent object|currently in use by|still contains images",
        fix="remove first what uses it: the reason names the resource",
        examples=(
            QuotedText(
                "resource sg-12 has a dependent object (Service: AmazonEC2; Status Code: 400; "
                "Error Code: DependencyViolation; Request ID: 1; Proxy: null)",
                "https://github.com/aws/aws-cdk/issues/12130",
            ),
            QuotedText(
                "Target group 'arn:aws:elasticloadbalancing:eu-west-1:210987654321:targetgroup/web/"
                "1' is currently in use by a listener or a rule",
                "https://github.com/pulumi/pulumi-aws/issues/4220",
            ),
            QuotedText(
                "The repository with name 'web' in registry with id '210987654321' cannot be "
                "deleted because it still contains images (Service: AmazonECR; Status Code: 400; "
                "Error Code: RepositoryNotEmptyException; Request ID: 1)",
                "https://github.com/brentley/appmeshworkshop/issues/31",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws="ResourceConflict",
        fix="run it again; if the error persists, remove first what the reason says uses it",
        examples=(QuotedText("(RequestToken: 1, HandlerErrorCode: ResourceConflict)", _CODES),),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"custom-named resource requires replacing",
        fix="choose another service name, or delete the service and deploy it again: what has a "
        "name of its own cannot be replaced beside itself",
        examples=(
            QuotedText(
                "CloudFormation cannot update a stack when a custom-named resource requires "
                "replacing. Rename web and update the stack again.",
                "https://github.com/convox/rack/issues/2941",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"EarlyValidation",
        fix="read what failed: aws cloudformation describe-events --change-set-name ARN; most "
        "often a resource of this name exists already and is not the stack's",
        examples=(
            QuotedText(
                "The following hook(s)/validation failed: [AWS::EarlyValidation::"
                "ResourceExistenceCheck]. To troubleshoot Early Validation errors, use the "
                "DescribeEvents API for detailed failure information.",
                "https://github.com/aws/aws-cdk-cli/issues/1000",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        words=r"following hook\(s\) failed",
        fix="read what the hook asks for: aws cloudformation list-hook-results; who keeps the "
        "account's CloudFormation hooks can say more",
        examples=(
            QuotedText(
                "The following hook(s) failed: [Example::CFNHook::Full]",
                "https://github.com/aws/aws-cdk/issues/21674",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.AWS_UNAVAILABLE,
        aws=r"ServiceInternalError|InternalFailure|NetworkFailure|ServiceTimeout",
        fix=_AGAIN,
        examples=(
            QuotedText(
                'Resource handler returned message: "" (RequestToken: 1, HandlerErrorCode: '
                "InternalFailure)",
                "https://github.com/aws-quickstart/quickstart-kubernetes-resource-provider/issues/"
                "28",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.AWS_UNAVAILABLE,
        words=r"Internal Failure",
        fix=_AGAIN,
        examples=(
            QuotedText(
                "Internal Failure",
                "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/607",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CALL_FAILED,
        aws="GeneralServiceException",
        fix="run it again where the reason sounds temporary; CloudTrail has the call that failed",
        examples=(
            QuotedText(
                'Resource handler returned message: "Error occurred during operation '
                "'PutParameter'.\" (RequestToken: 1, HandlerErrorCode: GeneralServiceException)",
                _CODES,
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CREDENTIALS_EXPIRED,
        words=r"security token included in the request is",
        fix="get new credentials, and run it again",
        examples=(
            QuotedText(
                "The security token included in the request is invalid (Service: "
                "AmazonIdentityManagement; Status Code: 403; Error Code: InvalidClientTokenId; "
                "Request ID: 1; Proxy: null)",
                "https://github.com/aws-samples/aws-serverless-saas-workshop/issues/58",
            ),
        ),
    ),
    ApiCause(
        code=ErrorCode.CREDENTIALS_EXPIRED,
        aws="InvalidCredentials",
        fix="get new credentials, and run it again",
        examples=(QuotedText("(RequestToken: 1, HandlerErrorCode: InvalidCredentials)", _CODES),),
    ),
)


def find_fix(reason: str) -> str:
    """What to do, without a full stop; "" where the reason's own words are all there is."""
    denial = find_denial(reason)
    if denial is not None:
        return advise_denial(denial)
    code, message = read_frame(reason)
    words = cut_names(message)
    worded = [row for row in (*STACK_CAUSES, *API_CAUSES) if row.words]
    cause = next((row for row in worded if row.matches(words)), None)
    coded = (row for row in STACK_CAUSES if not row.words and row.answers(code, words))
    cause = cause or next(coded, None)
    return cause.fix if cause else ""


def read_frame(reason: str) -> tuple[str, str]:
    """(the handler's code or "", the message without its frames)."""
    code = _HANDLER.search(reason)
    return code["code"] if code else "", _FRAMES.sub("", reason).strip(' "')
