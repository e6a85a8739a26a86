"""What stands in `error[…]` where a command could not do what was asked: one member each, as data.

The error itself says what happened, where, and what to do in this case; a member says what the code
means in every case, and is what a caller compares. To add a failure of a command, add a member and
raise an error with it: the table in docs/commands.md and `fsd explain` are made from this file.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum, unique


@unique  # else a second name for a number would silently be the first one
class ExitCode(IntEnum):
    """(number, meaning): what the process returns. A number never changes its meaning.

    Help and documentation are made from here; what stands before a colon is the short form.
    """

    meaning: str

    def __new__(cls, number: int, meaning: str) -> ExitCode:
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member

    OK = 0, "done, or nothing to do"
    BUG = 1, "a bug in FSD"
    USAGE = 2, "the command line is wrong"
    INVALID_MANIFEST = 3, "the manifest is not valid"
    REFUSED = 4, "refused: policy, wrong account, another deployment in flight"
    CALL_FAILED = 5, "a call to AWS, Docker or GitHub failed"
    ROLLED_BACK = 6, "the deployment failed and was rolled back"
    ROLLBACK_FAILED = (
        7,
        "it failed, and the rollback did not succeed, was not possible or was turned off",
    )
    SUPERSEDED = 8, "superseded by another deployment"
    TIMED_OUT = 9, "timed out: the rollout is still in progress, or its state is unknown"
    PLAN_HAS_CHANGES = 10, "`fsd plan --detailed-exitcode`: there are changes"
    INTERRUPTED = 130, "interrupted by SIGINT"
    TERMINATED = 143, "interrupted by SIGTERM"

    @property
    def short(self) -> str:
        return self.meaning.partition(":")[0]


INTERRUPTED_EXITS = (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
# How a deployment may end.
DEPLOY_EXITS = (
    ExitCode.OK,
    ExitCode.INVALID_MANIFEST,
    ExitCode.REFUSED,
    ExitCode.CALL_FAILED,
    ExitCode.ROLLED_BACK,
    ExitCode.ROLLBACK_FAILED,
    ExitCode.SUPERSEDED,
    ExitCode.TIMED_OUT,
)


class ErrorCode(StrEnum):
    """(id, meaning, advice, exit codes), each meaning a sentence; the id is what users see.

    More than one exit code: the class of the error decides. A code without a meaning is a finding's
    id, and its page in docs/findings.md says what it means.
    """

    meaning: str
    advice: str
    exits: tuple[ExitCode, ...]

    def __new__(cls, id_: str, meaning: str, advice: str, *exits: ExitCode) -> ErrorCode:
        member = str.__new__(cls, id_)
        member._value_ = id_
        member.meaning, member.advice, member.exits = meaning, advice, exits
        return member

    @classmethod
    def from_id(cls, id_: str) -> ErrorCode | None:
        return next((code for code in cls if code == id_), None)

    @property
    def page(self) -> str:
        """Where the documentation explains it."""
        return "docs/commands.md#errors" if self.meaning else f"docs/findings.md#{self}"

    # A bug of FSD
    INTERNAL = (
        "internal",
        "FSD has a bug; your service and your manifest are not to blame",
        "run the same with `fsd --debug …` and report what it prints",
        ExitCode.BUG,
    )

    # The command line
    USAGE = (
        "usage",
        "the command line is not valid",
        "see `--help` of the command",
        ExitCode.USAGE,
    )
    DEPLOY_STEP_FAILED = (
        "deploy-step-failed",
        "`beforeDeploy` did not end with exit code 0, so nothing that is running was changed",
        "read the cause and the log in the report, and deploy again",
        ExitCode.CALL_FAILED,
    )
    TASK_LOST = (
        "task-lost",
        "ECS no longer knows a task that was started to run once",
        "read its log with `fsd logs`, and run it again",
        ExitCode.CALL_FAILED,
    )
    TASK_NOT_RUN = (
        "task-not-run",
        "a task that was to run once did not start, or its task definition is gone",
        "do what the stopped reason says, and run it again",
        ExitCode.CALL_FAILED,
    )
    TASK_NOT_FOUND = (
        "task-not-found",
        "no running task, or no container of it, has the name that was given",
        "look at the tasks with `fsd status`, and choose one of them",
        ExitCode.CALL_FAILED,
    )
    EXEC_OFF = (
        "exec-off",
        "the task takes no session of ECS Exec: it was started without, or its agent stopped",
        "set `service.exec: true`, deploy, and run it again",
        ExitCode.CALL_FAILED,
    )
    SESSION_PLUGIN = (
        "session-plugin",
        "the session-manager-plugin, which has the terminal of a session, is missing or too old",
        "install or update it",
        ExitCode.CALL_FAILED,
    )
    SESSION_NOT_BEGUN = (
        "session-not-begun",
        "the program could not be started in the container",
        "check the command, and that the task still runs",
        ExitCode.CALL_FAILED,
    )
    CONTEXT_OUTSIDE = (
        "context-outside",
        "`service.build` names a file or folder outside the repository",
        "name one below it, or use --context and --dockerfile",
        ExitCode.USAGE,
    )
    CONTEXT_MISSING = (
        "context-missing",
        "the build context is not a folder",
        "name the folder that holds the Dockerfile with --context",
        ExitCode.USAGE,
    )
    IMAGE_REFERENCE = (
        "image-reference",
        "the value of --image is not an image reference",
        "write registry/repository:tag or, better, registry/repository@sha256:…",
        ExitCode.USAGE,
    )
    RELEASE_UNKNOWN = (
        "release-unknown",
        "no release has this version, commit, digest or revision",
        "`fsd history` lists the releases",
        ExitCode.USAGE,
    )
    RELEASE_AMBIGUOUS = (
        "release-ambiguous",
        "more than one release has this version, or a commit that starts with it",
        "give the revision, or more characters of the commit",
        ExitCode.USAGE,
    )
    NOTHING_TO_ROLL_BACK_TO = (
        "nothing-to-roll-back-to",
        "the service has no earlier release that succeeded",
        "name a release with --to-version; `fsd history` lists them",
        ExitCode.USAGE,
    )
    NOTHING_TO_APPROVE = (
        "nothing-to-approve",
        "no deployment of the service waits for an answer",
        "`fsd status --watch` shows how far a deployment is",
        ExitCode.USAGE,
    )
    NOT_FOUND = (
        "not-found",
        "`fsd init` could not find a value in the folder, and was told not to ask",
        "set it with the option that the error names",
        ExitCode.USAGE,
    )
    LOCAL_STATE_FOREIGN = (
        "local-state-foreign",
        "the folder for the embedded AWS's state has other files, and would be emptied",
        "name a folder that does not exist yet in FSD_LOCAL_STATE",
        ExitCode.USAGE,
    )
    NO_TERMINAL = (
        "no-terminal",
        "FSD cannot ask a question without a terminal",
        "take the detected values with --yes, or give everything with options",
        ExitCode.USAGE,
    )

    # The Service YAML, the environments file, a workflow
    MANIFEST_INVALID = (
        "manifest-invalid",
        "the Service YAML or the environments file has errors, which are listed",
        "correct the listed errors; `fsd explain ID` explains each",
        ExitCode.INVALID_MANIFEST,
    )
    MANIFEST_UNREADABLE = (
        "manifest-unreadable",
        "a file is not there, may not be read, or is not UTF-8",
        "name another file, or repair its permissions or its encoding",
        ExitCode.INVALID_MANIFEST,
    )
    MANIFEST_UNWRITABLE = (
        "manifest-unwritable",
        "`--fix` cannot replace the file, or the file changed while it was checked",
        "allow it and run it again, or see the fixes with --diff",
        ExitCode.INVALID_MANIFEST,
    )
    NOT_A_WORKFLOW = (
        "not-a-workflow",
        "the file has no `jobs:`, so it is not a GitHub workflow",
        "name a file of .github/workflows; a Service YAML is checked with --file",
        ExitCode.INVALID_MANIFEST,
    )
    WORKFLOW_UNREADABLE = (
        "workflow-unreadable",
        "there is no workflow at this path",
        "name a workflow, or the folder .github/workflows",
        ExitCode.INVALID_MANIFEST,
    )
    LOAD_BALANCER_SUBNETS = (
        "load-balancer-subnets",
        "a load balancer needs subnets in two Availability Zones, and there are fewer",
        "name two in .fsd/environments.yml: vpc.privateSubnets, or vpc.publicSubnets for a "
        "public one",
        ExitCode.INVALID_MANIFEST,
    )
    POLICY_TOO_LONG = (
        "policy-too-long",
        "the role's policy would be longer than IAM allows",
        "list only the actions that the service calls; merge dependencies on the same resource",
        ExitCode.INVALID_MANIFEST,
    )

    # FSD refuses
    OUTSIDE_CHECKOUT = (
        "outside-checkout",
        "in a workflow, a Service YAML or the environments file is a link to a file outside "
        "the checkout",
        "put the file itself into the repository",
        ExitCode.REFUSED,
    )
    REFUSED = (
        "refused",
        "FSD refused to make the change",
        "the error says why",
        ExitCode.REFUSED,
    )
    WRONG_ACCOUNT = (
        "wrong-account",
        "the credentials belong to a different account from the environment's `account`",
        "use the credentials or the roleArn of that account",
        ExitCode.REFUSED,
    )
    ENVIRONMENT_PROTECTED = (
        "environment-protected",
        "a protected environment accepts only commits of its branches, and rolls back only to "
        "releases that succeeded in it",
        "use a clean checkout of a pushed commit of its branches, or a release that succeeded",
        ExitCode.REFUSED,
    )
    PROMOTION_REQUIRED = (
        "promotion-required",
        "the environment accepts only releases that succeeded in the one that `promoteFrom` names",
        "deploy the same commit there first, then promote the same image",
        ExitCode.REFUSED,
    )
    IMAGE_VULNERABLE = (
        "image-vulnerable",
        "ECR's scan of the image found what the environment's `imageScan.block` excludes",
        "update the packages that it names, or the base image, and deploy again",
        ExitCode.REFUSED,
    )
    IMAGE_NOT_SCANNED = (
        "image-not-scanned",
        "the environment has `imageScan`, and ECR has no complete scan of the image",
        "follow the fix, which depends on the status of the scan: turn on scanning in ECR for the "
        "repository, or deploy an image that ECR can scan",
        ExitCode.REFUSED,
    )
    PROVENANCE_MISSING = (
        "provenance-missing",
        "the environment has `requireProvenance`, and the image has no attestation",
        "attest the image in the workflow that builds it, and deploy that digest",
        ExitCode.REFUSED,
    )
    PROVENANCE_WRONG = (
        "provenance-wrong",
        "the image's attestation does not hold, or is of another repository, workflow or commit",
        "deploy an image that the workflow in `requireProvenance` built from this commit",
        ExitCode.REFUSED,
    )
    PROVENANCE_UNCHECKED = (
        "provenance-unchecked",
        "the image's attestation could not be verified: the extra `provenance` or Sigstore's keys "
        "are missing",
        "install FSD with its extra `provenance`, and let the machine reach Sigstore",
        ExitCode.REFUSED,
        ExitCode.CALL_FAILED,
    )
    IMAGE_CHANGED = (
        "image-changed",
        "the image to deploy is not the one that was checked",
        "run it again; if it happens again, report it",
        ExitCode.REFUSED,
    )
    NAME_TAKEN = (
        "name-taken",
        "the stack, the service or the repository of this name belongs to another pack or "
        "repository",
        "give the service another name, or take it over with --adopt",
        ExitCode.REFUSED,
    )
    OLDER_COMMIT = (
        "older-commit",
        "the service runs a newer commit than the one to deploy",
        "deploy the newer commit; go back with `fsd rollback`, or use --allow-older",
        ExitCode.REFUSED,
    )
    HEALTH_CHECK_WOULD_END_OLD_TASKS = (
        "health-check-would-end-old-tasks",
        "the running tasks fail the release's health check, and ECS would stop them",
        "answer the new check in one release, and move the check in the next; or use "
        "--allow-interruption",
        ExitCode.REFUSED,
    )
    STALE_PLAN = (
        "stale-plan",
        "something that the saved plan was made of has changed since",
        "save the plan again with `fsd plan --out`, read it, and deploy that",
        ExitCode.REFUSED,
    )
    PLAN_ELSEWHERE = (
        "plan-elsewhere",
        "the saved plan is for another service, environment, account or Region",
        "deploy it where it was made for, or save a plan for this environment",
        ExitCode.REFUSED,
    )
    NOT_A_PLAN = (
        "not-a-plan",
        "the file of --plan is not a plan that `fsd plan --out` has saved",
        "save one with `fsd plan --out FILE`",
        ExitCode.USAGE,
    )
    REPLACEMENT_REFUSED = (
        "replacement-refused",
        "the plan replaces a load balancer or a target group, and clients may lose it",
        "read the plan, tell the clients, and deploy with --allow-replacement",
        ExitCode.REFUSED,
    )
    DEPLOYMENT_IN_FLIGHT = (
        "deployment-in-flight",
        "another deployment of the service is still in flight; a second one would undo it",
        "wait for it with --wait-for-lock, or take over with --supersede",
        ExitCode.REFUSED,
    )
    OUTSIDE_CAPACITY = (
        "outside-capacity",
        "auto scaling would undo a number of tasks outside its bounds",
        "change minCapacity and maxCapacity in the manifest, and deploy it",
        ExitCode.REFUSED,
    )
    CONFIRMATION_NEEDED = (
        "confirmation-needed",
        "what changes an account, or deletes a service, asks first",
        "answer at a terminal, or use --yes",
        ExitCode.REFUSED,
    )
    STILL_IN_USE = (
        "still-in-use",
        "services still use the account setup that would be removed",
        "delete the services that are named first",
        ExitCode.REFUSED,
    )
    FILE_EXISTS = (
        "file-exists",
        "`fsd init` does not overwrite files",
        "validate the existing file, or name another one",
        ExitCode.REFUSED,
    )
    IMAGE_NOT_COPIED = (
        "image-not-copied",
        "the image could not be copied to the registry of the other environment",
        "run it again: what was copied already is kept",
        ExitCode.CALL_FAILED,
    )
    CANNOT_WRITE = (
        "cannot-write",
        "FSD cannot write this file, or will not write over it or outside the folder",
        "make the folder writable, or name another one",
        ExitCode.REFUSED,
    )
    EVENT_REFUSED = (
        "event-refused",
        "the Action does not deploy for this event of GitHub",
        "the error names the event and what to use instead",
        ExitCode.REFUSED,
    )

    # AWS
    CALL_FAILED = (
        "call-failed",
        "a call to AWS, Docker or GitHub failed",
        "the error quotes the answer; run it again if it looks temporary",
        ExitCode.CALL_FAILED,
    )
    ACCESS_DENIED = (
        "access-denied",
        "AWS denies a call to the role or user that runs FSD",
        "allow the action that the error names in a policy of that role or user",
        ExitCode.CALL_FAILED,
    )
    THROTTLED = (
        "throttled",
        "AWS throttles the calls, even after FSD retried them",
        "wait a minute, and run it again",
        ExitCode.CALL_FAILED,
    )
    NO_CREDENTIALS = (
        "no-credentials",
        "there are no AWS credentials",
        "sign in with `aws sso login` or AWS_PROFILE; in GitHub Actions set role-to-assume; "
        "`--env local` needs none",
        ExitCode.CALL_FAILED,
    )
    CREDENTIALS_EXPIRED = (
        "credentials-expired",
        "the AWS credentials have expired",
        "sign in again: aws sso login",
        ExitCode.CALL_FAILED,
    )
    CREDENTIALS_INVALID = (
        "credentials-invalid",
        "AWS does not know the credentials, or the machine's clock is wrong",
        "sign in again; check the clock",
        ExitCode.CALL_FAILED,
    )
    PROFILE_NOT_FOUND = (
        "profile-not-found",
        "AWS_PROFILE names a profile that does not exist",
        "correct AWS_PROFILE, or add the profile: aws configure sso",
        ExitCode.CALL_FAILED,
    )
    NO_REGION = (
        "no-region",
        "no AWS region is set",
        "set AWS_REGION, or `region` of the environment",
        ExitCode.CALL_FAILED,
    )
    REGION_DISABLED = (
        "region-disabled",
        "the region is not enabled for the account",
        "enable it for the account, or use another one",
        ExitCode.CALL_FAILED,
    )
    ENDPOINT_UNREACHABLE = (
        "endpoint-unreachable",
        "AWS cannot be reached from here",
        "check the network, the region's name and AWS_ENDPOINT_URL",
        ExitCode.CALL_FAILED,
    )
    CONNECTION_LOST = (
        "connection-lost",
        "the connection to AWS broke",
        "run it again",
        ExitCode.CALL_FAILED,
    )
    TLS_FAILED = (
        "tls-failed",
        "the TLS certificate of the answer is not trusted",
        "check the machine's certificates, the proxy and AWS_CA_BUNDLE",
        ExitCode.CALL_FAILED,
    )
    AWS_UNAVAILABLE = (
        "aws-unavailable",
        "AWS failed on its own side",
        "run it again; see the AWS Health Dashboard",
        ExitCode.CALL_FAILED,
    )
    QUOTA_EXCEEDED = (
        "quota-exceeded",
        "the account has reached a quota",
        "ask for a higher one in Service Quotas, or remove unused resources",
        ExitCode.CALL_FAILED,
    )
    HEALTH_CHECK_NOT_TRIED = (
        "health-check-not-tried",
        "the release's health check could not be tried on the running tasks",
        "run it again, or take the risk with --allow-interruption; nothing was changed",
        ExitCode.CALL_FAILED,
    )
    CHANGED_MEANWHILE = (
        "changed-meanwhile",
        "somebody else changed the same resource in the meantime",
        "run it again",
        ExitCode.CALL_FAILED,
    )
    ASSUME_ROLE_DENIED = (
        "assume-role-denied",
        "the role may not be assumed: its trust policy does not name this caller or workflow",
        "add the `sub` of the workflow's token, or the caller, to the role's trust policy",
        ExitCode.CALL_FAILED,
    )
    IDENTITY_TOKEN_MISSING = (
        "identity-token-missing",
        "the job is not allowed to request an identity token from GitHub",
        "give the job `permissions: id-token: write`",
        ExitCode.CALL_FAILED,
    )
    IDENTITY_TOKEN_FAILED = (
        "identity-token-failed",
        "GitHub did not issue an identity token",
        "run the job again",
        ExitCode.CALL_FAILED,
    )
    IDENTITY_TOKEN_REFUSED = (
        "identity-token-refused",
        "AWS refuses the identity token: its issuer or its audience is not known there",
        "make token.actions.githubusercontent.com an IAM OIDC provider of the account",
        ExitCode.CALL_FAILED,
    )
    ROLE_ARN_INVALID = (
        "role-arn-invalid",
        "the role to assume is not the ARN of a role",
        "write arn:aws:iam::ACCOUNT:role/NAME in `role-to-assume` or `roleArn`",
        ExitCode.CALL_FAILED,
    )
    IDENTITY_PROVIDER_UNREACHABLE = (
        "identity-provider-unreachable",
        "AWS could not fetch the keys of the identity token's issuer",
        "run it again; the issuer of the IAM OIDC provider must be reachable from the internet",
        ExitCode.CALL_FAILED,
    )
    ROLE_NOT_ASSUMABLE = (
        "role-not-assumable",
        "an AWS service is not allowed to assume the role",
        "name that service in the role's trust policy; a new role needs a few seconds",
        ExitCode.CALL_FAILED,
    )
    ACCOUNT_BLOCKED = (
        "account-blocked",
        "AWS has blocked the account, or is still checking it",
        "contact AWS Support",
        ExitCode.CALL_FAILED,
    )
    PERMISSIONS_CHANGED = (
        "permissions-changed",
        "an AWS service has lost permissions that it had",
        "restore the permissions of its service-linked role",
        ExitCode.CALL_FAILED,
    )
    NETWORK_SETTING_INVALID = (
        "network-setting-invalid",
        "a subnet or security group does not exist, or does not fit the others",
        "correct the subnets and security groups in .fsd/environments.yml",
        ExitCode.CALL_FAILED,
    )
    TARGET_GROUP_MISSING = (
        "target-group-missing",
        "the target group is gone, or no listener forwards to it",
        "deploy again: the stack owns the load balancer, its listener and its target group",
        ExitCode.CALL_FAILED,
    )
    TARGET_MISSING = (
        "target-missing",
        "the service is not registered as a scalable target with Application Auto Scaling",
        "deploy again, which registers it",
        ExitCode.CALL_FAILED,
    )
    TASK_NOT_COMPATIBLE = (
        "task-not-compatible",
        "the task definition is not compatible with the launch type or the target group",
        "the error says what is not compatible",
        ExitCode.CALL_FAILED,
    )
    CLUSTER_NOT_FOUND = (
        "cluster-not-found",
        "the ECS cluster does not exist",
        "correct `cluster` of the environment",
        ExitCode.CALL_FAILED,
    )
    SERVICE_NOT_ACTIVE = (
        "service-not-active",
        "the ECS service is being deleted",
        "deploy it again: fsd deploy",
        ExitCode.CALL_FAILED,
    )
    DEPLOYMENT_NOT_FOUND = (
        "deployment-not-found",
        "ECS accepted a change but lists no deployment for it",
        "run it again: FSD attaches to the deployment, or completes the remaining steps",
        ExitCode.CALL_FAILED,
    )
    REPOSITORY_NOT_FOUND = (
        "repository-not-found",
        "the ECR repository does not exist",
        "deploy from a build, which creates it, or create it",
        ExitCode.CALL_FAILED,
    )
    IMAGE_TAG_TAKEN = (
        "image-tag-taken",
        "the tag belongs to another image, and the repository's tags are immutable",
        "use another tag",
        ExitCode.CALL_FAILED,
    )
    IMAGE_ELSEWHERE = (
        "image-elsewhere",
        "some layers of the image are not in this repository",
        "copy the whole image into it first: crane copy",
        ExitCode.CALL_FAILED,
    )
    IMAGE_NOT_FOUND = (
        "image-not-found",
        "the image is not in the registry",
        "push it first, or let FSD build it: leave --image out",
        ExitCode.CALL_FAILED,
    )
    IMAGE_ARCHIVED = (
        "image-archived",
        "the image is archived, and ECS cannot pull it",
        "restore it in ECR",
        ExitCode.CALL_FAILED,
    )
    IMAGE_DIGEST_CHANGED = (
        "image-digest-changed",
        "ECR stored a different image than the one that was pushed",
        "push it again, and deploy the digest that the push prints",
        ExitCode.CALL_FAILED,
    )
    STACK_FAILED = (
        "stack-failed",
        "CloudFormation could not make the change and rolled it back",
        "the error quotes the resource's own reason; nothing was released",
        ExitCode.CALL_FAILED,
    )
    STACK_REFUSED = (
        "stack-refused",
        "CloudFormation rejected the change before it began",
        "correct what the reason names; nothing was changed",
        ExitCode.CALL_FAILED,
    )
    DRIFT_UNKNOWN = (
        "drift-unknown",
        "CloudFormation could not compare the stack with its template",
        "give the role that asks read access to what the reason names",
        ExitCode.CALL_FAILED,
    )
    STACK_STUCK = (
        "stack-stuck",
        "the stack is in a state that CloudFormation cannot leave by itself",
        "continue its rollback, or delete it",
        ExitCode.CALL_FAILED,
    )
    STACK_NOT_OURS = (
        "stack-not-ours",
        "FSD did not create the stack of this name",
        "rename or delete it, or choose another service name",
        ExitCode.CALL_FAILED,
    )
    STACK_OUTPUT_MISSING = (
        "stack-output-missing",
        "the stack lacks an output that FSD gave it",
        "somebody else changed the stack: delete it and deploy again",
        ExitCode.CALL_FAILED,
    )
    TEMPLATE_TOO_LONG = (
        "template-too-long",
        "the stack's template is longer than CloudFormation allows",
        "grant fewer single permissions, or split the service",
        ExitCode.CALL_FAILED,
    )
    VPC_NOT_FOUND = (
        "vpc-not-found",
        "no VPC was found for the environment",
        "name it in .fsd/environments.yml: vpc.id, or tag it fsd:environment",
        ExitCode.CALL_FAILED,
    )
    VPC_AMBIGUOUS = (
        "vpc-ambiguous",
        "more than one VPC matches the environment",
        "name it in .fsd/environments.yml: vpc.id",
        ExitCode.CALL_FAILED,
    )
    NO_SUBNETS = (
        "no-subnets",
        "the VPC has no subnet of the required kind",
        "name them in .fsd/environments.yml: vpc.privateSubnets, vpc.publicSubnets",
        ExitCode.CALL_FAILED,
    )
    CAPACITY_UNAVAILABLE = (
        "capacity-unavailable",
        "AWS has no capacity for the task just now",
        "run it again in a few minutes, or use other Availability Zones or a smaller task",
        ExitCode.CALL_FAILED,
    )
    LOG_GROUP_MISSING = (
        "log-group-missing",
        "the log group does not exist",
        "deploy again: the stack owns the service's log group",
        ExitCode.CALL_FAILED,
    )

    # The image
    DOCKER_UNAVAILABLE = (
        "docker-unavailable",
        "no Docker engine is reachable, or the docker command is missing",
        "start Docker, or build elsewhere and pass --image",
        ExitCode.CALL_FAILED,
    )
    DOCKERFILE_MISSING = (
        "dockerfile-missing",
        "there is no Dockerfile",
        "write one, name another with --dockerfile, or pass --image",
        ExitCode.CALL_FAILED,
    )
    DOCKERFILE_UNREADABLE = (
        "dockerfile-unreadable",
        "the Dockerfile is not a text file",
        "name one with --dockerfile",
        ExitCode.CALL_FAILED,
    )
    DOCKERFILE_INVALID = (
        "dockerfile-invalid",
        "a line of the Dockerfile cannot be parsed",
        "correct that line",
        ExitCode.CALL_FAILED,
    )
    DOCKERIGNORE_INVALID = (
        "dockerignore-invalid",
        "`.dockerignore` is not a text file, or has a pattern that Docker rejects",
        "correct the line that the error names",
        ExitCode.CALL_FAILED,
    )
    CONTEXT_UNREADABLE = (
        "context-unreadable",
        "a file or folder of the build context cannot be read, or changed while it was read",
        "exclude it in .dockerignore, or make it readable",
        ExitCode.CALL_FAILED,
    )
    CONTEXT_TOO_LARGE = (
        "context-too-large",
        "the build context has more than 20 GiB",
        "exclude large files in .dockerignore",
        ExitCode.CALL_FAILED,
    )
    BUILD_FAILED = (
        "build-failed",
        "docker build ended with an error",
        "fix the step that its last lines name",
        ExitCode.CALL_FAILED,
    )
    IMAGE_WITHOUT_COMMAND = (
        "image-without-command",
        "the image has no command for its container to run",
        "add CMD to the Dockerfile, or `command` to the Service YAML",
        ExitCode.CALL_FAILED,
    )
    PUSH_FAILED = (
        "push-failed",
        "the registry did not accept the image",
        "run it again",
        ExitCode.CALL_FAILED,
    )
    LOGIN_EXPIRED = (
        "login-expired",
        "the login to the registry expired before the push was complete",
        "run it again: each push logs in again",
        ExitCode.CALL_FAILED,
    )
    PUSH_DENIED = (
        "push-denied",
        "the registry does not allow this role to push",
        "allow the actions that the error names, on this repository",
        ExitCode.CALL_FAILED,
    )
    GIT_REFUSED = (
        "git-refused",
        "git cannot read the folder, so the image's tag cannot be determined",
        "run the git command that the error names, and fix what it reports",
        ExitCode.CALL_FAILED,
    )

    # GitHub
    GITHUB_CALL_FAILED = (
        "github-call-failed",
        "GitHub rejected a call",
        "the error says which permission it needs",
        ExitCode.CALL_FAILED,
    )
    GITHUB_UNREACHABLE = (
        "github-unreachable",
        "GitHub does not answer",
        "run the job again",
        ExitCode.CALL_FAILED,
    )
    RUNNER_FILE = (
        "runner-file",
        "the runner's file for outputs cannot be written",
        "check that no earlier step removed it, and that the disk is not full",
        ExitCode.CALL_FAILED,
    )

    # The embedded AWS
    LOCAL_NOT_RUNNING = (
        "local-not-running",
        "the embedded AWS is not running",
        "fsd local up",
        ExitCode.CALL_FAILED,
    )
    LOCAL_START_FAILED = (
        "local-start-failed",
        "the embedded AWS stopped while it was starting",
        "fsd local up",
        ExitCode.CALL_FAILED,
    )
    LOCAL_NO_ANSWER = (
        "local-no-answer",
        "the embedded AWS does not answer",
        "fsd local down, then fsd local up",
        ExitCode.CALL_FAILED,
    )
    LOCAL_CALL_FAILED = (
        "local-call-failed",
        "the embedded AWS returned an internal error",
        "fsd local down, then fsd local up",
        ExitCode.CALL_FAILED,
    )
    LOCAL_EXTRA_MISSING = (
        "local-extra-missing",
        "the parts of the embedded AWS are not installed",
        "pip install 'fsd-deploy[local]'",
        ExitCode.CALL_FAILED,
    )
    PORT_IN_USE = (
        "port-in-use",
        "another process uses the port",
        "choose another, or leave --port out",
        ExitCode.CALL_FAILED,
    )

    # How a command ends
    SERVICE_NOT_FOUND = (
        "service-not-found",
        "the ECS service does not exist in the cluster",
        "check --service and --env, or deploy it first",
        ExitCode.USAGE,
        ExitCode.CALL_FAILED,
    )
    TIMED_OUT = (
        "timed-out",
        "the timeout was reached; ECS continues on its own",
        "fsd status --watch shows it",
        ExitCode.TIMED_OUT,
    )
    INTERRUPTED = (
        "interrupted",
        "a signal ended the command; ECS continues on its own",
        "run the same `fsd deploy` again: it attaches to the deployment in flight",
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    )

    # Findings that end a command before there is a file to show them in: see docs/findings.md
    PERMISSION_TYPE_MISMATCH = ("permission-type-mismatch", "", "", ExitCode.INVALID_MANIFEST)
    SECRET_ARN_MALFORMED = ("secret-arn-malformed", "", "", ExitCode.INVALID_MANIFEST)
    TEMPLATE_REFERENCE = ("template-reference", "", "", ExitCode.INVALID_MANIFEST)
    UNKNOWN_DEPENDENCY_TYPE = ("unknown-dependency-type", "", "", ExitCode.INVALID_MANIFEST)
    UNKNOWN_ENVIRONMENT = ("unknown-environment", "", "", ExitCode.INVALID_MANIFEST)
    UNKNOWN_PERMISSION = ("unknown-permission", "", "", ExitCode.INVALID_MANIFEST)
    YAML_TOO_LARGE = ("yaml-too-large", "", "", ExitCode.INVALID_MANIFEST)
