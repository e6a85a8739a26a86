"""What stands in `error[…]` where a command could not do what was asked: one row each, as data.

The error itself says what happened, where, and what to do in this case; a row says what the code
means in every case. Findings and failed deployments have codes too, but more to say: they have
pages and a table of their own. A test holds the rows to the codes that FSD raises.
"""

from __future__ import annotations

from dataclasses import dataclass

from fsd.errors import ExitCode


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    code: str
    meaning: str  # a sentence
    advice: str
    exits: tuple[ExitCode, ...]


def _rows(*rows: tuple[str, str, str], exits: tuple[ExitCode, ...]) -> tuple[ErrorCode, ...]:
    return tuple(
        ErrorCode(code=code, meaning=meaning, advice=advice, exits=exits)
        for code, meaning, advice in rows
    )


_BUG = _rows(
    (
        "internal",
        "FSD has a bug; your service and your manifest are not to blame",
        "run the same with `fsd --debug …` and report what it prints",
    ),
    exits=(ExitCode.BUG,),
)

_USAGE = _rows(
    ("usage", "the command line asks for something that cannot be", "see `--help` of the command"),
    (
        "context-missing",
        "the build context is not a folder",
        "name the folder that holds the Dockerfile with --context",
    ),
    (
        "image-reference",
        "the value of --image is not an image reference",
        "write registry/repository:tag or, better, registry/repository@sha256:…",
    ),
    (
        "release-unknown",
        "no release has this version, commit, digest or revision",
        "`fsd history` lists the releases",
    ),
    (
        "release-ambiguous",
        "more than one release has this version, or a commit that starts so",
        "give the revision, or more characters of the commit",
    ),
    (
        "nothing-to-roll-back-to",
        "the service has no earlier release that succeeded",
        "name a release with --to-version; `fsd history` lists them",
    ),
    (
        "not-found",
        "`fsd init` found nothing in the folder that says a value, and may not ask",
        "say it with the flag that the error names",
    ),
    (
        "local-state-foreign",
        "the folder for the embedded AWS's state has other files, and would be emptied",
        "name a folder that does not exist yet in FSD_LOCAL_STATE",
    ),
    (
        "no-terminal",
        "`fsd init` has questions, and there is no terminal to ask at",
        "take what was found with --yes, or say everything with flags",
    ),
    exits=(ExitCode.USAGE,),
)

_MANIFEST = _rows(
    (
        "manifest-invalid",
        "the Service YAML or the environments file has errors, which are listed",
        "correct what is listed; `fsd explain ID` explains each",
    ),
    (
        "manifest-unreadable",
        "a file is not there, may not be read, or is not UTF-8",
        "name another file, or repair its permissions or its encoding",
    ),
    (
        "manifest-unwritable",
        "`--fix` cannot replace the file, or the file changed while it was checked",
        "allow it and run it again, or see the fixes with --diff",
    ),
    (
        "not-a-workflow",
        "the file has no `jobs:`, so it is not a GitHub workflow",
        "name a file of .github/workflows; a Service YAML is checked with --file",
    ),
    (
        "workflow-unreadable",
        "there is no workflow at this path",
        "name a workflow, or the folder .github/workflows",
    ),
    (
        "load-balancer-subnets",
        "a load balancer needs subnets in two Availability Zones, and there are fewer",
        "name two in .fsd/environments.yml: vpc.privateSubnets, or vpc.publicSubnets for a public "
        "one",
    ),
    (
        "policy-too-long",
        "the role's policy would be longer than IAM allows",
        "list only the actions that the service calls; merge dependencies on the same resource",
    ),
    exits=(ExitCode.INVALID_MANIFEST,),
)

