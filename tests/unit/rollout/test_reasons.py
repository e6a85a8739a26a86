"""ECS's sentences as AWS prints them, and what each means.

Frames and words: https://github.com/aws/amazon-ecs-agent (ecs-agent/api/errormessages), AWS's pages on
stopped tasks and service events, and public threads; names, accounts and digests are made up.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.report.cause_advice import advice_text
from fsd.rollout import reasons
from fsd.rollout.denials import Denial, Policy, advise_denial, find_denial
from fsd.rollout.failures import classify, classify_event, recognize
from fsd.rollout.reasons import TaskStage, cut_names, read_reason
from fsd.snapshot import StoppedContainer, StoppedTask

ECR = "210987654321.dkr.ecr.eu-west-1.amazonaws.com"
PULL = "CannotPullContainerError: "
MANIFEST = f"{PULL}pull image manifest has been retried 5 time(s): failed to resolve ref "
LAYERS = f"{PULL}ref pull has been retried 3 time(s): failed to copy: httpReadSeeker: failed open: "
INIT = "ResourceInitializationError: "
SECRETS = f"{INIT}unable to pull secrets or registry auth: execution resource retrieval failed: "
ASM = f"{SECRETS}unable to retrieve secret from asm: service call has been retried 2 time(s): "
SSM = f"{SECRETS}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
LOGIN = f"{SECRETS}unable to retrieve ecr registry auth: service call has been retried 3 time(s): "
LOGGER = f"{INIT}failed to validate logger args: "
EFS = f"{INIT}failed to invoke EFS utils commands to set up EFS volumes: stderr: "
ENI = "Unexpected EC2 error while attempting to "
START = "CannotStartContainerError: Error response from daemon: "
WHO = "User: arn:aws:sts::210987654321:assumed-role/offers-dev-execution/0af1 is not authorized to "
TIMEOUT = "dial tcp 10.3.0.7:443: i/o timeout"

# (what ECS says, the code, after how many sightings the wait ends, a word of the advice)
TASKS = (
    # A name may hold any word and any number.
    (f"{MANIFEST}{ECR}/web@sha256:{'403' * 20}: not found", "image-not-found", 1, "lifecycle"),
    (f"{MANIFEST}{ECR}/access-denied:429: not found", "image-not-found", 1, ""),
    (f"{MANIFEST}docker.io/denied/unauthorized:401: {TIMEOUT}", "network-unreachable", 2, "NAT"),
    (f'{MANIFEST}"ghcr.io/org/not-found:1": 403 Forbidden', "image-pull-denied", 1, "credentials"),
    (f"{PULL}API error (404): repository {ECR}/team/web not found", "image-not-found", 1, ""),
    (f"{MANIFEST}{ECR}/web:v1: unexpected status from HEAD request to https://{ECR}/v2/web/"
     "manifests/v1: 403 Forbidden", "image-pull-denied", 1, "repository's policy"),
    (f"{PULL}Error response from daemon: pull access denied for {ECR}/web, repository does not "
     f"exist or may require 'docker login': denied: {WHO}perform: ecr:BatchGetImage on resource: "
     "arn:aws:ecr:eu-west-1:210987654321:repository/web because no resource-based policy allows "
     "the ecr:BatchGetImage action", "image-pull-denied", 1, "in the resource-based policy"),
    (f"{PULL}The task can’t pull the image. Check whether the image exists. Error response from "
     "daemon: pull access denied for team/web, repository does not exist or may require 'docker "
     "login': denied: requested access to the resource is denied", "image-pull-denied", 1, "name"),
    (f"{MANIFEST}{ECR}/web:v1: {TIMEOUT}", "network-unreachable", 2, "ecr.dkr"),
    (f"{PULL}The task can't pull the image. Check your network configuration",
     "network-unreachable", 2, "NAT"),
    (f"{PULL}context canceled", "network-unreachable", 2, "NAT"),
    (f"{PULL}pull command failed: : signal: killed", "network-unreachable", 2, "NAT"),
    (f"{LAYERS}failed to do request: Get {ECR}/web:v1: {TIMEOUT}", "network-unreachable", 2, "s3"),
    (f"{LAYERS}unexpected status code https://{ECR}/v2/web/blobs/sha256:1: 403 Forbidden",
     "image-pull-denied", 1, "ecr:BatchGetImage"),
    (f"{LAYERS}unexpected status code https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1."
     "amazonaws.com/0-210987654321-x/1?X-Amz-Expires=3600&X-Amz-Signature=429: 403 Forbidden",
     "image-pull-denied", 2, "S3 gateway endpoint"),
    (f"{LAYERS}unexpected status code https://registry-1.docker.io/v2/library/redis/manifests/"
     "sha256:1: 429 Too Many Requests - Server message: toomanyrequests: You have reached your "
     "unauthenticated pull rate limit.", "image-pull-rate-limit", None, "cache"),
    (f"{PULL}failed to register layer: write /usr/lib/x.so: no space left on device",
     "disk-full", 2, "ephemeral storage"),
    (f"{PULL}failed to register layer: devicemapper: dm_task_run failed",
     "image-pull-failed", 2, ""),
    (f"{PULL}no match for platform in manifest: not found", "image-platform-mismatch", 1, ""),
    (f"{PULL}denied: Your authorization token has expired. Reauthenticate and try again.",
     "login-expired", 2, "again"),
    (f"{MANIFEST}", "image-pull-failed", 2, ""),
    (f"{LOGIN}RequestError: send request failed caused by: Post \"https://api.ecr.eu-west-1."
     f"amazonaws.com/\": {TIMEOUT}", "network-unreachable", 2, "ecr.api"),
    (f"{LOGIN}AccessDeniedException: {WHO}perform: ecr:GetAuthorizationToken on resource: * "
     "because no VPC endpoint policy allows the ecr:GetAuthorizationToken action",
     "image-pull-denied", 1, "VPC endpoint's policy"),
    (f"{LOGIN}ThrottlingException: Rate exceeded", "throttled", None, "wait"),
    (f"{ASM}failed to fetch secret arn:aws:secretsmanager:eu-west-1:210987654321:secret:timeout-"
     "AbCdEf from secrets manager: ResourceNotFoundException: Secrets Manager can't find the "
     "specified secret.", "secret-not-found", 1, "Region"),
    (f"{ASM}failed to fetch secret arn:aws:secretsmanager:eu-west-1:210987654321:secret:x from "
     "secrets manager: InvalidParameter: 1 validation error(s) found.",
     "secret-not-found", 1, "JSON-KEY"),
    (f"{ASM}failed to fetch secret x from secrets manager: RequestCanceled: request context "
     "canceled caused by: context deadline exceeded", "network-unreachable", 2, "secretsmanager"),
    (f"{ASM}AccessDeniedException: Access to KMS is not allowed", "secret-access-denied", 1,
     "kms:Decrypt"),
    (f"{ASM}DecryptionFailure: Secrets Manager can't decrypt the protected secret text using the "
     "provided KMS key.", "secret-access-denied", 1, "kms:Decrypt"),
    (f"{ASM}InvalidRequestException: You can't perform this operation on the secret because it "
     "was marked for deletion.", "secret-not-found", 1, ""),
    (f"{ASM}InternalServiceError: An error occurred on the server side.", "platform-error", None,
     ""),
    (f"{ASM}AccessDeniedException: {WHO}perform: secretsmanager:GetSecretValue on resource: "
     "arn:aws:secretsmanager:eu-west-1:210987654321:secret:x with an explicit deny in a service "
     "control policy", "secret-access-denied", 1, "explicit deny"),
    (f"{SSM}invalid ssm parameters: /offers/timeout, /offers/denied", "secret-not-found", 1, ""),
    (f"{SSM}AccessDeniedException: {WHO}perform: ssm:GetParameters on resource: arn:aws:ssm:x",
     "secret-access-denied", 1, "valueFrom"),
    (f"{SSM}RequestError: send request failed caused by: Post \"https://ssm.eu-west-1.amazonaws.com"
     f"/\": {TIMEOUT}", "network-unreachable", 2, "ssm"),
    (f"{INIT}unable to pull secrets or registry auth: pull command failed: : signal: killed",
     "network-unreachable", 2, "NAT"),
    (f"{LOGGER}create stream has been retried 1 times: failed to create Cloudwatch log stream: "
     "ResourceNotFoundException: The specified log group does not exist. : exit status 1",
     "log-group-missing", 1, "log group"),
    (f"{LOGGER}create stream has been retried 1 times: failed to create Cloudwatch log stream: "
     f"AccessDeniedException: {WHO}perform: logs:CreateLogStream", "log-access-denied", 1,
     "logs:CreateLogStream"),
    (f"{LOGGER}create stream has been retried 1 times: failed to create Cloudwatch log stream: "
     f"RequestError: Post \"https://logs.eu-west-1.amazonaws.com/\": {TIMEOUT} : exit status 1",
     "network-unreachable", 2, "logs"),
    (f"{START}failed to initialize logging driver: failed to create Cloudwatch log stream: "
     "ResourceNotFoundException: The specified log group does not exist.", "log-group-missing", 1,
     "log group"),
    (f"{INIT}failed to download env files: file download command: non empty error stream: "
     "RequestCanceled: request context canceled", "network-unreachable", 2, "s3"),
    (f"{EFS}Failed to resolve \"fs-12.efs.eu-west-1.amazonaws.com\" - check that your file system "
     "ID is correct", "file-system-not-mounted", 1, "mount target"),
    (f"{EFS}b'mount.nfs4: access denied by server while mounting 127.0.0.1:/'",
     "file-system-not-mounted", 1, "ClientMount"),
    (f"{EFS}b'mount.nfs4: Connection timed out'", "file-system-not-mounted", 1, "2049"),
    (f"{ENI}Create Network Interface with public IP assignment disabled in subnet 'subnet-12': "
     "InsufficientFreeAddressesInSubnet", "subnet-full", None, "subnets"),
    (f"{ENI}Create Network Interface in subnet 'subnet-12': InvalidSecurityGroupID.NotFound",
     "network-setting-invalid", 1, "security groups"),
    (f"{ENI}Create Network Interface in subnet 'subnet-12': RequestLimitExceeded", "throttled",
     None, "wait"),
    (f"{ENI}attach network interface to instance", "platform-error", None, "again"),
    ("Timeout waiting for EphemeralStorage provisioning to complete.", "platform-error", None,
     "again"),
    (f"{INIT}failed to configure ENI: failed to setup regular eni", "platform-error", None, ""),
    ("The selected task definition is not compatible with the selected compute strategy",
     "task-not-compatible", 1, "compatib"),
    (f"{INIT}Unable to launch instance(s) for capacity provider blue. UnauthorizedOperation: "
     f"{WHO}perform: iam:PassRole on resource: arn:aws:iam::210987654321:role/x because no "
     "identity-based policy allows the iam:PassRole action", "capacity-provider-denied", 1,
     "PassRole"),
    (f"{START}failed to create shim task: OCI runtime create failed: runc create failed: unable to "
     'start container process: exec: "/start.sh": permission denied: unknown',
     "command-not-found", 1, "executable"),
    (f"{START}unable to find user app: no matching entries in passwd file",
     "container-start-failed", 1, "USER"),
    (f"{START}OCI runtime create failed: container init was OOM-killed (memory limit too low?)",
     "out-of-memory", 2, "memory"),
    ("CannotCreateVolumeError: create data: VolumeDriver.Create: no such device",
     "volume-failed", 2, ""),
    ("Dependent container exited with non-zero status: CannotStartContainerError: dependent "
     "container migrate exited with non-zero status", "dependency-failed", 2, "logs"),
    ("Task failed to start: CannotPullContainerError: pull access denied", "image-pull-denied", 1,
     ""),
    ("Capacity is unavailable at this time. Please try again later or in a different availability "
     "zone", "capacity-unavailable", None, "zones"),
    ("ECS was unable to assume the role 'arn:aws:iam::210987654321:role/x' that was provided for "
     "this task.", "role-not-assumable", 3, "trust"),
    ("ELB healthcheck failed", "health-check-failed", 2, ""),
    ("Taskfailedtostart", "task-failed-to-start", None, ""),
)  # fmt: skip

INNOCENT = (
    "Scaling activity initiated by (deployment ecs-svc/5138306466376321372)",
    "Task replaced due to availability zone rebalancing",
    "Your Spot Task was interrupted.",
    "ECS is performing maintenance on the underlying infrastructure hosting the task.",
    "Host EC2 (instance i-0abcd1234ef567890) terminated.",
)

EVENTS = (
    ("(service web) was unable to place a task. Reason: Internal error.", "zone-not-supported"),
    ("(service web) was unable to place a task. The reason for failure is Capacity is unavailable "
     "at this time.", "capacity-unavailable"),
    ("(service web) was unable to place a task. Reason: TaskFailedToStart: RESOURCE:GPU.",
     "capacity-unavailable"),
    ("(service web) was unable to reach steady state. Reason: No Container Instances were found in "
     "your capacity provider.", "capacity-unavailable"),
    ("(service web) was unable to place tasks in your cluster because the tasks provisioning "
     "capacity limit was exceeded.", "quota-reached"),
    ("IAM permissions policies have been misconfigured or changed, and ECS can no longer maintain "
     "your service", "permissions-changed"),
    ("IAM trust relationship has been misconfigured or changed, and ECS can no longer maintain your "
     "service", "role-not-assumable"),
    (f"(service web) was unable to place a task. Reason: {MANIFEST}{ECR}/web:v9: not found.",
     "image-not-found"),
    ("(service web) was unable to place a task. Reason: Timeout waiting for network interface "
     "provisioning to complete.", "platform-error"),
    (f"(service web) was unable to place a task. Reason: {EFS}Failed to resolve \"fs-1\"",
     "file-system-not-mounted"),
    ("(service web) is unable to consistently start tasks successfully.", "tasks-fail-to-start"),
    ("(service web) operations are being throttled. Will try again later.", "throttled"),
)  # fmt: skip
SILENT = (
    "(service web) has reached a steady state.",
    "(service web) has started 1 tasks: (task 1).",
    "(service web) stopped 2 pending tasks.",
    "(service web) was unable to place a task. Reason: something new.",
    "(service web) (deployment ecs-svc/8028) deployment failed: alarm detected.",
    "(service web) (instance i-0a) is unhealthy in (elb classic) due to (reason Instance has "
    "failed at least the UnhealthyThreshold number of health checks consecutively.)",
    "(service not-found) registered 1 targets in (target-group arn:x)",
    "(service protected) has stopped 1 running tasks: (task 2).",
)


def stopped(text: str, *, stop_code: str = "TaskFailedToStart", reason: str = "") -> StoppedTask:
    container = StoppedContainer(name="web", exit_code=None, reason=reason)
    return StoppedTask(
        id="1",
        task_definition_arn="web:1",
        stop_code=stop_code,
        stopped_reason=text,
        containers=(container,),
    )


@pytest.mark.parametrize(("text", "code", "after", "advice"), TASKS)
def test_classify__what_aws_says__cause_moment_and_advice(
    text: str, code: str, after: int | None, advice: str
) -> None:
    found = recognize(stopped(text))

    assert found is not None
    assert (found.failure.code, found.failure.after) == (code, after)
    assert advice in advice_text(found.advice)


@pytest.mark.parametrize(("text", "code", "after", "advice"), TASKS)
def test_classify__the_reason_is_the_containers__the_same(
    text: str, code: str, after: int | None, advice: str
) -> None:
    del after, advice
    if code == "task-failed-to-start":
        return  # nothing is left that the container could say
    row = classify(stopped("Task failed to start", reason=text))

    assert row is not None
    assert row.code == code


OTHER = "310987654321.dkr.ecr.eu-west-1.amazonaws.com"
PUBLIC = "public.ecr.aws/org"
REGISTRIES = (
    # (the registry, what is wrong, a word of the advice)
    (ECR, "403 Forbidden", "allow ecr:BatchGetImage"),
    (OTHER, "403 Forbidden", "in that repository's policy"),
    (PUBLIC, "403 Forbidden", "Public Gallery"),
    ("docker.io/org", "403 Forbidden", "repositoryCredentials"),
    ("ghcr.io/org", "403 Forbidden", "read packages"),
    ("quay.io/org", "403 Forbidden", "repositoryCredentials"),
    (ECR, TIMEOUT, "ecr.dkr"),
    (OTHER, TIMEOUT, "ecr.dkr"),
    (PUBLIC, TIMEOUT, "no VPC endpoint"),
    ("docker.io/org", TIMEOUT, "no VPC endpoint"),
    ("ghcr.io/org", TIMEOUT, "no VPC endpoint"),
    (ECR, "429 Too Many Requests", "Service Quotas"),
    (OTHER, "429 Too Many Requests", "Service Quotas"),
    (PUBLIC, "429 Too Many Requests", "pull-through cache"),
    ("docker.io/org", "429 Too Many Requests", "Docker Hub credentials"),
    ("ghcr.io/org", "429 Too Many Requests", "credentials for the registry"),
    (ECR, "not found", "lifecycle policy"),
    ("docker.io/org", "not found", "tag or digest"),
    ("ghcr.io/org", "not found", "tag or digest"),
)  # fmt: skip


@pytest.mark.parametrize(("registry", "fault", "advice"), REGISTRIES)
def test_classify__registry_of_the_image__decides_the_advice(
    registry: str, fault: str, advice: str
) -> None:
    arn = "arn:aws:ecs:eu-west-1:210987654321:task-definition/web:1"
    task = replace(stopped(f"{MANIFEST}{registry}/web:1: {fault}"), task_definition_arn=arn)

    found = recognize(task)

    assert found is not None
    assert advice in advice_text(found.advice)


@pytest.mark.parametrize("text", INNOCENT)
def test_classify__end_that_is_not_the_releases__none(text: str) -> None:
    assert classify(stopped(text, stop_code="")) is None


@pytest.mark.parametrize(("message", "code"), EVENTS)
def test_classify_event__what_aws_says__the_cause(message: str, code: str) -> None:
    row = classify_event(message)

    assert row is not None
    assert row.code == code


@pytest.mark.parametrize("message", SILENT)
def test_classify_event__what_tells_of_no_failure__none(message: str) -> None:
    assert classify_event(message) is None


# A name may hold any word, "denied" and "timeout" too; none may be left.
NAMES = (
    ("secret arn:aws:secretsmanager:eu-west-1:210987654321:secret:denied from", "secret <arn> from"),
    ("Get https://denied.s3.eu-west-1.amazonaws.com/denied?X=1: 403 Forbidden",
     "Get <s3>: 403 Forbidden"),
    (f"ref {ECR}/denied:timeout: not found", "ref <ecr>: not found"),
    ("ref 310987654321.dkr.ecr.eu-west-1.amazonaws.com/denied:1: x", "ref <ecr-other>: x"),
    ("ref public.ecr.aws/denied/web:1: x", "ref <ecr-public>: x"),
    ("Get https://d5l0dvt14r5h8.cloudfront.net/docker/denied: x", "Get <ecr-public>: x"),
    ("ref docker.io/library/denied:1: x", "ref <docker-hub>: x"),
    ("Get https://production.cloudflare.docker.com/denied: x", "Get <docker-hub>: x"),
    ("ref ghcr.io/org/denied:1: x", "ref <ghcr>: x"),
    ("Get https://pkg-containers.githubusercontent.com/ghcr1/denied", "Get <ghcr>"),
    ('Post "https://denied.eu-west-1.amazonaws.com/": x', 'Post "<url>": x'),
    ("failed to resolve ref denied:1: not found", "failed to resolve ref <image>: not found"),
    ("pull access denied for timeout, x", "pull access denied for <image>, x"),
    ('normalize image reference "denied": x', "normalize image reference <image>: x"),
    ("invalid ssm parameters: /denied, /timeout", "invalid ssm parameters: <parameters>"),
    ("manifest in quay.io/org/denied: x", "manifest in <registry>: x"),
    ('exec: "/denied": no such file', "exec: <program>: no such file"),
    (f"layer sha256:{'403' * 20}: x", "layer <digest>: x"),
    ("status code [manifests denied]: x", "status code <manifest>: x"),
    ("x status code: 400, request id: 403-429 y", "x status code: 400,  y"),
    ("user 210987654321 exceeded", "user <account> exceeded"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "words"), NAMES)
def test_cut_names__each_kind__nothing_of_it_is_left(text: str, words: str) -> None:
    assert cut_names(text, account="210987654321") == words


def test_cut_names__any_pattern_taken_away__a_name_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    names = reasons._NAMES
    unnoticed = []
    for index, (pattern, _) in enumerate(names):
        monkeypatch.setattr(reasons, "_NAMES", (*names[:index], *names[index + 1 :]))
        if all(cut_names(text, account="210987654321") == words for text, words in NAMES):
            unnoticed.append(pattern.pattern)

    assert unnoticed == []


@pytest.mark.parametrize(
    ("text", "stage", "words"),
    [
        (f"{MANIFEST}{ECR}/web:v1: not found", TaskStage.IMAGE, "<ecr>: not found"),
        (f'{MANIFEST}"docker.io/x/y:6": 403 Forbidden', TaskStage.IMAGE, '"<docker-hub>": 403'),
        (f"{PULL}pull access denied for not-found, x", TaskStage.IMAGE, "denied for <image>, x"),
        (f"{ASM}{WHO}perform: x", TaskStage.SECRET, "User: <arn> is not authorized"),
        ("Task can’t start", TaskStage.OTHER, "Task can't start"),
        ("", TaskStage.OTHER, ""),
    ],
)
def test_read_reason__names__are_cut_out(text: str, stage: TaskStage, words: str) -> None:
    reason = read_reason(text)

    assert reason.stage is stage
    assert words in reason.words


@pytest.mark.parametrize(
    ("clause", "policy", "is_explicit", "advice"),
    [
        ("because no identity-based policy allows the ecs:UpdateService action", Policy.IDENTITY,
         False, "in a policy of role deployer"),
        ("because no permissions boundary allows the ecs:UpdateService action", Policy.BOUNDARY,
         False, "in the permissions boundary too"),
        ("because no session policy allows the ecs:UpdateService action", Policy.SESSION, False,
         "in the session policy too"),
        ("because no VPC endpoint policy allows the ecs:UpdateService action", Policy.ENDPOINT,
         False, "in the VPC endpoint's policy"),
        ("with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p",
         Policy.ORGANIZATION, True, "remove the explicit deny"),
        ("with an explicit deny in an identity-based policy", Policy.IDENTITY, True,
         "remove the explicit deny"),
        ("", None, False, "in a policy of role deployer"),
    ],
)  # fmt: skip
def test_find_denial__awss_own_clause__names_the_policy(
    clause: str, policy: Policy | None, is_explicit: bool, advice: str
) -> None:
    text = (
        "User: arn:aws:sts::210987654321:assumed-role/deployer/run is not authorized to perform: "
        f"ecs:UpdateService on resource: arn:aws:ecs:eu-west-1:210987654321:service/c/s {clause}"
    )

    found = find_denial(text)

    assert found == Denial(
        action="ecs:UpdateService",
        who="role deployer",
        resource="arn:aws:ecs:eu-west-1:210987654321:service/c/s",
        policy=policy,
        policy_arn="arn:aws:organizations::1:policy/p" if "organizations" in clause else "",
        is_explicit=is_explicit,
    )
    assert advice in advise_denial(found)
