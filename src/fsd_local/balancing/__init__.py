"""Elastic Load Balancing's own rules: what a request may say, and which rule matches. Pure.

A request is nested as botocore's model has it, which is also how a CloudFormation template spells
the same resource: both are checked by the same functions. The words are those that AWS answered in
the deployments recorded by badmintoncryer/cdk-preflight (`rules/elbv2/*/meta.yaml`).
"""
