"""Why an image could not be pulled. Its registry decides the advice.

`<ecr>` is this account's ECR, or one of which nobody knows whose; `<ecr-other>` another account's.
"""

from __future__ import annotations

from fsd.rollout.failure import DENIED, ENDPOINTS, GUIDE, NAT, PULL, STOPPED, UNREACHABLE, Failure
from fsd.rollout.known_causes import QuotedText
from fsd.rollout.reasons import TaskStage

_ECS_AGENT = "https://github.com/aws/amazon-ecs-agent/tree/master/ecs-agent/api/errormessages"
_PRIVATE = f"{GUIDE}/private-auth.html"
_CACHE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html"

_IMAGE = (TaskStage.IMAGE,)
_OUTSIDE = r"<(?:docker-hub|ghcr|ecr-public|registry)>"
_LAYERS = r"failed to copy|<s3>"
_LIMIT = r"toomanyrequests|429 Too Many|Rate exceeded"
_EXPIRED = r"authorization token has expired"
_PLATFORM = (
    r"no match(?:ing manifest)? for|descriptor matching platform|"
    r"not match the [\w ]*platform|cannot be used on this platform"
)
_MISSING = r"not found|manifest unknown|does not exist|check whether the image exists"
_NO_ROUTE = rf"{UNREACHABLE}|signal: killed"
_RIGHTS = "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and ecr:GetAuthorizationToken"