_REFUSED = _rows(
    (
        "outside-checkout",
        "in a workflow, a Service YAML or the environments file is a link to a file outside the "
        "checkout",
        "put the file itself into the repository",
    ),
    ("refused", "FSD refused to make the change", "the error says why"),
    (
        "wrong-account",
        "the credentials belong to another account than the environment's `account`",
        "use the credentials or the roleArn of that account",
    ),
    (
        "environment-protected",
        "a protected environment accepts only commits of its branches, and rolls back only to "
        "releases that succeeded in it",
        "use a clean checkout of a pushed commit of its branches, or a release that succeeded",
    ),
    (
        "promotion-required",
        "the environment accepts only releases that succeeded in the one that `promoteFrom` names",
        "deploy the same commit there first, then promote the same image",
    ),
    (
        "image-changed",
        "the image to deploy is not the one that was checked",
        "run it again; if the error stays, report it",
    ),
    (
        "older-commit",
        "the service runs a newer commit than the one to deploy",
        "deploy the newer commit; go back with `fsd rollback`, or say --allow-older",
    ),
    (
        "health-check-would-end-old-tasks",
        "the running tasks fail the release's health check, and ECS would stop them",
        "answer the new check in one release, and move the check in the next; or use "
        "--allow-interruption",
    ),
    (
        "deployment-in-flight",
        "another deployment of the service is still in flight; a second one would undo it",
        "wait for it with --wait-for-lock, or take over with --supersede",
    ),
    (
        "outside-capacity",
        "auto scaling would undo a number of tasks outside its bounds",
        "change minCapacity and maxCapacity in the manifest, and deploy it",
    ),
    (
        "confirmation-needed",
        "a service is deleted only after you type its name",
        "type the name, or say --yes",
    ),
    (
        "file-exists",
        "`fsd init` does not overwrite files",
        "validate the existing file, or name another one",
    ),
    (
        "cannot-write",
        "`fsd init` cannot write here, or would write outside the folder",
        "make the folder writable, or name another one",
    ),
    (
        "event-refused",
        "the Action does not deploy for this event of GitHub",
        "the error names the event and what to use instead",
    ),
    exits=(ExitCode.REFUSED,),
)

