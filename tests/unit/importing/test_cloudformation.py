"""A CloudFormation template as Service YAMLs: what its functions say, and what a stack knows."""

from __future__ import annotations

import json

import pytest
import yaml

from fsd.importing.compare import compare_all
from fsd.importing.compiled import compile_import
from fsd.importing.files import read_files
from fsd.importing.fit import ImportedManifest, fit
from fsd.importing.reader import Loss
from fsd.importing.values import Value, mapping

TEMPLATE = """
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Env: {Type: String, Default: prod}
  Tag: {Type: String}
  Ami: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b}
Resources:
  Logs: {Type: 'AWS::Logs::LogGroup', Properties: {LogGroupName: !Sub '/team/${Env}'}}
  Role: {Type: 'AWS::IAM::Role', Properties: {RoleName: !Join ['-', [api, !Ref Env]], Path: /app/}}
  Nameless: {Type: 'AWS::IAM::Role'}
  Disk: {Type: 'AWS::EFS::FileSystem'}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: !Sub 'api-${Env}'
      Cpu: 256
      Memory: 512
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      TaskRoleArn: !GetAtt Role.Arn
      ExecutionRoleArn: !Ref Nameless
      Volumes:
        - Name: data
          EFSVolumeConfiguration:
            FilesystemId: fs-0a1b2c3d
            AuthorizationConfig: {IAM: ENABLED, AccessPointId: fsap-0a1b2c3d}
      ContainerDefinitions:
        - Name: api
          Image: !Sub '${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/api:v1'
          PortMappings: [{ContainerPort: 8000}]
          MountPoints: [{SourceVolume: data, ContainerPath: /data}]
          Environment:
            - {Name: LEVEL, Value: !Ref Env}
            - {Name: BUILD, Value: !Ref Tag}
            - !If [IsProd, {Name: A, Value: b}, !Ref 'AWS::NoValue']
          LogConfiguration:
            LogDriver: awslogs
            Options: {awslogs-group: !Ref Logs, awslogs-region: !Ref 'AWS::Region'}
  Service:
    Type: AWS::ECS::Service
    Properties:
      TaskDefinition: !Ref Task
      DesiredCount: 3
      NetworkConfiguration:
        AwsvpcConfiguration: {Subnets: [!ImportValue subnet], AssignPublicIp: DISABLED}
  Target: {Type: 'AWS::ApplicationAutoScaling::ScalableTarget'}
"""


def imports(text: str, path: str = "stack.yml") -> tuple[list[ImportedManifest], list[Loss]]:
    found, losses = read_files({path: text}, pack="team", folder="x")
    return [fit(each) for each in found], losses


def service_of(fitted: ImportedManifest) -> dict[str, Value]:
    return mapping(fitted.imported.tree["service"])


def test_read_files__template__functions_become_text_and_the_service_its_count() -> None:
    (fitted,), losses = imports(TEMPLATE)

    assert fitted.errors == ()
    assert fitted.imported.name == "api"
    assert service_of(fitted) == {
        "type": "ecs",
        "resources": {"cpu": 256, "memory": 512, "desiredCount": 3},
        "roles": {"task": "arn:aws:iam::${AWS_ACCOUNT_ID}:role/app/api-prod"},
        "image": "${AWS_ACCOUNT_ID}.dkr.ecr.${AWS_REGION}.amazonaws.com/api:v1",
        "port": 8000,
        "environment": {"LEVEL": "prod", "BUILD": "$${Tag}"},
        "volumes": [
            {
                "name": "data",
                "path": "/data",
                "efs": {"fileSystem": "fs-0a1b2c3d", "accessPoint": "fsap-0a1b2c3d"},
            }
        ],
        "observability": {"logs": {"group": "/team/prod"}},
    }
    assert [loss.where for loss in losses] == ["Resources.Target", "Resources"]


def test_read_files__template__says_what_only_the_stack_knows() -> None:
    (fitted,), losses = imports(TEMPLATE)

    lost = {loss.where for loss in fitted.imported.losses}
    assert "service.roles.execution" in lost
    assert "service.networking.subnets[0]" in lost
    assert "containerDefinitions[0].environment[2]" in lost
    assert any(
        "only the stack knows" in note and "${Tag}" in note for note in fitted.imported.notes
    )
    assert losses[-1].value == "AWS::EFS::FileSystem, AWS::IAM::Role, AWS::Logs::LogGroup"


def test_read_files__template_in_json__the_same() -> None:
    value = {
        "Resources": {
            "Task": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {
                    "Cpu": "256",
                    "Memory": "512",
                    "ContainerDefinitions": [
                        {
                            "Name": "api",
                            "Image": {"Fn::Sub": ["${Repo}:v1", {"Repo": {"Ref": "AWS::Region"}}]},
                        }
                    ],
                },
            }
        }
    }

    (fitted,), _ = imports(json.dumps(value), "stack.json")

    assert fitted.imported.name == "task"
    assert service_of(fitted)["image"] == "${AWS_REGION}:v1"


def test_read_files__template_with_a_rule__a_job() -> None:
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "ScheduleExpression": "rate(1 day)",
            "Targets": [
                {
                    "Id": "a",
                    "Arn": {"Fn::GetAtt": ["Cluster", "Arn"]},
                    "RoleArn": {"Fn::GetAtt": ["Nameless", "Arn"]},
                    "EcsParameters": {"TaskDefinitionArn": {"Ref": "Task"}, "TaskCount": 1},
                }
            ],
        },
    }
    text = TEMPLATE.replace("  Target: {Type: 'AWS::Appl", "  Other: {Type: 'AWS::Appl")

    (fitted,), _ = imports(f"{text}  Nightly: {json.dumps(rule)}\n")

    assert fitted.imported.tree["kind"] == "Job"
    assert service_of(fitted)["schedule"] == "rate(1 day)"


