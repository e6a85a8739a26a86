"""What Docker's engine says of a push that failed, or of a build whose base image did not come.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fsd.errors import ErrorCode
from fsd.rollout.denials import advise_denial, find_denial
from fsd.rollout.known_causes import Known, QuotedText, find_known

_DOCKER = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html"
_EXPIRED = "denied: Your authorization token has expired. Reauthenticate and try again."

_ALLOW = (
    "permit the role to push: ecr:InitiateLayerUpload, ecr:UploadLayerPart, "
    "ecr:CompleteLayerUpload, ecr:BatchCheckLayerAvailability, ecr:PutImage in its policy, and in "
    "the repository's policy where the repository is another account's"
)
_REACH = "check that the engine reaches the registry (DNS, proxy, firewall), and run it again"
_NO_ROUTE = r"dial tcp|TLS handshake timeout|connection reset by peer"
_CERTIFICATE = r"x509: certificate"
_FULL = r"no space left on device"
_PRUNE = "free space on the disk of Docker's engine: docker system prune"

PUSH_CAUSES: tuple[Known, ...] = (
    Known(
        code=ErrorCode.IMAGE_TAG_TAKEN,
        words=r"cannot be overwritten because the (?:repository|tag) is immutable",
        fix="use another tag: this repository's tags cannot be moved",
        examples=(
            QuotedText(
                "PUT https://210987654321.dkr.ecr.eu-west-1.amazonaws.com/v2/web/manifests/1: "
                "TAG_INVALID: The image tag '1' already exists in the 'web' repository and "
                "cannot be overwritten because the tag is immutable.",
                "https://github.com/osscontainertools/kaniko/pull/204",
            ),
            QuotedText(
                "tag invalid: The image tag 'latest' already exists in the 'web' repository and "
                "cannot be overwritten because the repository is immutable.",
                "https://github.com/aws/containers-roadmap/issues/862",
            ),
            QuotedText(
                "ERROR: tag invalid: The image tag 'denied-403' already exists in the 'web' "
                "repository and cannot be overwritten because the repository is immutable.",
                "https://github.com/moby/buildkit/issues/3776",
            ),
        ),
    ),
    Known(
        code=ErrorCode.REPOSITORY_NOT_FOUND,
        words=r"name unknown: |NAME_UNKNOWN",
        fix="check the repository's name, the region and the account; create it, or deploy from a "
        "build, which creates it",
        examples=(
            QuotedText(
                "name unknown: The repository with name 'unauthorized' does not exist in the "
                "registry with id '210987654321'",
                "https://github.com/aws-actions/amazon-ecr-login/issues/166",
            ),
            QuotedText(
                "GET https://210987654321.dkr.ecr.eu-west-1.amazonaws.com/v2/web/manifests/v1: "
                "NAME_UNKNOWN: The repository with name 'web' does not exist in the registry with "
                "id '210987654321'",
                "https://github.com/plexsystems/sinker/issues/55",
            ),
        ),
    ),
    Known(
        code=ErrorCode.LOGIN_EXPIRED,
        words=r"authorization token has expired",
        fix="run it again: each push logs in to ECR again; check the machine's clock",
        examples=(QuotedText(_EXPIRED, _DOCKER),),
    ),
    Known(
        code=ErrorCode.PUSH_DENIED,
        words=r"no basic auth credentials|401 Unauthorized|authentication required",
        fix="the registry did not take the login: check that it is of this account and region, and "
        "that the role has ecr:GetAuthorizationToken; run it again",
        examples=(
            QuotedText("no basic auth credentials", "https://github.com/aws/aws-cli/issues/3042"),
            QuotedText(
                "failed to upload image: HEAD https://210987654321.dkr.ecr.eu-west-2.amazonaws.com/"
                "v2/web/blobs/sha256:403: unexpected status code 401 Unauthorized (HEAD responses "
                "have no body, use GET for details)",
                "https://github.com/cloudfoundry/korifi/issues/1720",
            ),
            QuotedText(
                "unauthorized: authentication required",
                "https://github.com/MobSF/Mobile-Security-Framework-MobSF/issues/1179",
            ),
        ),
    ),
    Known(
        code=ErrorCode.PUSH_DENIED,
        words=r"403 Forbidden|HTTP 403 response|not authorized to perform|"
        r"requested access to the resource is denied",
        fix=_ALLOW,
        examples=(
            QuotedText(
                "denied: User: arn:aws:iam::210987654321:user/ci is not authorized to perform: "
                "ecr:InitiateLayerUpload on resource: arn:aws:ecr:eu-west-1:210987654321:repository"
                "/web because no resource-based policy allows the ecr:InitiateLayerUpload action",
                _DOCKER,
            ),
            QuotedText(
                "unexpected status from HEAD request to https://210987654321.dkr.ecr.us-east-1."
                "amazonaws.com/v2/web/blobs/sha256:1: 403 Forbidden",
                "https://github.com/ko-build/terraform-provider-ko/issues/185",
            ),
            QuotedText(
                'failed commit on ref "manifest-sha256:fd": unexpected status from PUT request to '
                "https://210987654321.dkr.ecr.eu-west-2.amazonaws.com/v2/web/manifests/sha256:fd: "
                "403 Forbidden",
                "https://github.com/medic/cht-core/issues/9175",
            ),
            QuotedText(
                'error parsing HTTP 403 response body: unexpected end of JSON input: ""',
                "https://github.com/aws/aws-toolkit-azure-devops/issues/311",
            ),
            QuotedText(
                "denied: requested access to the resource is denied",
                "https://github.com/docker/hub-feedback/issues/1222",
            ),
        ),
        unlike=(QuotedText(_EXPIRED, _DOCKER),),
    ),
    Known(
        code=ErrorCode.PUSH_FAILED,
        words=r"toomanyrequests|429 Too Many Requests|Rate exceeded",
        fix="wait a minute, and run it again: the registry limits requests; ECR's limits are in "
        "Service Quotas",
        examples=(
            QuotedText(
                "toomanyrequests: Rate exceeded",
                "https://github.com/awsdocs/amazon-ecr-user-guide/issues/11",
            ),
            QuotedText(
                "unexpected status from HEAD request to https://registry-1.docker.io/v2/nvidia/cuda/"
                "manifests/12: 429 Too Many Requests",
                "https://github.com/rapidsai/ci-imgs/issues/427",
            ),
            QuotedText("Unknown: Rate exceeded", "https://github.com/mitogen-hq/mitogen/pull/790"),
            QuotedText(
                "toomanyrequests: You have reached your pull rate limit. You may increase the "
                "limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
                "https://github.com/docker/hub-feedback/issues/2429",
            ),
        ),
    ),
    Known(
        code=ErrorCode.PUSH_FAILED,
        words=r"\bEOF$",
        fix="check that the repository exists and that the role may push to it: ECR ends the "
        "connection where it does not; then run it again",
        examples=(
            QuotedText("EOF", "https://github.com/aws/containers-roadmap/issues/1970"),
            QuotedText(
                'failed to do request: Post "https://210987654321.dkr.ecr.eu-west-1.amazonaws.com/'
                'v2/web/blobs/uploads/": EOF',
                "https://github.com/docker/build-push-action/issues/850",
            ),
        ),
    ),
    Known(
        code=ErrorCode.PUSH_FAILED,
        words=_CERTIFICATE,
        fix="make Docker's engine trust the certificate that the registry, or a proxy before it, "
        "presents (/etc/docker/certs.d)",
        examples=(
            QuotedText(
                'failed to do request: Head "https://210987654321.dkr.ecr.ap-southeast-2.amazonaws.'
                'com/v2/web/blobs/sha256:1": tls: failed to verify certificate: x509: certificate '
                "signed by unknown authority",
                "https://github.com/anomalyco/sst/issues/4023",
            ),
        ),
    ),
    Known(
        code=ErrorCode.PUSH_FAILED,
        words=_NO_ROUTE,
        fix=_REACH,
        examples=(
            QuotedText(
                "dial tcp: lookup 210987654321.dkr.ecr.us-east-1.amazonaws.com on 10.0.0.2:53: no "
                "such host",
                "https://docs.docker.com/engine/daemon/troubleshoot/",
            ),
            QuotedText(
                'failed to do request: Head "https://210987654321.dkr.ecr.us-east-1.amazonaws.com/'
                'v2/web/manifests/v1": net/http: TLS handshake timeout',
                "https://github.com/docker/getting-started/issues/294",
            ),
            QuotedText(
                'failed to do request: Head "https://registry.example/v2/web/manifests/v1": read '
                "tcp 192.168.127.130:44148->150.136.252.237:443: read: connection reset by peer",
                "https://github.com/drawdb-io/drawdb/issues/293",
            ),
        ),
    ),
    Known(
        code=ErrorCode.PUSH_FAILED,
        words=r"400 Bad Request|blob upload unknown|manifest blob unknown|unknown blob",
        fix="build and push it again: the registry lacks a layer or refuses the manifest; look at "
        "its quotas of images and layers where it stays",
        examples=(
            QuotedText(
                'failed commit on ref "manifest-sha256:ff": unexpected status: 400 Bad Request',
                "https://github.com/CircleCI-Public/aws-ecr-orb/issues/200",
            ),
            QuotedText(
                "blob upload unknown", "https://github.com/distribution/distribution/issues/1930"
            ),
            QuotedText(
                "manifest blob unknown: blob unknown to registry",
                "https://github.com/docker/for-linux/issues/736",
            ),
            QuotedText("unknown blob", "https://github.com/docker/for-linux/issues/501"),
        ),
    ),
    Known(
        code=ErrorCode.PUSH_FAILED,
        words=_FULL,
        fix=_PRUNE,
        examples=(
            QuotedText(
                "error creating layer with ID 447afa7f4e99: no space left on device",
                "https://github.com/EmbarkStudios/wg-ui/issues/52",
            ),
        ),
    ),
    Known(
        code=ErrorCode.PUSH_DENIED,
        words=r"\bdenied\b",
        fix=_ALLOW,
        examples=(
            QuotedText("denied", "https://github.com/moby/moby/issues/29315"),
            QuotedText(
                "push access denied, repository does not exist or may require authorization: "
                "server message: insufficient_scope: authorization failed",
                "https://github.com/docker/build-push-action/issues/1180",
            ),
        ),
        is_rest=True,
    ),
)

# Only what BuildKit says of the base image: a step's own output may have any words.
_BASE = r"^ERROR: failed to (?:build: failed to )?solve: .*"

BUILD_CAUSES: tuple[Known, ...] = (
    Known(
        code=ErrorCode.BUILD_FAILED,
        words=rf"{_BASE}(?:429 Too Many Requests|toomanyrequests)",
        fix="log in to the registry of the base image for a higher limit of pulls (docker login), "
        "or take it from another one: Docker Hub's official images are in "
        "public.ecr.aws/docker/library too",
        examples=(
            QuotedText(
                "ERROR: failed to solve: docker:20.10: pulling from host registry-1.docker.io "
                "failed with status code [manifests 20.10]: 429 Too Many Requests",
                "https://github.com/addnab/docker-run-action/issues/56",
            ),
            QuotedText(
                "ERROR: failed to solve: alpine:3.13.1: failed to resolve source metadata for "
                "docker.io/library/alpine:3.13.1: failed to copy: httpReadSeeker: failed open: "
                "unexpected status code https://registry-1.docker.io/v2/library/alpine/manifests/"
                "sha256:6: toomanyrequests: You have reached your pull rate limit.",
                "https://github.com/alaegin/Detekt-Action/issues/72",
            ),
        ),
        unlike=(
            QuotedText("#7 12.3 pip: HTTP error 429 Too Many Requests", "https://pypi.org/help/"),
        ),
    ),
    Known(
        code=ErrorCode.BUILD_FAILED,
        words=rf"{_BASE}pull access denied",
        fix="correct FROM or COPY --from: the registry has no such public image, and no stage has "
        "this name; for a private image log in first (docker login)",
        examples=(
            QuotedText(
                "ERROR: failed to solve: builder: failed to resolve source metadata for docker.io/"
                "library/builder:latest: pull access denied, repository does not exist or may "
                "require authorization: server message: insufficient_scope: authorization failed",
                "https://github.com/zhaarey/wrapper/issues/33",
            ),
        ),
    ),
    Known(
        code=ErrorCode.BUILD_FAILED,
        words=rf"{_BASE}(?:401 Unauthorized|403 Forbidden)",
        fix="log in to the registry of the base image: docker login; for ghcr.io with a token that "
        "may read packages; for ECR with aws ecr get-login-password; a login that has expired is "
        "removed by docker logout",
        examples=(
            QuotedText(
                "ERROR: failed to solve: freesurfer/freesurfer:7.4.1: failed to resolve source "
                "metadata for docker.io/freesurfer/freesurfer:7.4.1: failed to authorize: failed "
                "to fetch oauth token: unexpected status from GET request to https://auth.docker.io/"
                "token?scope=x: 401 Unauthorized",
                "https://github.com/skjerns/3dprintedbrain_docker/issues/5",
            ),
            QuotedText(
                "ERROR: failed to solve: ghcr.io/astral-sh/uv:0.7.1: failed to resolve source "
                "metadata for ghcr.io/astral-sh/uv:0.7.1: failed to authorize: failed to fetch "
                "oauth token: unexpected status from GET request to https://ghcr.io/token?scope=x: "
                "403 Forbidden",
                "https://github.com/astral-sh/uv/issues/14513",
            ),
        ),
    ),
    Known(
        code=ErrorCode.BUILD_FAILED,
        words=rf"{_BASE}no match for platform in manifest",
        fix="use a base image that exists for the service's CPU architecture (`service.platform`)",
        examples=(
            QuotedText(
                "ERROR: failed to solve: alpine:latest: failed to resolve source metadata for "
                "docker.io/library/alpine:latest: no match for platform in manifest: not found",
                "https://github.com/xmidt-org/tr1d1um/issues/618",
            ),
        ),
    ),
    Known(
        code=ErrorCode.BUILD_FAILED,
        words=rf"{_BASE}failed to resolve source metadata for (?!.*no match for platform).*: "
        r"not found$",
        fix="correct FROM: the registry has no image of this name and tag",
        examples=(
            QuotedText(
                "ERROR: failed to solve: ghcr.io/celestiaorg/celestia-app-standalone:v3.10.0-rc0: "
                "failed to resolve source metadata for ghcr.io/celestiaorg/celestia-app-standalone:"
                "v3.10.0-rc0: ghcr.io/celestiaorg/celestia-app-standalone:v3.10.0-rc0: not found",
                "https://github.com/celestiaorg/celestia-app/issues/4759",
            ),
        ),
    ),
    Known(
        code=ErrorCode.BUILD_FAILED,
        words=rf"{_BASE}(?:{_NO_ROUTE})",
        fix=_REACH,
        examples=(
            QuotedText(
                "ERROR: failed to solve: python:3.11: failed to resolve source metadata for "
                "docker.io/library/python:3.11: failed to do request: Head "
                '"https://registry-1.docker.io/v2/library/python/manifests/3.11": net/http: '
                "TLS handshake timeout",
                "https://github.com/mozilla/addons/issues/14827",
            ),
            QuotedText(
                "ERROR: failed to solve: node:20-alpine: failed to resolve source metadata for "
                "docker.io/library/node:20-alpine: failed to do request: Head "
                '"https://dockerproxy.com/v2/library/node/manifests/20-alpine?ns=docker.io": '
                "read tcp 192.168.127.130:44148->150.136.252.237:443: read: connection reset "
                "by peer",
                "https://github.com/drawdb-io/drawdb/issues/293",
            ),
            QuotedText(
                "ERROR: failed to solve: python:3.12: failed to resolve source metadata for docker."
                'io/library/python:3.12: failed to do request: Head "https://registry-1.docker.io/'
                'v2/library/python/manifests/3.12": dial tcp: lookup registry-1.docker.io: i/o '
                "timeout",
                "https://github.com/IQSS/dataverse/issues/11239",
            ),
        ),
    ),
    Known(
        code=ErrorCode.BUILD_FAILED,
        words=rf"{_BASE}(?:{_CERTIFICATE})",
        fix="make the builder trust the certificate of the registry, or of a proxy before it",
        examples=(
            QuotedText(
                "ERROR: failed to solve: public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1: failed "
                "to resolve source metadata for public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1: "
                'failed to do request: Get "https://d2glxqk2uabbnd.cloudfront.net/v2/c": tls: '
                "failed to verify certificate: x509: certificate signed by unknown authority",
                "https://github.com/aws/aws-lambda-web-adapter/issues/606",
            ),
        ),
    ),
    Known(
        code=ErrorCode.BUILD_FAILED,
        words=_FULL,
        fix=_PRUNE,
        examples=(
            QuotedText(
                "error creating layer with ID 447afa7f4e99: no space left on device",
                "https://github.com/EmbarkStudios/wg-ui/issues/52",
            ),
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushCause:
    code: ErrorCode
    fix: str  # "" where the text is unknown
    can_pass: bool  # whether the same push may succeed later


def read_push(said: str) -> PushCause:
    """AWS's own clause on a denial says more than a row: whose policy lacks which action."""
    row = find_known(PUSH_CAUSES, said)
    if row is None:
        return PushCause(code=ErrorCode.PUSH_FAILED, fix="", can_pass=True)
    denial = find_denial(said)
    fix = f"{advise_denial(denial)}; {row.fix}" if denial else row.fix
    return PushCause(code=row.code, fix=fix, can_pass=row.code is ErrorCode.PUSH_FAILED)


def advise_build(tail: Sequence[str]) -> str:
    """By what the builder says of the base image, last; "" where a step of the build failed."""
    rows = (find_known(BUILD_CAUSES, line) for line in reversed(tail))
    row = next((row for row in rows if row is not None), None)
    return row.fix if row else ""
