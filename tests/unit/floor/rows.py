"""The second floor of the Service YAML, one row a key: what it does on the way to AWS."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A key with a good value, a wrong one, and what comes of the good one.

    Texts are YAML below `service:`, in one line. `clash` has values that are each right and that do
    not go together. `compiled` is a piece of the release's JSON, `plan` of the plan's words.
    """

    key: str
    good: str
    wrong: str
    finds: str = "wrong-value"
    clash: str = ""
    clash_finds: str = ""
    compiled: tuple[str, ...] = ()
    plan: str = ""
    base: str = ""  # what the service has before the key, for the plan
    kind: str = "Service"


LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/main/0a1b/2c3d"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/a/1"

OLD_RULE = "arn:aws:events:us-east-1:123456789012:rule/nightly"
OLD_SCHEDULE = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly"

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:team/ghcr"

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-abcd"

ROWS: tuple[Row, ...] = (
    Row(
        key="service.exec",
        good="{exec: true}",
        wrong="{exec: sometimes}",
        finds="wrong-type",
        clash="{exec: true, readonlyRootFilesystem: true}",
        clash_finds="exec-read-only",
        compiled=('"enableExecuteCommand": true', "ssmmessages:OpenDataChannel"),
        plan="exec off → on",
    ),
    Row(
        key="service.stopTimeout",
        good="{stopTimeout: 60}",
        wrong="{stopTimeout: 121}",
        finds="out-of-range",
        compiled=('"stopTimeout": 60',),
        plan="stop timeout 30 s → 60 s",
    ),
    Row(
        key="service.user",
        good="{user: '1000:1000'}",
        wrong="{user: 1000}",
        finds="wrong-type",
        compiled=('"user": "1000:1000"',),
        plan="user none → 1000:1000",
    ),
    Row(
        key="service.workingDirectory",
        good="{workingDirectory: /srv}",
        wrong="{workingDirectory: srv}",
        compiled=('"workingDirectory": "/srv"',),
        plan="working directory none → /srv",
    ),
    Row(
        key="service.init",
        good="{init: false}",
        wrong="{init: tini}",
        finds="wrong-type",
        compiled=('"initProcessEnabled": false',),
        plan="process init on → init off",
    ),
    Row(
        key="service.readonlyRootFilesystem",
        good="{readonlyRootFilesystem: true}",
        wrong="{readonlyRootFilesystem: ro}",
        finds="wrong-type",
        compiled=('"readonlyRootFilesystem": true',),
        plan="read-only root off → on",
    ),
    Row(
        key="service.ulimits",
        good="{ulimits: [{name: nofile, softLimit: 1024, hardLimit: 4096}]}",
        wrong="{ulimits: [{name: files, softLimit: 1, hardLimit: 1}]}",
        clash="{ulimits: [{name: nofile, softLimit: 4096, hardLimit: 1024}]}",
        clash_finds="ulimit-order",
        compiled=('"ulimits": [{"hardLimit": 4096, "name": "nofile", "softLimit": 1024}]',),
        plan="ulimits none → nofile 1024/4096",
    ),
    Row(
        key="service.capabilities",
        good="{capabilities: {add: [SYS_PTRACE], drop: [NET_RAW]}}",
        wrong="{capabilities: {add: [NET_ADMIN]}}",
        compiled=('"capabilities": {"add": ["SYS_PTRACE"], "drop": ["NET_RAW"]}',),
        plan="process init on → init on, +SYS_PTRACE, -NET_RAW",
    ),
    Row(
        key="service.dockerLabels",
        good="{dockerLabels: {com.example.team: offers, tier: 1}}",
        wrong="{dockerLabels: [a]}",
        finds="wrong-type",
        compiled=('"com.example.team": "offers"', '"tier": "1"'),
        plan="labels +com.example.team +tier",
    ),
    Row(
        key="service.repositoryCredentials",
        good=f"{{image: 'ghcr.io/org/api:v1', repositoryCredentials: '{SECRET}-a1B2c3', sidecars: "
        f"[{{name: proxy, image: 'ghcr.io/org/proxy:v1', repositoryCredentials: '{SECRET}-d4E5f6'"
        "}]}",
        wrong=f"{{repositoryCredentials: '{SECRET}-a1B2c3:password::'}}",
        clash=f"{{image: 'public.ecr.aws/nginx/nginx:1.27', repositoryCredentials: "
        f"'{SECRET}-a1B2c3'}}",
        clash_finds="repository-credentials-unused",
        base="{image: 'ghcr.io/org/api:v1', sidecars: [{name: proxy, image: "
        "'ghcr.io/org/proxy:v1'}]}",
        compiled=(
            f'"repositoryCredentials": {{"credentialsParameter": "{SECRET}-a1B2c3"}}',
            f'"repositoryCredentials": {{"credentialsParameter": "{SECRET}-d4E5f6"}}',
            '{"Action": ["secretsmanager:GetSecretValue"], "Effect": "Allow", "Resource": '
            f'["{SECRET}-a1B2c3", "{SECRET}-d4E5f6"]}}',
            '{"Action": ["kms:Decrypt"], "Condition": {"StringEquals": {"kms:ViaService": '
            '"secretsmanager.us-east-1.amazonaws.com"}, "StringLike": '
            f'{{"kms:EncryptionContext:SecretARN": "{SECRET}-a1B2c3"}}}}, "Effect": "Allow", '
            '"Resource": ["arn:aws:kms:us-east-1:*:key/*"]}',
        ),
        plan="registry credentials none → team/ghcr-a1B2c3",
    ),
    Row(
        key="service.systemControls",
        good="{systemControls: [{namespace: net.core.somaxconn, value: '1024'}, {namespace: "
        "kernel.shmmax, value: '68719476736'}]}",
        wrong="{systemControls: [{namespace: vm.max_map_count, value: '262144'}]}",
        clash="{systemControls: [{namespace: net.core.somaxconn, value: '1024'}], sidecars: "
        "[{name: proxy, image: 'nginx:1', systemControls: [{namespace: net.core.somaxconn, "
        "value: '4096'}]}]}",
        clash_finds="system-control-clash",
        compiled=(
            '"systemControls": [{"namespace": "kernel.shmmax", "value": "68719476736"}, '
            '{"namespace": "net.core.somaxconn", "value": "1024"}]',
        ),
        plan="kernel settings none → kernel.shmmax=68719476736, net.core.somaxconn=1024",
    ),
    Row(
        key="service.enableFaultInjection",
        good="{enableFaultInjection: true}",
        wrong="{enableFaultInjection: network}",
        finds="wrong-type",
        compiled=('"enableFaultInjection": true',),
        plan="fault injection off → on",
    ),
    Row(
        key="service.tags",
        good="{tags: {cost-center: 42}}",
        wrong="{tags: {cost-center: 'a#b'}}",
        clash="{tags: {'fsd:service': other}}",
        clash_finds="tag-reserved",
        compiled=('"cost-center": "42"',),
        plan="tags",
    ),
    Row(
        key="service.resources.ephemeralStorage",
        good="{resources: {ephemeralStorage: 50}}",
        wrong="{resources: {ephemeralStorage: 20}}",
        finds="out-of-range",
        compiled=('"ephemeralStorage": {"sizeInGiB": 50}',),
        plan="ephemeral storage 20 GiB → 50 GiB",
    ),
    Row(
        key="service.build",
        good="{build: {context: ../.., dockerfile: ../docker/api.Dockerfile, target: runtime, "
        "args: {VERSION: 1}, secrets: ['id=pip,env=PIP_TOKEN'], cache: false}}",
        wrong="{build: {context: /srv}}",
        clash="{image: 'a@sha256:" + "9b1f" * 16 + "', build: {target: runtime}}",
        clash_finds="build-unused",
    ),
    Row(
        key="service.environmentFiles",
        good="{environmentFiles: ['arn:aws:s3:::config/api.env']}",
        wrong="{environmentFiles: ['arn:aws:s3:::config/api.txt']}",
        compiled=(
            '"environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::config/api.env"}]',
            '["s3:GetBucketLocation"], "Effect": "Allow", "Resource": ["arn:aws:s3:::config"]',
        ),
        plan="environment files +arn:aws:s3:::config/api.env",
    ),
    Row(
        key="service.secrets.valueFrom",
        good="{secrets: [{name: DB_URL, valueFrom: /team/db-url}]}",
        wrong="{secrets: [{name: DB_URL, valueFrom: /team/db url}]}",
        finds="secret-arn-malformed",
        compiled=('"valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/team/db-url"',),
        plan="secrets +DB_URL",
    ),
    Row(
        key="service.roles",
        good="{roles: {task: 'arn:aws:iam::123456789012:role/a', "
        "boundary: 'arn:aws:iam::123456789012:policy/b'}}",
        wrong="{roles: {task: offers-role}}",
        clash="{exec: true, roles: {task: 'arn:aws:iam::123456789012:role/a'}}",
        clash_finds="role-setting-unused",
        compiled=(
            '"taskRoleArn": "arn:aws:iam::123456789012:role/a"',
            '"PermissionsBoundary": "arn:aws:iam::123456789012:policy/b"',
        ),
        plan="task role offer-api-dev-task → a",
    ),
    Row(
        key="service.roles.execution",
        good="{roles: {execution: 'arn:aws:iam::123456789012:role/pull'}}",
        wrong="{roles: {execution: pull}}",
        compiled=('"executionRoleArn": "arn:aws:iam::123456789012:role/pull"',),
        plan="execution role offer-api-dev-execution → pull",
    ),
    Row(
        key="service.ports",
        good="{port: null, ports: [{name: web, port: 8000}, "
        "{name: events, port: 50051, protocol: grpc}, {port: 9001, protocol: tcp}], "
        "networking: {connect: {port: 50051}}}",
        wrong="{port: null, ports: [{name: Web, port: 8000}]}",
        clash="{ports: [{name: web, port: 8000}]}",
        clash_finds="port-clash",
        compiled=(
            '"portMappings": [{"appProtocol": "http", "containerPort": 8000, "name": "web", '
            '"protocol": "tcp"}, {"containerPort": 9001, "protocol": "tcp"}, {"appProtocol": '
            '"grpc", "containerPort": 50051, "name": "events", "protocol": "tcp"}]',
            '"portName": "events"',
        ),
        plan="ports 8000 → events 50051 (grpc), web 8000, 9001",
    ),
    Row(
        key="service.healthCheck.protocol.grpc",
        good="{port: null, ports: [{port: 50051, protocol: grpc}], healthCheck: {protocol: grpc, "
        "path: /offers.v1.Offers/Ping, matcher: '0,12'}, "
        "networking: {loadBalancer: {certificateArn: '" + CERTIFICATE + "'}}}",
        wrong="{healthCheck: {protocol: h2c}}",
        clash="{healthCheck: {protocol: grpc}, networking: {loadBalancer: {internal: true}}}",
        clash_finds="health-check-protocol",
        compiled=(
            '"ProtocolVersion": "GRPC"',
            '"HealthCheckPath": "/offers.v1.Offers/Ping"',
            '"Matcher": {"GrpcCode": "0,12"}',
            '"fsd.health-check": "gRPC /offers.v1.Offers/Ping, expecting 0,12, every 30 s',
        ),
        plan="+GrpcTargetGroup",
    ),
    Row(
        key="service.healthCheck.protocol.tcp",
        good="{port: null, ports: [{port: 6379, protocol: tcp}], healthCheck: {interval: 10}}",
        wrong="{healthCheck: {protocol: udp}}",
        clash="{healthCheck: {protocol: tcp, path: /health}}",
        clash_finds="health-check-protocol",
        compiled=(
            '["CMD", "python", "-c", "import socket;socket.create_connection('
            "('127.0.0.1',6379),5)\"]",
        ),
        plan="healthCheck changed",
    ),
    Row(
        key="service.networking.connect",
        good="{networking: {connect: {name: offers}}}",
        wrong="{networking: {connect: {name: Offers}}}",
        clash="{port: null, healthCheck: null, networking: {connect: {name: offers}}}",
        clash_finds="connect-without-port",
        compiled=(
            '"serviceConnectConfiguration": {"enabled": true, "services": [{"clientAliases": '
            '[{"dnsName": "offers", "port": 8000}], "discoveryName": "offers", "portName": '
            '"connect"}]}',
            '"Description": "Service Connect", "FromPort": 8000',
        ),
        plan="Service Connect off → offers:8000",
    ),
    Row(
        key="service.resources.spot",
        good="{resources: {desiredCount: 3, spot: {base: 1, percent: 80}}}",
        wrong="{resources: {spot: often}}",
        finds="wrong-type",
        clash="{resources: {desiredCount: 2, spot: {base: 2}}}",
        clash_finds="spot-never-used",
        compiled=(
            '"capacityProviderStrategy": [{"base": 1, "capacityProvider": "FARGATE", "weight": 20},'
            ' {"base": 0, "capacityProvider": "FARGATE_SPOT", "weight": 80}]',
        ),
        plan="capacity on demand → 1 on demand, then 80 % Spot",
    ),
    Row(
        key="service.beforeDeploy",
        good="{environment: {NEW: 1}, beforeDeploy: {timeout: 5m, "
        "command: python manage.py migrate, environment: {STEP: 1}, "
        "resources: {cpu: 1024, memory: 2048}}}",
        wrong="{beforeDeploy: {command: [migrate], timeout: 10 minutes}}",
        clash="{beforeDeploy: {command: [a], resources: {cpu: 256, memory: 4096}}}",
        clash_finds="deploy-step-size",
        plan="beforeDeploy: sh -c python manage.py migrate",
    ),
    Row(
        key="service.afterDeploy",
        good="{environment: {NEW: 1}, afterDeploy: {command: [python, smoke.py], "
        "timeout: 5m, environment: {A: 1}, resources: {cpu: 512, memory: 2048}}}",
        wrong="{afterDeploy: {timeout: 5m}}",
        finds="missing-key",
        plan="afterDeploy: python smoke.py",
    ),
    Row(
        key="service.sidecars",
        good="{sidecars: [{name: proxy, image: 'nginx:1', command: [nginx], port: 80, environment: "
        "{A: 1}, secrets: [{name: KEY, valueFrom: /team/key}], healthCheck: {command: 'true'}, "
        "resources: {cpu: 64, memory: 128}, volumes: [{name: tmp, path: /tmp/x}]}], "
        "volumes: [{name: tmp, path: /tmp/x}]}",
        wrong="{sidecars: [{name: proxy}]}",
        finds="missing-key",
        clash="{sidecars: [{name: offer-api, image: 'nginx:1'}]}",
        clash_finds="sidecar-name-taken",
        compiled=('"name": "proxy"', '"cpu": 448', "parameter/team/key"),
        plan="container +proxy",
    ),
    Row(
        key="service.dependsOn",
        good="{dependsOn: {init: SUCCESS}, "
        "sidecars: [{name: init, image: 'busybox:1', essential: false}]}",
        wrong="{dependsOn: {init: DONE}}",
        clash="{dependsOn: {init: SUCCESS}, sidecars: [{name: init, image: 'busybox:1'}]}",
        clash_finds="container-dependency",
        compiled=('"dependsOn": [{"condition": "SUCCESS", "containerName": "init"}]',),
        plan="depends on none → init SUCCESS",
    ),
    Row(
        key="service.volumes",
        good="{volumes: [{name: media, path: /srv/media, efs: {fileSystem: fs-01234567, "
        "accessPoint: fsap-01234567}}]}",
        wrong="{volumes: [{name: media, path: media}]}",
        clash="{volumes: [{name: media, path: /m, efs: {fileSystem: fs-01234567, "
        "accessPoint: fsap-01234567, root: /x}}]}",
        clash_finds="volume-misused",
        compiled=(
            '"efsVolumeConfiguration": {"authorizationConfig": {"accessPointId": "fsap-01234567", '
            '"iam": "ENABLED"}, "fileSystemId": "fs-01234567", "rootDirectory": "/", '
            '"transitEncryption": "ENABLED"}',
            "elasticfilesystem:ClientWrite",
        ),
        plan="volumes none → media at /srv/media",
    ),
    Row(
        key="service.sidecars.dependsOn",
        good="{sidecars: [{name: seed, image: 'busybox:1', command: [cp, a, b], essential: false}, "
        "{name: proxy, image: 'nginx:1', dependsOn: {seed: SUCCESS}, healthCheck: {command: "
        "'true', interval: 20, timeout: 3, startPeriod: 40, unhealthyThreshold: 4}, "
        "volumes: [{name: tmp, path: /tmp/x, readOnly: true}]}], "
        "volumes: [{name: tmp, path: /tmp/x}]}",
        wrong="{sidecars: [{name: proxy, image: 'nginx:1', dependsOn: {seed: READY}}]}",
        clash="{sidecars: [{name: proxy, image: 'nginx:1', dependsOn: {seed: SUCCESS}}]}",
        clash_finds="container-dependency",
        compiled=(
            '"dependsOn": [{"condition": "SUCCESS", "containerName": "seed"}]',
            '"interval": 20, "retries": 4, "startPeriod": 40, "timeout": 3',
            '"readOnly": true',
        ),
        plan="container +proxy",
    ),
    Row(
        key="service.sidecars.ulimits",
        good="{sidecars: [{name: proxy, image: 'nginx:1', entryPoint: [nginx], environmentFiles: "
        "['arn:aws:s3:::config/proxy.env'], dockerLabels: {tier: 1}, stopTimeout: 60, user: '101', "
        "workingDirectory: /srv, init: true, readonlyRootFilesystem: true, ulimits: [{name: "
        "nofile, softLimit: 1024, hardLimit: 4096}], capabilities: {add: [SYS_PTRACE], "
        "drop: [ALL]}, systemControls: [{namespace: net.core.somaxconn, value: '4096'}]}]}",
        wrong="{sidecars: [{name: proxy, image: 'nginx:1', stopTimeout: 121}]}",
        finds="out-of-range",
        clash="{sidecars: [{name: proxy, image: 'nginx:1', ulimits: [{name: nofile, softLimit: 2, "
        "hardLimit: 1}]}]}",
        clash_finds="ulimit-order",
        base="{sidecars: [{name: proxy, image: 'nginx:1'}]}",
        compiled=(
            '"entryPoint": ["nginx"], "environment',
            '"environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::config/proxy.env"}]',
            '"Resource": ["arn:aws:s3:::config/proxy.env"]',
            '"dockerLabels": {"tier": "1"}',
            '"stopTimeout": 60',
            '"user": "101"',
            '"workingDirectory": "/srv"',
            '"capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}, "initProcessEnabled": true',
            '"readonlyRootFilesystem": true',
            '"ulimits": [{"hardLimit": 4096, "name": "nofile", "softLimit": 1024}]',
            '"systemControls": [{"namespace": "net.core.somaxconn", "value": "4096"}]',
        ),
        plan="ulimits none → nofile 1024/4096",
    ),
    Row(
        key="service.volumes.efs.root",
        good="{volumes: [{name: media, path: /srv/media, readOnly: true, efs: {fileSystem: "
        "fs-01234567, root: /shop}}]}",
        wrong="{volumes: [{name: media, path: /srv/media, efs: {fileSystem: fs-01234567, "
        "root: shop}}]}",
        compiled=('"rootDirectory": "/shop"', '"readOnly": true'),
        plan="task volumes +media",
    ),
    Row(
        key="service.deployment.earlySuccess",
        good="{deployment: {minimumHealthyPercent: 50, earlySuccess: {healthyPercent: 50, "
        "cleanup: blocking}}}",
        wrong="{deployment: {earlySuccess: {healthyPercent: 101}}}",
        finds="out-of-range",
        clash="{deployment: {minimumHealthyPercent: 100, earlySuccess: {healthyPercent: 50}}}",
        clash_finds="early-success-percent",
        compiled=(
            '"earlySuccessCriteria": {"enable": true, "healthyPercent": 50, '
            '"sourceServiceRevisionCleanup": "BLOCKING"}',
        ),
        plan="deployment configuration changed",
    ),
    Row(
        key="service.deployment.steadyFor",
        good="{deployment: {steadyFor: 90}}",
        wrong="{deployment: {steadyFor: 3601}}",
        finds="out-of-range",
        clash="{deployment: {steadyFor: 90}, schedule: rate(1 hour), port: null}",
        clash_finds="job-setting",
    ),
    Row(
        key="service.healthCheck.port",
        good="{healthCheck: {path: /health, port: 9000}, networking: {loadBalancer: {}}}",
        wrong="{healthCheck: {port: 0}}",
        finds="out-of-range",
        compiled=('"HealthCheckPort": "9000"',),
        plan="+LoadBalancer",
    ),
    Row(
        key="service.healthCheck.startPeriod",
        good="{healthCheck: {path: /health, command: 'true', startPeriod: 120}}",
        wrong="{healthCheck: {startPeriod: 301}}",
        finds="out-of-range",
        compiled=('"startPeriod": 120',),
        plan="healthCheck changed",
    ),
    Row(
        key="service.autoScaling.targetQueueDepth",
        good="{autoScaling: {targetQueueDepth: {queue: offers, messagesPerTask: 50}}, "
        "resources: {minCapacity: 0, maxCapacity: 9}}",
        wrong="{autoScaling: {targetQueueDepth: {queue: 'https://sqs', messagesPerTask: 1}}}",
        clash="{autoScaling: {targetQueueDepth: {queue: offers, messagesPerTask: 50}}}",
        clash_finds="autoscaling-without-bounds",
        compiled=('"Expression": "messages / FILL(tasks, 1)"', '"target": 50.0'),
        plan="queue target none → 50",
    ),
    Row(
        key="service.autoScaling.metric",
        good="{autoScaling: {metric: {namespace: Offers, name: Backlog, dimensions: {Queue: 1}, "
        "statistic: Sum, target: 20}}, resources: {minCapacity: 1, maxCapacity: 9}}",
        wrong="{autoScaling: {metric: {namespace: Offers, name: Backlog, target: 0}}}",
        finds="out-of-range",
        clash="{autoScaling: {metric: {namespace: Offers, name: Backlog, target: 20}}}",
        clash_finds="autoscaling-without-bounds",
        compiled=('"MetricName": "Backlog"', '[{"Name": "Queue", "Value": "1"}]'),
        plan="metric target none → 20",
    ),
    Row(
        key="service.networking.loadBalancer.listenerArn",
        good="{networking: {loadBalancer: {listenerArn: '" + LISTENER + "', hosts: [a.example], "
        "paths: ['/a/*'], priority: 7, stickiness: 60}}}",
        wrong="{networking: {loadBalancer: {listenerArn: main}}}",
        clash="{networking: {loadBalancer: {listenerArn: '" + LISTENER + "'}}}",
        clash_finds="listener-rule-setting",
        compiled=(
            '"Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example"]}}'
            ', {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a/*"]}}]',
            '"Priority": 7',
            '"Key": "stickiness.lb_cookie.duration_seconds", "Value": "60"',
        ),
        plan="load balancer added",
    ),
    Row(
        key="service.networking.loadBalancer.targetGroupArn",
        good="{networking: {loadBalancer: {targetGroupArn: '" + GROUP + "'}}}",
        wrong="{networking: {loadBalancer: {targetGroupArn: offers}}}",
        clash="{networking: {loadBalancer: {targetGroupArn: '" + GROUP + "', stickiness: 60}}}",
        clash_finds="target-group-setting",
        compiled=('"TargetGroupArn": {"Value": "' + GROUP + '"}',),
        plan="load balancer added",
    ),
    Row(
        key="service.existingService",
        good="{existingService: shop-prod-api-Service-Ab1Cd2}",
        wrong="{existingService: shop/api}",
        compiled=(
            '"serviceName": "shop-prod-api-Service-Ab1Cd2"',
            '"ServiceName": {"Value": "shop-prod-api-Service-Ab1Cd2"}',
        ),
    ),
    Row(
        key="service.existingSchedule",
        kind="Job",
        good="{schedule: rate(1 hour), existingSchedule: {arn: '" + OLD_SCHEDULE + "', "
        "role: 'arn:aws:iam::123456789012:role/nightly'}}",
        wrong="{schedule: rate(1 hour), existingSchedule: {arn: nightly}}",
        clash="{schedule: null, existingSchedule: {arn: '" + OLD_RULE + "'}}",
        clash_finds="job-setting",
    ),
    Row(
        key="service.logs",
        good="{logs: {retention: 14}, observability: null}",
        wrong="{logs: {retention: 15}, observability: null}",
        finds="log-retention-value",
        clash="{logs: {retention: 14}}",
        clash_finds="log-setting",
        compiled=('"RetentionInDays": 14',),
        plan="~LogGroup",
    ),
    Row(
        key="service.observability.logs.group",
        good="{observability: {logs: {group: /copilot/shop-prod-api}}}",
        wrong="{observability: {logs: {group: 'arn:aws:logs:us-east-1'}}}",
        clash="{observability: {logs: {group: /copilot/shop-prod-api, retention: 14}}}",
        clash_finds="log-setting",
        compiled=(
            '"awslogs-group": "/copilot/shop-prod-api"',
            "log-group:/copilot/shop-prod-api:log-stream:*",
        ),
        plan="-LogGroup",
    ),
    Row(
        key="service.observability.logs.kmsKey",
        good="{observability: {logs: {retention: 30, kmsKey: "
        "'arn:aws:kms:us-east-1:123456789012:key/1234-abcd'}}}",
        wrong="{observability: {logs: {retention: 30, kmsKey: alias/logs}}}",
        clash="{observability: {logs: {group: /a, kmsKey: "
        "'arn:aws:kms:us-east-1:123456789012:key/1234-abcd'}}}",
        clash_finds="log-setting",
        compiled=('"KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/1234-abcd"',),
        plan="~LogGroup",
    ),
    Row(
        key="service.observability.logs.driver",
        good="{observability: {logs: {retention: 30, driver: awsfirelens, options: "
        "{Name: firehose, delivery_stream: offers}}}}",
        wrong="{observability: {logs: {retention: 30, driver: splunk}}}",
        clash="{observability: {logs: {retention: 30, options: {Name: firehose}}}}",
        clash_finds="log-setting",
        compiled=(
            '"logConfiguration": {"logDriver": "awsfirelens", "options": {"Name": "firehose", '
            '"delivery_stream": "offers"}}',
            '"firelensConfiguration": {"options": {"enable-ecs-log-metadata": "true"}, "type": '
            '"fluentbit"}',
        ),
    ),
    Row(
        key="service.networking.securityGroups",
        good="{networking: {securityGroups: [sg-0a1b2c3d]}}",
        wrong="{networking: {securityGroups: [database]}}",
        finds="wrong-type",
        clash="{networking: {securityGroups: [sg-0a1b2c01, sg-0a1b2c02, sg-0a1b2c03, sg-0a1b2c04, "
        "sg-0a1b2c05]}}",
        clash_finds="security-group-limit",
        compiled=('"sg-0a1b2c3d"',),
        plan="security groups sg-1 → sg-0a1b2c3d sg-1",
    ),
    Row(
        key="service.networking.securityGroups.only",
        good="{networking: {securityGroups: {ids: [sg-0a1b2c3d], only: true}}}",
        wrong="{networking: {securityGroups: {ids: []}}}",
        finds="wrong-type",
        compiled=('"securityGroups": ["sg-0a1b2c3d"]',),
        plan="security groups sg-1 → sg-0a1b2c3d",
    ),
    Row(
        key="service.networking.subnets",
        good="{networking: {subnets: [subnet-0a1b2c3d, subnet-0a1b2c4d]}}",
        wrong="{networking: {subnets: [private-a]}}",
        compiled=('"subnets": ["subnet-0a1b2c3d", "subnet-0a1b2c4d"]',),
        plan="subnets changed",
    ),
    Row(
        key="service.networking.loadBalancer.shared",
        good="{networking: {loadBalancer: {shared: main, hosts: [a.example], paths: ['/a/*'], "
        "certificateArn: '" + CERTIFICATE + "', idleTimeout: 120}}}",
        wrong="{networking: {loadBalancer: {shared: Main_}}}",
        clash="{networking: {loadBalancer: {shared: main}}}",
        clash_finds="listener-rule-setting",
        compiled=(
            '"ListenerArn": {"Fn::ImportValue": "fsd-shared-main-dev-HttpsListener"}',
            '"SourceSecurityGroupId": {"Fn::ImportValue": "fsd-shared-main-dev-SecurityGroupId"}',
            '["", ["https://", "a.example"]]',
        ),
        plan="fsd-shared-main-dev   shared load balancer   +HttpListener · +HttpsListener",
    ),
    Row(
        key="service.networking.loadBalancer.domain",
        good="{networking: {loadBalancer: {domain: {name: offers.example.com, "
        "hostedZone: Z12AB}}}}",
        wrong="{networking: {loadBalancer: {domain: {name: a.example, hostedZone: a.b}}}}",
        clash="{networking: {loadBalancer: {domain: {name: offers.example.com, hostedZone: Z12AB}, "
        "shared: main, hosts: [api.example.com]}}}",
        clash_finds="domain-setting",
        compiled=(
            '"Name": "offers.example.com", "Type": "A"',
            '"AliasTarget": {"DNSName": {"Fn::GetAtt": ["LoadBalancer", "DNSName"]}',
            '"Certificates": [{"CertificateArn": {"Ref": "Certificate"}}]',
            '["", ["https://", "offers.example.com"]]',
        ),
        base="{networking: {loadBalancer: {}}}",
        plan="+DomainRecord",
    ),
    Row(
        key="service.networking.loadBalancer.domain (shared)",
        good="{networking: {loadBalancer: {domain: {name: a.example, hostedZone: Z12AB}, shared: "
        "main, hosts: [a.example]}}}",
        wrong="{networking: {loadBalancer: {domain: {name: A.example, hostedZone: Z12AB}}}}",
        compiled=(
            '"HostedZoneId": {"Fn::ImportValue": "fsd-shared-main-dev-HostedZoneId"}',
            '["", ["http://", "a.example"]]',
        ),
    ),
    Row(
        key="service.networking.loadBalancer.type",
        good="{port: null, ports: [{port: 9000, protocol: tcp}], healthCheck: {interval: 10}, "
        "networking: {loadBalancer: {type: network}}}",
        wrong="{networking: {loadBalancer: {type: classic}}}",
        clash="{networking: {loadBalancer: {type: network, paths: ['/a']}}}",
        clash_finds="network-balancer-setting",
        compiled=(
            '"Type": "network"',
            '"Protocol": "TCP", "TargetGroupAttributes"',
            '"HealthCheckProtocol": "TCP"',
            '"Port": 9000, "Protocol": "TCP"',
            '"FromPort": 9000, "IpProtocol": "tcp", "SourceSecurityGroupId"',
            '["tcp://", {"Fn::GetAtt": ["NetworkLoadBalancer", "DNSName"]}, ":9000"]',
        ),
        base="{networking: {loadBalancer: {}}}",
        plan="+NetworkLoadBalancer",
    ),
    Row(
        key="service.networking.loadBalancer.idleTimeout (network)",
        good="{networking: {loadBalancer: {type: network, idleTimeout: 500}}}",
        wrong="{networking: {loadBalancer: {type: network, idleTimeout: 6001}}}",
        finds="out-of-range",
        clash="{networking: {loadBalancer: {type: network, idleTimeout: 500, certificateArn: '"
        + CERTIFICATE
        + "'}}}",
        clash_finds="network-balancer-setting",
        compiled=('"ListenerAttributes": [{"Key": "tcp.idle_timeout.seconds", "Value": "500"}]',),
        base="{networking: {loadBalancer: {type: network}}}",
        plan="NetworkTcpListener",
    ),
    Row(
        key="service.networking.loadBalancer.type (http check)",
        good="{networking: {loadBalancer: {type: network, internal: false, certificateArn: '"
        + CERTIFICATE
        + "'}}}",
        wrong="{networking: {loadBalancer: {type: gateway}}}",
        compiled=('"Protocol": "TLS"', '"HealthCheckPath": "/health"', '"PublicNetwork'),
    ),
    Row(
        key="service.networking.loadBalancer.accessLogs",
        good="{networking: {loadBalancer: {accessLogs: {bucket: offers-logs, prefix: alb}}}}",
        wrong="{networking: {loadBalancer: {accessLogs: {bucket: 's3://offers-logs'}}}}",
        clash="{networking: {loadBalancer: {accessLogs: {bucket: offers-logs}, hosts: [a.example], "
        "listenerArn: '" + LISTENER + "'}}}",
        clash_finds="listener-rule-setting",
        compiled=(
            '{"Key": "access_logs.s3.bucket", "Value": "offers-logs"}, '
            '{"Key": "access_logs.s3.enabled", "Value": "true"}, '
            '{"Key": "access_logs.s3.prefix", "Value": "alb"}',
        ),
        base="{networking: {loadBalancer: {}}}",
        plan="~LoadBalancer",
    ),
    Row(
        key="service.networking.loadBalancer.accessLogs (shared)",
        good="{networking: {loadBalancer: {accessLogs: {bucket: offers-logs}, hosts: [a.example], "
        "shared: main}}}",
        wrong="{networking: {loadBalancer: {accessLogs: {bucket: a.example, prefix: /a}}}}",
        compiled=('"fsd-shared-main-dev-HttpListener"',),
        base="{networking: {loadBalancer: {hosts: [a.example], listenerArn: '" + LISTENER + "'}}}",
        plan="shared load balancer",
    ),
    Row(
        key="service.networking.loadBalancer.ingress",
        good="{networking: {loadBalancer: {ingress: [203.0.113.0/24], idleTimeout: 120}}}",
        wrong="{networking: {loadBalancer: {ingress: [everybody]}}}",
        clash="{networking: {loadBalancer: {listenerArn: '" + LISTENER + "', hosts: [a.b], "
        "ingress: [203.0.113.0/24]}}}",
        clash_finds="listener-rule-setting",
        compiled=(
            '"CidrIp": "203.0.113.0/24"',
            '{"Key": "idle_timeout.timeout_seconds", "Value": "120"}',
        ),
        plan="+LoadBalancer",
    ),
    Row(
        key="service.schedule",
        kind="Job",
        good="{schedule: 'cron(0 6 * * ? *)'}",
        wrong="{schedule: 0 6 * * *}",
        clash="{schedule: rate(1 hour), port: 8000}",
        clash_finds="job-setting",
        compiled=(
            '"ScheduleExpression": "cron(0 6 * * ? *)", "ScheduleExpressionTimezone": "UTC", '
            '"State": "ENABLED"',
        ),
        plan="schedule by hand → cron(0 6 * * ? *) UTC",
    ),
    Row(
        key="service.timezone",
        kind="Job",
        good="{schedule: 'cron(0 6 * * ? *)', timezone: Europe/Berlin}",
        wrong="{schedule: 'cron(0 6 * * ? *)', timezone: Berlin}",
        finds="schedule-malformed",
        clash="{schedule: rate(1 hour), timezone: Europe/Berlin}",
        clash_finds="job-setting",
        compiled=('"ScheduleExpressionTimezone": "Europe/Berlin"',),
        plan="schedule cron(0 6 * * ? *) UTC → cron(0 6 * * ? *) Europe/Berlin",
        base="{schedule: 'cron(0 6 * * ? *)'}",
    ),
    Row(
        key="service.timeout",
        kind="Job",
        good="{timeout: 90m}",
        wrong="{timeout: 90}",
        finds="wrong-type",
        compiled=('"command": ["5400"]', '"entryPoint": ["sleep"]'),
        plan="container +job_timeout",
    ),
    Row(
        key="service.retries",
        kind="Job",
        good="{schedule: rate(1 hour), retries: 0}",
        wrong="{schedule: rate(1 hour), retries: 186}",
        finds="out-of-range",
        compiled=('"MaximumRetryAttempts": 0',),
        plan="retries 3 → 0",
        base="{schedule: rate(1 hour)}",
    ),
    Row(
        key="service.autoScaling.targetRequestsPerTask",
        good="{networking: {loadBalancer: {}}, resources: {minCapacity: 1, maxCapacity: 9}, "
        "autoScaling: {targetRequestsPerTask: 500}}",
        wrong="{autoScaling: {targetRequestsPerTask: 0}}",
        finds="out-of-range",
        clash="{autoScaling: {targetRequestsPerTask: 500}, resources: {maxCapacity: 9}}",
        clash_finds="scaling-setting",
        compiled=(
            '"PredefinedMetricType": "ALBRequestCountPerTarget"',
            '"RequestCountLabel": {"Value": {"Fn::Join": ["/", [{"Fn::GetAtt": ["LoadBalancer", '
            '"LoadBalancerFullName"]}, {"Fn::GetAtt": ["TargetGroup", "TargetGroupFullName"]}]]}}',
        ),
        plan="requests target none → 500",
        base="{networking: {loadBalancer: {}}}",
    ),
    Row(
        key="service.autoScaling.schedules",
        good="{resources: {minCapacity: 1, maxCapacity: 9}, autoScaling: {schedules: [{name: "
        "morning, cron: '0 8 ? * MON-FRI *', timezone: Europe/Berlin, minCapacity: 4, "
        "maxCapacity: 8}]}}",
        wrong="{resources: {minCapacity: 1, maxCapacity: 9}, autoScaling: {schedules: [{name: "
        "morning, cron: '0 8 * * *', minCapacity: 4}]}}",
        finds="schedule-malformed",
        clash="{resources: {minCapacity: 1, maxCapacity: 9}, autoScaling: {schedules: [{name: a, "
        "cron: '0 8 * * ? *', minCapacity: 4, maxCapacity: 2}]}}",
        clash_finds="scaling-setting",
        compiled=('"expression": "cron(0 8 ? * MON-FRI *)"', '"time_zone": "Europe/Berlin"'),
        plan="schedules +morning",
    ),
)
