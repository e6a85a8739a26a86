"""Service Quotas, as far as a deployment asks: how many virtual CPUs Fargate gives an account, and
how many load balancers and target groups it may have.

An increase is granted as it is asked for, which on AWS takes a person and a day.
https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
"""

from __future__ import annotations

from typing import Any

TARGET_PREFIX = "ServiceQuotasV20190624"
# (service, quota) → its name and what a new account has.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
_QUOTAS = {
    ("fargate", "L-3032A538"): ("Fargate On-Demand vCPU resource count", 6.0),
    ("elasticloadbalancing", "L-53DA6B97"): ("Application Load Balancers per Region", 50.0),
    ("elasticloadbalancing", "L-69A177A2"): ("Network Load Balancers per Region", 50.0),
    ("elasticloadbalancing", "L-B22855CB"): ("Target Groups per Region", 3000.0),
}


class Quotas:
    """By account and Region."""

    def __init__(self) -> None:
        self._granted: dict[tuple[str, str, str, str], float] = {}

    def value(self, service: str, code: str, *, account: str, region: str) -> float:
        _, default = _QUOTAS[service, code]
        return self._granted.get((account, region, service, code), default)

    def handle(
        self, action: str, parameters: dict[str, Any], *, account: str, region: str
    ) -> tuple[int, dict[str, Any]]:
        service = str(parameters.get("ServiceCode", ""))
        code = str(parameters.get("QuotaCode", ""))
        known = _QUOTAS.get((service, code))
        if action not in ("GetServiceQuota", "RequestServiceQuotaIncrease"):
            message = f"{action} is not supported by the embedded AWS"
            return 400, {"__type": "InvalidAction", "message": message}
        if known is None:
            message = "The request failed because the specified service or quota does not exist."
            return 400, {"__type": "NoSuchResourceException", "message": message}
        key = (account, region, service, code)
        if action == "RequestServiceQuotaIncrease":
            self._granted[key] = float(parameters["DesiredValue"])
        name, _ = known
        quota = {
            "ServiceCode": service,
            "QuotaCode": code,
            "QuotaName": name,
            "QuotaArn": f"arn:aws:servicequotas:{region}:{account}:{service}/{code}",
            "Value": self.value(service, code, account=account, region=region),
            "Adjustable": True,
            "GlobalQuota": False,
        }
        if action == "GetServiceQuota":
            return 200, {"Quota": quota}
        asked = {"Id": code, "Status": "APPROVED", "DesiredValue": quota.pop("Value")}
        return 200, {"RequestedQuota": {**quota, **asked}}