APP_RUNNER = """
Resources:
  Scaling:
    Type: AWS::AppRunner::AutoScalingConfiguration
    Properties: {MaxConcurrency: 50, MinSize: 2, MaxSize: 6}
  Web:
    Type: AWS::AppRunner::Service
    Properties:
      ServiceName: web
      SourceConfiguration:
        AuthenticationConfiguration: {AccessRoleArn: !GetAtt Access.Arn}
        ImageRepository:
          ImageRepositoryType: ECR
          ImageIdentifier: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:v1
          ImageConfiguration:
            Port: 8000
            StartCommand: gunicorn app:app
            RuntimeEnvironmentVariables: [{Name: LEVEL, Value: info}]
            RuntimeEnvironmentSecrets: [{Name: KEY, Value: /web/key}]
      InstanceConfiguration: {Cpu: 0.5 vCPU, Memory: 1 GB}
      HealthCheckConfiguration: {Protocol: HTTP, Path: /health, Interval: 10, HealthyThreshold: 1}
      AutoScalingConfigurationArn: !Ref Scaling
      NetworkConfiguration:
        EgressConfiguration: {EgressType: VPC, VpcConnectorArn: !Ref Connector}
      Tags: [{Key: team, Value: web}]
"""


def test_read_files__app_runner_in_a_template__with_size_scaling_and_check() -> None:
    (fitted,), losses = imports(APP_RUNNER)

    assert service_of(fitted) == {
        "type": "ecs",
        "port": 8000,
        "command": ["gunicorn", "app:app"],
        "environment": {"PORT": "8000", "LEVEL": "info"},
        "secrets": [{"name": "KEY", "valueFrom": "/web/key"}],
        "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:v1",
        "resources": {"cpu": 512, "memory": 1024, "minCapacity": 2, "maxCapacity": 6},
        "healthCheck": {"path": "/health", "interval": 10, "healthyThreshold": 2},
        "networking": {"loadBalancer": {"internal": False}},
        "tags": {"team": "web"},
    }
    assert [loss.where for loss in fitted.imported.losses] == [
        "HealthCheckConfiguration.HealthyThreshold",
        "NetworkConfiguration.EgressConfiguration.VpcConnectorArn",
        "AutoScalingConfigurationArn.MaxConcurrency",
    ]
    assert losses == []


def test_compare__app_runner_in_a_template__all_the_same() -> None:
    (fitted,), _ = imports(APP_RUNNER)

    compiled = compile_import(fitted)
    compared = compare_all(compiled.original, compiled.definition, compiled.around)

    assert compared.different == ()
    assert len(compared.same) >= 5


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"EncryptionConfiguration": {"KmsKey": "arn"}}, ["EncryptionConfiguration"]),
        ({"AutoScalingConfigurationArn": "arn:x"}, ["AutoScalingConfigurationArn"]),
        ({"InstanceConfiguration": {"Cpu": "much"}}, ["InstanceConfiguration.Cpu"]),
        (
            {"NetworkConfiguration": {"IpAddressType": "DUAL_STACK"}},
            ["NetworkConfiguration.IpAddressType"],
        ),
    ],
)
def test_read_files__answer_of_app_runner__each_loss_in_its_place(
    changes: dict[str, Value], lost: list[str]
) -> None:
    service: dict[str, Value] = {
        "ServiceName": "web",
        "ServiceArn": "arn",
        "Status": "RUNNING",
        "SourceConfiguration": {
            "CodeRepository": {
                "RepositoryUrl": "https://github.com/org/web",
                "CodeConfiguration": {
                    "ConfigurationSource": "API",
                    "CodeConfigurationValues": {
                        "Runtime": "PYTHON_311",
                        "BuildCommand": "pip install -r requirements.txt",
                        "StartCommand": "python app.py",
                        "RuntimeEnvironmentVariables": {"LEVEL": "info"},
                    },
                },
            }
        },
        "NetworkConfiguration": {"IngressConfiguration": {"IsPubliclyAccessible": False}},
        **changes,
    }

    (fitted,), _ = imports(json.dumps({"Service": service}), "answer.json")

    assert [loss.where for loss in fitted.imported.losses] == lost
    assert service_of(fitted)["environment"] == {"PORT": "8080", "LEVEL": "info"}
    assert fitted.imported.notes[0].endswith(
        "FROM python:3.11-slim; WORKDIR /app; COPY . .; RUN pip install -r requirements.txt"
    )


@pytest.mark.parametrize("text", ["Resources: {A: {Type: 'AWS::S3::Bucket'}}", "Resources: []"])
def test_read_files__template_without_a_service__is_none(text: str) -> None:
    assert imports(text) == ([], [])


def test_read_files__functions_of_any_kind__never_raise() -> None:
    properties = yaml.safe_load(
        "{Family: {'Fn::GetAtt': 3}, ContainerDefinitions: [{Name: {Ref: [1]}, Image: "
        "{'Fn::Sub': []}, Command: {'Fn::Join': [',']}, User: {'Fn::Join': [1, 2]}}]}"
    )
    value = {"Resources": {"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": properties}}}

    (fitted,), _ = imports(json.dumps(value), "a.json")

    assert fitted.imported.name == "my-service"