_AWS = _rows(
    (
        "call-failed",
        "a call to AWS, Docker or GitHub failed",
        "the error quotes the answer; run it again if it looks temporary",
    ),
    (
        "access-denied",
        "AWS denies a call to the role or user that runs FSD",
        "allow the action that the error names in a policy of that role or user",
    ),
    (
        "throttled",
        "AWS throttles the calls, even after FSD retried them",
        "wait a minute, and run it again",
    ),
    (
        "no-credentials",
        "there are no AWS credentials",
        "sign in with `aws sso login` or AWS_PROFILE; in GitHub Actions set role-to-assume; "
        "`--env local` needs none",
    ),
    ("credentials-expired", "the AWS credentials have expired", "sign in again: aws sso login"),
    (
        "credentials-invalid",
        "AWS does not know the credentials, or the machine's clock is wrong",
        "sign in again; check the clock",
    ),
    (
        "profile-not-found",
        "AWS_PROFILE names a profile that does not exist",
        "correct AWS_PROFILE, or add the profile: aws configure sso",
    ),
    (
        "no-region",
        "no AWS region is set",
        "set AWS_REGION, or `region` of the environment",
    ),
    (
        "region-disabled",
        "the region is not enabled for the account",
        "enable it for the account, or use another one",
    ),
    (
        "endpoint-unreachable",
        "AWS cannot be reached from here",
        "check the network, the region's name and AWS_ENDPOINT_URL",
    ),
    ("connection-lost", "the connection to AWS broke", "run it again"),
    (
        "tls-failed",
        "the TLS certificate of the answer is not trusted",
        "check the machine's certificates, the proxy and AWS_CA_BUNDLE",
    ),
    ("aws-unavailable", "AWS failed on its own side", "run it again; see the AWS Health Dashboard"),
    (
        "quota-exceeded",
        "the account has reached a quota",
        "ask for a higher one in Service Quotas, or remove what is not used",
    ),
    (
        "health-check-not-tried",
        "the release's health check could not be tried on the running tasks",
        "run it again, or take the risk with --allow-interruption; nothing was changed",
    ),
    (
        "changed-meanwhile",
        "somebody else changed the same resource in the meantime",
        "run it again",
    ),
    (
        "assume-role-denied",
        "the role may not be assumed: its trust policy does not name this caller or workflow",
        "add the `sub` of the workflow's token, or the caller, to the role's trust policy",
    ),
    (
        "identity-token-missing",
        "the job is not allowed to request an identity token from GitHub",
        "give the job `permissions: id-token: write`",
    ),
    ("identity-token-failed", "GitHub did not issue an identity token", "run the job again"),
    (
        "identity-token-refused",
        "AWS refuses the identity token: its issuer or its audience is not known there",
        "make token.actions.githubusercontent.com an IAM OIDC provider of the account",
    ),
    (
        "role-arn-invalid",
        "the role to assume is not the ARN of a role",
        "write arn:aws:iam::ACCOUNT:role/NAME in `role-to-assume` or `roleArn`",
    ),
    (
        "identity-provider-unreachable",
        "AWS could not fetch the keys of the identity token's issuer",
        "run it again; the issuer of the IAM OIDC provider must be reachable from the internet",
    ),
    (
        "role-not-assumable",
        "an AWS service is not allowed to assume the role",
        "let the role's trust policy name that service; a new role needs some seconds",
    ),
    (
        "account-blocked",
        "AWS has blocked the account, or is still checking it",
        "contact AWS Support",
    ),
    (
        "permissions-changed",
        "an AWS service has lost permissions that it had",
        "restore the permissions of its service-linked role",
    ),
    (
        "network-setting-invalid",
        "a subnet or security group does not exist, or does not fit the others",
        "correct the subnets and security groups in .fsd/environments.yml",
    ),
    (
        "target-group-missing",
        "the target group is gone, or no listener forwards to it",
        "deploy again: the stack owns the load balancer, its listener and its target group",
    ),
    (
        "target-missing",
        "the service is not registered as a scalable target with Application Auto Scaling",
        "deploy again, which registers it",
    ),
    (
        "task-not-compatible",
        "the task definition is not compatible with the launch type or the target group",
        "the error says what is not compatible",
    ),
    ("cluster-not-found", "the ECS cluster does not exist", "correct `cluster` of the environment"),
    ("service-not-active", "the ECS service is being deleted", "deploy it again: fsd deploy"),
    (
        "deployment-not-found",
        "ECS accepted a change but lists no deployment for it",
        "run it again: it attaches to the deployment, or converges",
    ),
    (
        "repository-not-found",
        "the ECR repository does not exist",
        "deploy from a build, which creates it, or create it",
    ),
    (
        "image-tag-taken",
        "the tag belongs to another image, and the repository's tags are immutable",
        "use another tag",
    ),
    (
        "image-elsewhere",
        "some layers of the image are not in this repository",
        "copy the whole image into it first: crane copy",
    ),
    (
        "image-not-found",
        "the image is not in the registry",
        "push it first, or let FSD build it: leave --image out",
    ),
    ("image-archived", "the image is archived, and ECS cannot pull it", "restore it in ECR"),
    (
        "image-digest-changed",
        "ECR stored a different image than the one that was pushed",
        "push it again, and deploy the digest that the push prints",
    ),
    (
        "stack-failed",
        "CloudFormation could not make the change and rolled it back",
        "the error quotes the resource's own reason; nothing was released",
    ),
    (
        "stack-refused",
        "CloudFormation rejected the change before it began",
        "correct what the reason names; nothing was changed",
    ),
    (
        "drift-unknown",
        "CloudFormation could not compare the stack with its template",
        "give the role that asks read access to what the reason names",
    ),
    (
        "stack-stuck",
        "the stack is in a state that CloudFormation cannot leave by itself",
        "continue its rollback, or delete it",
    ),
    (
        "stack-not-ours",
        "a stack of this name was not made by FSD",
        "rename or delete it, or choose another service name",
    ),
    (
        "stack-output-missing",
        "the stack lacks an output that FSD gave it",
        "somebody else changed the stack: delete it and deploy again",
    ),
    (
        "template-too-long",
        "the stack's template is longer than CloudFormation allows",
        "grant fewer single permissions, or split the service",
    ),
    (
        "vpc-not-found",
        "no VPC was found for the environment",
        "name it in .fsd/environments.yml: vpc.id, or tag it fsd:environment",
    ),
    (
        "vpc-ambiguous",
        "more than one VPC matches the environment",
        "name it in .fsd/environments.yml: vpc.id",
    ),
    (
        "no-subnets",
        "the VPC has no subnet of the required kind",
        "name them in .fsd/environments.yml: vpc.privateSubnets, vpc.publicSubnets",
    ),
    exits=(ExitCode.CALL_FAILED,),
)

