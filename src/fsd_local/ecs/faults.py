"""The errors that the API answers with. Each code is one that botocore's model of ECS has."""

from __future__ import annotations


class ApiError(Exception):
    """HTTP 400 with `__type` and `message`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)


def client(message: str) -> ApiError:
    return ApiError("ClientException", message)


def cluster_not_found() -> ApiError:
    return ApiError("ClusterNotFoundException", "Cluster not found.")


def service_not_found() -> ApiError:
    return ApiError("ServiceNotFoundException", "Service not found.")


def platform_unknown() -> ApiError:
    return ApiError("PlatformUnknownException", "The specified platform version doesn't exist.")


def namespace_not_found() -> ApiError:
    return ApiError("NamespaceNotFoundException", "The specified namespace wasn't found.")


def unsupported(message: str) -> ApiError:
    return ApiError("UnsupportedFeatureException", message)


def unmatched_volume(name: str) -> ApiError:
    """Of CreateService, UpdateService or RunTask: no definition here is configured at launch."""
    return invalid(
        f"The volume name '{name}' in your request does not have a matching volume in your Task "
        "Definition"
    )