IMAGE_FAILURES: tuple[Failure, ...] = (
    Failure(
        code="image-platform-mismatch",
        stages=_IMAGE,
        pattern=_PLATFORM,
        summary="the image was built for another CPU architecture",
        advice="build it for `service.platform` (X86_64 or ARM64)",
        after=1,
        example="CannotPullContainerError: image manifest does not contain descriptor matching "
        "platform 'linux/amd64'",
        source=PULL,
        also=(
            QuotedText("CannotPullContainerError: no matching manifest for linux/amd64", PULL),
            QuotedText(
                "CannotPullContainerError: no match for platform in manifest: not found",
                "https://github.com/uraimo/run-on-arch-action/issues/150",
            ),
            QuotedText(
                "CannotPullContainerError: The requested image's platform (linux/arm64) does not "
                "match the detected host platform (linux/amd64)",
                "https://docs.docker.com/build/building/multi-platform/",
            ),
            QuotedText(
                'CannotPullContainerError: image operating system "windows" cannot be used on this '
                "platform",
                "https://docs.docker.com/build/building/multi-platform/",
            ),
        ),
    ),
    Failure(
        code="image-platform-mismatch",
        pattern=r"exec format error",
        summary="the image was built for another CPU architecture",
        advice="build it for `service.platform` (X86_64 or ARM64)",
        after=1,
        example="CannotStartContainerError: exec /usr/local/bin/python: exec format error",
        source=STOPPED,
        also=(
            QuotedText(
                "CannotStartContainerError: standard_init_linux.go:228: exec user process "
                "caused: exec format error",
                "https://github.com/aws-observability/aws-otel-collector/issues/784",
            ),
        ),
    ),
    Failure(
        code="disk-full",
        pattern=r"no space left on device|disk quota exceeded",
        summary="the task's disk is full",
        advice="make the image smaller, or give the task more ephemeral storage (Fargate's "
        "default is 20 GiB, and the unpacked image counts toward it)",
        after=2,
        example="CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract "
        "layer sha256:1: write /usr/lib/x: no space left on device",
        source=f"{GUIDE}/fargate-task-storage.html",
        also=(
            QuotedText(
                "CannotPullContainerError: failed to register layer: disk quota exceeded",
                "https://github.com/hectorm/docker-xubuntu/issues/9",
            ),
        ),
    ),
    Failure(
        code="image-pull-rate-limit",
        stages=_IMAGE,
        pattern=_LIMIT,
        unless=r"<(?:ecr-public|ecr-other|ecr|ghcr|registry)>",
        summary="the registry limits the number of pulls",
        advice="push the image to ECR, use a pull-through cache, or add Docker Hub credentials "
        "(repositoryCredentials), which have a higher limit",
        after=None,
        example="CannotPullContainerError: toomanyrequests: You have reached your pull rate limit",
        source=PULL,
        also=(
            QuotedText(
                "CannotPullContainerError: ERROR: toomanyrequests: Too Many Requests.", PULL
            ),
            QuotedText(
                "CannotPullContainerError: inspect image has been retried 5 time(s): "
                "httpReaderSeeker: failed open: unexpected status code https://registry-1.docker.io"
                "/v2/library/nginx/manifests/sha256:1: 429 Too Many Requests",
                "https://github.com/apptension/saas-boilerplate/issues/204",
            ),
            QuotedText("CannotPullContainerError: Rate exceeded", PULL),
        ),
    ),
    Failure(
        code="image-pull-rate-limit",
        stages=_IMAGE,
        where="<ecr-public>",
        pattern=_LIMIT,
        summary="ECR Public limits the number of pulls without a login",
        advice="use an ECR pull-through cache for public.ecr.aws, or push the image to this "
        "account's ECR",
        after=None,
        example="CannotPullContainerError: failed to resolve ref public.ecr.aws/docker/library/"
        "redis:7: toomanyrequests: Rate exceeded",
        source="https://github.com/aws/aws-lambda-web-adapter/issues/429",
    ),
    Failure(
        code="image-pull-rate-limit",
        stages=_IMAGE,
        where=r"<ecr(?:-other)?>",
        pattern=_LIMIT,
        summary="ECR throttles this account's calls",
        advice="wait: ECS retries on its own; if it happens often, start fewer tasks at once, or "
        "request a higher ECR quota in the Service Quotas console",
        after=None,
        example="CannotPullContainerError: failed to resolve ref 210987654321.dkr.ecr.eu-west-1."
        "amazonaws.com/web:1: toomanyrequests: Rate exceeded",
        source="https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors.html",
    ),
    Failure(
        code="image-pull-rate-limit",
        stages=_IMAGE,
        where=r"<(?:ghcr|registry)>",
        pattern=_LIMIT,
        summary="the registry limits the number of pulls",
        advice="push the image to ECR, or add credentials for the registry (repositoryCredentials)",
        after=None,
        example="CannotPullContainerError: failed to resolve ref ghcr.io/org/web:1: unexpected "
        "status code: 429 Too Many Requests",
        source=_PRIVATE,
    ),
    Failure(
        code="network-unreachable",
        stages=_IMAGE,
        where=rf"{_LAYERS}|panic: runtime error",
        pattern=rf"{UNREACHABLE}|panic: runtime error",
        unless=_OUTSIDE,
        summary="the image's layers could not be fetched from S3",
        advice="ECR keeps layers in S3: give the subnets' route table the s3 gateway endpoint or "
        "a NAT gateway, and allow port 443 in the security group's egress",
        after=2,
        example="CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: "
        "httpReadSeeker: failed open: failed to do request: Get 210987654321.dkr.ecr.eu-west-1."
        "amazonaws.com/web:1: dial tcp 52.1.2.3:443: i/o timeout",
        source=PULL,
        also=(
            QuotedText(
                "CannotPullContainerError: error pulling image configuration: Get "
                "https://prod-us-east-1-starport-layer-bucket.s3.amazonaws.com/1: dial tcp: "
                "i/o timeout",
                "https://github.com/aws-quickstart/quickstart-amazon-eks/pull/52",
            ),
            QuotedText(
                "CannotPullContainerError: pull command failed: panic: runtime error: invalid "
                "memory address or nil pointer dereference",
                PULL,
            ),
        ),
        unlike=(
            QuotedText(
                "CannotPullContainerError: failed to copy: httpReadSeeker: failed open: failed to "
                'do request: Get "https://production.cloudflare.docker.com/registry-v2/docker/'
                'registry/v2/blobs/sha256/1d/data": dial tcp 104.16.1.1:443: i/o timeout',
                "https://github.com/docker/build-push-action/issues/1162",
            ),
        ),
    ),
    Failure(
        code="image-pull-denied",
        stages=_IMAGE,
        where="<s3>",
        pattern="403 Forbidden",
        summary="the task is not allowed to read the image's layers from S3",
        advice="allow s3:GetObject in the policy of the S3 gateway endpoint, on ECR's bucket, "
        "arn:aws:s3:::prod-REGION-starport-layer-bucket/*",
        after=2,
        example="CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: "
        "httpReadSeeker: failed open: unexpected status code https://prod-us-east-1-starport-layer-"
        "bucket.s3.us-east-1.amazonaws.com/1: 403 Forbidden",
        source="https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",
    ),
    Failure(
        code="network-unreachable",
        stages=_IMAGE,
        where=_OUTSIDE,
        pattern=_NO_ROUTE,
        summary="the task has no route to the image's registry",
        advice=f"{NAT}: there is no VPC endpoint for a registry outside of AWS; or push the image "
        "to ECR",
        after=2,
        example="CannotPullContainerError: failed to resolve ref docker.io/library/nginx:1: failed "
        'to do request: Head "https://registry-1.docker.io/v2/": dial tcp 44.2.6.7:443: i/o '
        "timeout",
        source=PULL,
        also=(
            QuotedText(
                "CannotPullContainerError: failed to copy: httpReadSeeker: failed open: failed "
                "to do request: Get "
                '"https://docker-images-prod.6aa30f.r2.cloudflarestorage.com/registry-v2/docker'
                '/registry/v2/blobs/sha256/33/data?X-Amz-Expires=1200": dial tcp: lookup '
                "docker-images-prod.6aa30f.r2.cloudflarestorage.com: no such host",
                "https://github.com/docker/for-mac/issues/7782",
            ),
            QuotedText(
                "CannotPullContainerError: Error response from daemon: Get "
                '"https://registry-1.docker.io/v2/": context deadline exceeded',
                "https://github.com/langgenius/dify/issues/17476",
            ),
            QuotedText(
                "CannotPullContainerError: Error response from daemon: Get "
                '"https://public.ecr.aws/v2/": net/http: TLS handshake timeout',
                "https://github.com/kuaifan/dootask/issues/262",
            ),
            QuotedText(
                "CannotPullContainerError: Error response from daemon: Get "
                '"https://registry-1.docker.io/v2/": read tcp '
                "192.168.1.198:55070->54.227.20.253:443: read: connection reset by peer",
                "https://github.com/nilsherzig/LLocalSearch/issues/6",
            ),
            QuotedText(
                "CannotPullContainerError: error pulling image configuration: Get "
                "https://dseasb33srnrn.cloudfront.net/registry-v2/docker/registry/v2/blobs/sha2"
                "56/36/data?Expires=1: read tcp 10.0.2.15:35436->52.222.149.173:443: read: "
                "connection reset by peer",
                "https://github.com/moby/moby/issues/27734",
            ),
            QuotedText(
                "CannotPullContainerError: Error response from daemon: Get https://registry-1."
                "docker.io/v2/: net/http: request canceled while waiting for connection "
                "(Client.Timeout exceeded while awaiting headers)",
                PULL,
            ),
            QuotedText(
                "CannotPullContainerError: failed to copy: httpReadSeeker: failed open: failed to "
                'do request: Get "https://production.cloudflare.docker.com/registry-v2/docker/'
                'registry/v2/blobs/sha256/1d/data": dial tcp 104.16.1.1:443: i/o timeout',
                "https://github.com/docker/build-push-action/issues/1162",
            ),
        ),
    ),
    Failure(
        code="network-unreachable",
        stages=_IMAGE,
        pattern=_NO_ROUTE,
        unless=rf"{_OUTSIDE}|{_LAYERS}",
        summary="the task has no route to the image's registry",
        advice=f"{NAT}; or add {ENDPOINTS}",
        after=2,
        example="CannotPullContainerError: dial tcp 10.0.0.1:443: i/o timeout",
        source=PULL,
        also=(
            QuotedText(
                "CannotPullContainerError: API error (500): Get "
                "https://210987654321.dkr.ecr.eu-west-1.amazonaws.com/v2/: net/http: request "
                "canceled while waiting for connection (Client.Timeout exceeded while awaiting "
                "headers)",
                "https://github.com/aws/amazon-ecs-agent/issues/1680",
            ),
            QuotedText(
                "CannotPullContainerError: The task can’t pull the image. Check your network "
                "configuration",
                PULL,
            ),
            QuotedText("CannotPullContainerError: context canceled", PULL),
            QuotedText("CannotPullContainerError: pull command failed: : signal: killed", PULL),
        ),
    ),
    Failure(
        code="login-expired",
        stages=_IMAGE,
        pattern=_EXPIRED,
        summary="the login to the registry has expired",
        advice="deploy again: ECS logs in again for each task",
        after=2,
        example="CannotPullContainerError: denied: Your authorization token has expired. "
        "Reauthenticate and try again.",
        source="https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html",
        also=(
            QuotedText(
                "CannotPullContainerError: pull access denied for "
                "public.ecr.aws/bitnami/golang, repository does not exist or may require "
                "'docker login': denied: Your authorization token has expired. Reauthenticate "
                "and try again.",
                "https://github.com/awslabs/amazon-ecr-credential-helper/issues/286",
            ),
            QuotedText(
                "CannotPullContainerError: pull access denied for "
                "310987654321.dkr.ecr.eu-west-1.amazonaws.com/web, repository does not exist "
                "or may require 'docker login': denied: Your authorization token has expired. "
                "Reauthenticate and try again.",
                "https://github.com/aws/aws-cli/issues/6580",
            ),
        ),
    ),
    Failure(
        code="image-not-found",
        stages=_IMAGE,
        pattern=r"normalize image reference|invalid reference format",
        summary="the image's name is not valid",
        advice="correct the image: registry/repository:tag or registry/repository@sha256:…",
        after=1,
        example='InternalError: failed to normalize image reference "Dockerfile"',
        source="https://github.com/aws/copilot-cli/issues/2584",
        also=(QuotedText("CannotPullContainerError: invalid reference format", PULL),),
    ),
    Failure(
        code="image-pull-denied",
        stages=_IMAGE,
        where="<ghcr>",
        pattern=DENIED,
        summary="ghcr.io refuses the pull: the package does not exist, or is private",
        advice="make the package public, or add credentials with a token that can read packages "
        "(repositoryCredentials of the task definition), or push the image to ECR",
        after=1,
        example="CannotPullContainerError: failed to resolve ref ghcr.io/org/web:1: failed to "
        "authorize: failed to fetch anonymous token: unexpected status from GET request to "
        "https://ghcr.io/token?scope=x: 401 Unauthorized",
        source=_PRIVATE,
        also=(
            QuotedText(
                'CannotPullContainerError: Error response from daemon: Head "https://ghcr.io/v2/org/'
                'web/manifests/1": denied: denied',
                "https://github.com/konpyutaika/nifikop/issues/273",
            ),
        ),
    ),
    Failure(
        code="image-pull-denied",
        stages=_IMAGE,
        where="<ecr-public>",
        pattern=DENIED,
        unless=_EXPIRED,
        summary="ECR Public refuses the pull: there is no such repository",
        advice="check the image's name in the Amazon ECR Public Gallery: its images need no "
        "permission",
        after=1,
        example="CannotPullContainerError: pull access denied for public.ecr.aws/org/web, "
        "repository does not exist or may require 'docker login'",
        source="https://docs.aws.amazon.com/AmazonECR/latest/public/public-troubleshooting.html",
    ),
    Failure(
        code="image-pull-denied",
        stages=_IMAGE,
        where=r"<(?:docker-hub|registry)>|requested access to the resource is denied",
        pattern=DENIED,
        summary="the registry refuses the pull: the image does not exist, or is private",
        advice="check the repository's name; for a private one, add credentials "
        "(repositoryCredentials of the task definition), or push the image to ECR",
        after=1,
        example="CannotPullContainerError: inspect image has been retried 1 time(s): failed to "
        'resolve ref "docker.io/org/web:1": unexpected status code [manifests 1]: 403 Forbidden',
        source=_PRIVATE,
        also=(
            QuotedText(
                "CannotPullContainerError: Error reading manifest latest in quay.io/org/web: "
                "unauthorized: access to the requested resource is not authorized",
                "https://github.com/stolostron/deploy/issues/2",
            ),
            QuotedText(
                "CannotPullContainerError: The task can’t pull the image. Check whether the image "
                "exists. Error response from daemon: pull access denied for some/nonsense, "
                "repository does not exist or may require 'docker login': denied: requested access "
                "to the resource is denied",
                _ECS_AGENT,
            ),
        ),
    ),
    Failure(
        code="image-pull-denied",
        stages=_IMAGE,
        where="<ecr-other>",
        pattern=DENIED,
        unless=_EXPIRED,
        summary="another account's ECR repository does not let this account pull",
        advice=f"allow this account {_RIGHTS.partition(' and ')[0]} in that repository's policy, "
        f"and {_RIGHTS} in the execution role",
        after=1,
        example="CannotPullContainerError: failed to resolve ref 310987654321.dkr.ecr.eu-west-1."
        "amazonaws.com/web:1: unexpected status from HEAD request to https://310987654321.dkr.ecr."
        "eu-west-1.amazonaws.com/v2/web/manifests/1: 403 Forbidden",
        source="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples"
        ".html",
    ),
    Failure(
        code="image-pull-denied",
        stages=_IMAGE,
        pattern=DENIED,
        unless=rf"{_OUTSIDE}|<ecr-other>|<s3>|{_LIMIT}|{_EXPIRED}|"
        "requested access to the resource is denied",
        summary="the execution role is not allowed to pull the image",
        advice=f"allow {_RIGHTS} in the execution role; if the image is in another account, that "
        "repository's policy must allow the pull too",
        after=1,
        example="CannotPullContainerError: pull access denied for offer-api, repository does not "
        "exist or may require 'docker login'",
        source=PULL,
        also=(
            QuotedText(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
                "failed to resolve ref "
                "210987654321.dkr.ecr.eu-west-1.amazonaws.com/otel-collector:latest@sha256:863:"
                " unexpected status from HEAD request to "
                "https://210987654321.dkr.ecr.eu-west-1.amazonaws.com/v2/otel-collector/blobs/s"
                "ha256:863: 403 Forbidden",
                "https://github.com/aws/containers-roadmap/issues/2493",
            ),
            QuotedText(
                "CannotPullContainerError: Error response from daemon: Get "
                "https://210987654321.dkr.ecr.eu-west-1.amazonaws.com/v2/web/manifests/latest: "
                "no basic auth credentials",
                "https://github.com/awslabs/amazon-ecr-credential-helper/issues/14",
            ),
            QuotedText(
                "CannotPullContainerError: API error (404): pull access denied for "
                "210987654321.dkr.ecr.eu-west-1.amazonaws.com/myecr, repository does not exist "
                "or may require 'docker login'",
                "https://github.com/aws/aws-cdk/issues/1272",
            ),
            QuotedText(
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed "
                "to resolve ref 210987654321.dkr.ecr.us-east-1.amazonaws.com/web:latest: pulling "
                "from host 210987654321.dkr.ecr.us-east-1.amazonaws.com failed with status code "
                "[manifests latest]: 403 Forbidden",
                PULL,
            ),
        ),
    ),
    Failure(
        code="image-not-found",
        stages=_IMAGE,
        where=_OUTSIDE,
        pattern=_MISSING,
        unless=rf"{_PLATFORM}|{DENIED}|{_NO_ROUTE}",
        summary="the registry has no image with this name",
        advice="check the image's name and its tag or digest in the registry",
        after=1,
        example="CannotPullContainerError: failed to resolve ref docker.io/library/nginx:nope: "
        "docker.io/library/nginx:nope: not found",
        source="https://github.com/celestiaorg/celestia-app/issues/4759",
    ),
    Failure(
        code="image-not-found",
        stages=_IMAGE,
        pattern=_MISSING,
        unless=rf"{_OUTSIDE}|{_PLATFORM}|{DENIED}|{_NO_ROUTE}",
        summary="the image does not exist",
        advice="check that the digest is in the repository: a lifecycle policy may have removed it",
        after=1,
        example="CannotPullContainerError: failed to resolve ref offer-api@sha256:9b1f2c: not "
        "found",
        source=PULL,
        also=(
            QuotedText(
                "CannotPullContainerError: Error response from daemon: manifest unknown",
                "https://github.com/devcontainers/template-starter/issues/50",
            ),
            QuotedText(
                "CannotPullContainerError: Error response from daemon: manifest for "
                "nginx:0f6b3cdf5e24 not found",
                "https://github.com/CircleCI-Public/circleci-demo-aws-ecs-ecr/issues/4",
            ),
            QuotedText(
                "CannotPullContainerError: API error (404): repository "
                "210987654321.dkr.ecr.eu-west-1.amazonaws.com/deploy-ecs-basic not found",
                "https://github.com/Shippable/support/issues/4234",
            ),
            QuotedText(
                "CannotPullContainerError: name unknown: The repository with name 'service-t' "
                "does not exist in the registry with id '210987654321'",
                "https://github.com/aws-actions/amazon-ecr-login/issues/166",
            ),
            QuotedText(
                "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed "
                "to resolve ref 229816860325.dkr.ecr.us-east-1.amazonaws.com/web:nonexistent-tag: "
                "229816860325.dkr.ecr.us-east-1.amazonaws.com/web:nonexistent-tag: not found",
                "https://github.com/aws/aws-cdk-cli/pull/1505",
            ),
            QuotedText(
                "CannotPullContainerError: Error: image my-app:1.0 not found",
                "https://github.com/aws/amazon-ecs-agent/issues/308",
            ),
            QuotedText(
                "CannotPullContainerError: The task can’t pull the image. Check whether the image "
                "exists.",
                _ECS_AGENT,
            ),
        ),
    ),
    Failure(
        code="image-pull-failed",
        stages=_IMAGE,
        pattern=r"layers and diffIDs|unexpected EOF|failed commit on ref|invalid tar",
        summary="the image is broken",
        advice="build and push the image again",
        after=2,
        example="CannotPullContainerError: ref pull has been retried 1 time(s): number of layers "
        "and diffIDs don't match: 3 != 15",
        source=PULL,
        also=(
            QuotedText(
                "CannotPullContainerError: failed to register layer: Error processing tar "
                "file(exit status 1): unexpected EOF",
                "https://github.com/sickcodes/Docker-OSX/issues/314",
            ),
            QuotedText(
                "CannotPullContainerError: failed to register layer: archive/tar: invalid tar "
                "header",
                "https://github.com/n8n-io/n8n/issues/24193",
            ),
            QuotedText(
                'CannotPullContainerError: failed commit on ref "layer-sha256:1d": unexpected '
                "commit digest sha256:2e, expected sha256:1d: failed precondition",
                "https://github.com/containerd/containerd/issues/1893",
            ),
        ),
    ),
    Failure(
        code="image-pull-failed",
        stages=_IMAGE,
        pattern=r".",
        summary="the image could not be pulled",
        advice="deploy again once the registry works; ECS's message quotes its answer",
        after=2,
        example="CannotPullContainerError: API error",
        source=PULL,
        is_rest=True,
    ),
)