_IMAGE = _rows(
    (
        "docker-unavailable",
        "no Docker engine is reachable, or the docker command is missing",
        "start Docker, or build elsewhere and pass --image",
    ),
    (
        "dockerfile-missing",
        "there is no Dockerfile",
        "write one, name another with --dockerfile, or pass --image",
    ),
    ("dockerfile-unreadable", "the Dockerfile is not a text file", "name one with --dockerfile"),
    ("dockerfile-invalid", "a line of the Dockerfile cannot be parsed", "correct that line"),
    (
        "dockerignore-invalid",
        "`.dockerignore` is not a text file, or has a pattern that Docker rejects",
        "correct the line that the error names",
    ),
    (
        "context-unreadable",
        "a file or folder of the build context cannot be read, or changed while it was read",
        "exclude it in .dockerignore, or make it readable",
    ),
    (
        "context-too-large",
        "the build context has more than 20 GiB",
        "exclude large files in .dockerignore",
    ),
    (
        "build-failed",
        "docker build ended with an error",
        "fix the step that its last lines name",
    ),
    ("push-failed", "the registry did not accept the image", "run it again"),
    (
        "login-expired",
        "the login to the registry expired before the push was complete",
        "run it again: each push logs in anew",
    ),
    (
        "push-denied",
        "the registry does not allow this role to push",
        "allow the actions that the error names, on this repository",
    ),
    (
        "git-refused",
        "git cannot read the folder, so the image's tag cannot be determined",
        "run the git command that the error names, and fix what it reports",
    ),
    exits=(ExitCode.CALL_FAILED,),
)

_GITHUB = _rows(
    ("github-call-failed", "GitHub rejected a call", "the error says which permission it needs"),
    ("github-unreachable", "GitHub does not answer", "run the job again"),
    (
        "runner-file",
        "the runner's file for outputs cannot be written",
        "check that no earlier step removed it, and that the disk is not full",
    ),
    exits=(ExitCode.CALL_FAILED,),
)

_LOCAL = _rows(
    ("local-not-running", "the embedded AWS is not running", "fsd local up"),
    ("local-start-failed", "the embedded AWS stopped while it was starting", "fsd local up"),
    (
        "local-no-answer",
        "the embedded AWS does not answer",
        "fsd local down, then fsd local up",
    ),
    (
        "local-call-failed",
        "the embedded AWS returned an internal error",
        "fsd local down, then fsd local up",
    ),
    (
        "local-extra-missing",
        "the parts of the embedded AWS are not installed",
        "pip install 'fsd-deploy[local]'",
    ),
    ("port-in-use", "another process uses the port", "choose another, or leave --port out"),
    exits=(ExitCode.CALL_FAILED,),
)

_ENDINGS = (
    *_rows(
        (
            "service-not-found",
            "the ECS service does not exist in the cluster",
            "check --service and --env, or deploy it first",
        ),
        exits=(ExitCode.USAGE, ExitCode.CALL_FAILED),
    ),
    *_rows(
        (
            "timed-out",
            "the timeout was reached; ECS continues by itself",
            "fsd status --watch shows it",
        ),
        exits=(ExitCode.TIMED_OUT,),
    ),
    *_rows(
        (
            "interrupted",
            "a signal ended the command; ECS continues by itself",
            "the same `fsd deploy` again attaches to the deployment in flight",
        ),
        exits=(ExitCode.INTERRUPTED, ExitCode.TERMINATED),
    ),
)

ERROR_CODES = (
    *_BUG,
    *_USAGE,
    *_MANIFEST,
    *_REFUSED,
    *_AWS,
    *_IMAGE,
    *_GITHUB,
    *_LOCAL,
    *_ENDINGS,
)
