"""Keys that people write from memory of other tools, and what this language has in their place.

One row a meaning. The names are those of Copilot's manifests, Compose files, ECS's API,
Kubernetes, App Runner, the Serverless Framework and Terraform; they are compared without case,
hyphens and underscores. A row says which key does it here, or that FSD has no such feature: a
guess by likeness would send the reader to another thing (`sidecars` looks like `secrets`).

https://aws.github.io/copilot-cli/docs/manifest/lb-web-service/
https://docs.docker.com/reference/compose-file/services/
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
https://docs.aws.amazon.com/apprunner/latest/dg/config-file-ref.html
https://www.serverless.com/framework/docs/providers/aws/guide/serverless.yml
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    names: tuple[str, ...]  # as other tools spell them
    use: str = ""  # the path of the key that does it here; "" for none
    says: str = ""  # how to write it there; without `use`, a whole sentence
    under: tuple[str, ...] = ()  # keys right above, "" for the top of the file; () anywhere

    @property
    def fix(self) -> str:
        if not self.use:
            return self.says
        return f"use `{self.use}`" + (f": {self.says}" if self.says else "")


def find_foreign(name: str, *, under: str) -> ForeignKey | None:
    """The row of a key below `under` ("" at the top); the one for that place comes first."""
    if name.lower().startswith("x-"):
        return _EXTENSION
    wanted = plain(name)
    rows = [row for row in FOREIGN_KEYS if any(plain(each) == wanted for each in row.names)]
    here = [row for row in rows if row.under and under in row.under]
    return next(iter((*here, *(row for row in rows if not row.under))), None)


def plain(name: str) -> str:
    """`health_check`, `healthcheck` and `HealthCheck` are one name."""
    return re.sub(r"[-_ ]", "", name).lower()


def _use(names: str, use: str, says: str = "", *, under: str = "") -> ForeignKey:
    return ForeignKey(names=tuple(names.split()), use=use, says=says, under=_places(under))


def _none(names: str, says: str, *, under: str = "") -> ForeignKey:
    return ForeignKey(names=tuple(names.split()), says=says, under=_places(under))


def _places(under: str) -> tuple[str, ...]:
    return tuple("" if place == "top" else place for place in under.split())


# Compose's extension fields, which hold what anchors repeat.
_EXTENSION = _none(
    "x-",
    "FSD has no extension keys (`x-…`): write an anchor where it is used first",
)
_ENVIRONMENTS_FILE = "write it in `.fsd/environments.yml`, as `{}`"


FOREIGN_KEYS: tuple[ForeignKey, ...] = (
    # --- whose it is ---
    _use(
        "name nameOverride fullnameOverride fullname serviceName family app application",
        "metadata.name",
        under="top service",
    ),
    _use("team squad group", "metadata.pack", "the owning team", under="top metadata"),
    _use(
        "owner owners contacts maintainer maintainers codeOwners",
        "metadata.owners",
        under="top service",
    ),
    _use("spec", "service", "FSD's section has that name", under="top"),
    _use(
        "services functions",
        "service",
        "a Service YAML describes one service",
        under="top",
    ),
    _use(
        "labels podLabels podAnnotations annotations",
        "service.dockerLabels",
        "or `service.tags` for tags on AWS",
    ),
    _none("selector labelFile", "FSD has no labels by which it finds things"),
    _use("tags", "service.tags", under="top metadata"),
    _use("stackTags resourceTags", "service.tags"),
    _none(
        "propagateTags enableECSManagedTags copyTagsToSnapshot",
        "FSD has no switch for it: tasks have the service's tags and ECS's own",
    ),
    _none(
        "namespace",
        "FSD has no namespaces: an environment has a cluster of its own (`spec.cluster` in "
        "`.fsd/environments.yml`); `service.autoScaling.metric.namespace` is CloudWatch's",
        under="top metadata service networking connect",
    ),
    _none(
        "version", "FSD has no version in a Service YAML: `fsd deploy --version` labels a release"
    ),
    # --- what runs ---
    _use("cmd args runCommand startCommand run dockerCommand", "service.command"),
    _use(
        "imageUri imageLocation ecrRepositoryUrl imageIdentifier imageRepository location "
        "taskImage repository",
        "service.image",
    ),
    _use("dockerfile dockerfilePath file", "service.build.dockerfile", under="service top image"),
    _use("dockerfilePath dockerfileInline file", "service.build.dockerfile", under="build"),
    _use("context dockerContext sourceDir", "service.build.context", under="service top image"),
    _use("path sourceDir dockerContext", "service.build.context", under="build"),
    _use("buildArgs", "service.build.args"),
    _use("buildTarget stage", "service.build.target", under="service build"),
    _use("cacheFrom cacheTo noCache", "service.build.cache", "`false` builds without a cache"),
    _none(
        "buildpacks preBuild postBuild sourceConfiguration develop package buildCommand",
        "FSD has no builds without a Dockerfile: `service.build` names one, `--image` takes a "
        "ready image",
    ),
    _none(
        "runtime runtimeVersion snapStart pythonVersion handler layers",
        "FSD has no runtimes: the Dockerfile names the Python, and `service.command` the program",
    ),
    _use(
        "runtimePlatform cpuArchitecture architecture architectures arch",
        "service.platform",
        "X86_64 or ARM64",
    ),
    _none("operatingSystemFamily os osFamily", "FSD has no choice of system: tasks run on Linux"),
    _use(
        "sidecars containers containerDefinitions additionalContainers sidecarContainers",
        "service.sidecars",
        "a list of `{name: NAME, image: URI}`",
        under="top",
    ),
    _use(
        "containers containerDefinitions additionalContainers sidecarContainers",
        "service.sidecars",
        "a list of `{name: NAME, image: URI}`",
    ),
    _use(
        "initContainers",
        "service.sidecars",
        "with `essential: false`, and `service.dependsOn: {NAME: SUCCESS}`",
    ),
    _none("targetContainer", "FSD has no other target: requests go to the service's container"),
    _none("links externalLinks volumesFrom", "FSD has no links: containers share localhost"),
    _use(
        "migrations migrate preDeploy releaseCommand preRun preDeployCommand",
        "service.beforeDeploy",
        "`command`, which runs as a task of the new image before the rollout",
    ),
    _use("postDeploy postRun postDeployCommand", "service.afterDeploy", "`command`"),
    _none("hooks", "FSD has no hooks; `service.beforeDeploy` runs before the rollout"),
    _use(
        "schedule cronJobs on cron rate events jobs scheduledTasks event",
        "service.schedule",
        "`rate(1 hour)` or `cron(…)`, with `kind: Job`",
    ),
    _none(
        "stateMachine onError destinations",
        "FSD has no state machines: EventBridge Scheduler starts a Job",
    ),
    _use(
        "imagePullSecrets authenticationConfiguration credentialsParameter credentials "
        "registryCredentials",
        "service.repositoryCredentials",
        "the ARN of a secret with `username` and `password`",
    ),
    _none("imagePullPolicy pullPolicy", "FSD has no pull policy: an image is known by digest"),
    # --- sizes ---
    _use(
        "vcpu cpuCount cpus cpuUnits cpuLimit cpuRequest",
        "service.resources.cpu",
        "in CPU units, 1024 is one vCPU",
    ),
    _use(
        "mem memLimit memoryLimit memorySize memoryMiB memoryMB memoryInMB memoryRequest ram",
        "service.resources.memory",
        "in MiB, without a unit",
    ),
    _use(
        "limits requests reservations",
        "service.resources.cpu",
        "with `memory` beside it; a Fargate task has one size and no limit of its own",
    ),
    _use(
        "instanceConfiguration plan instanceSizeSlug dyno machine vm size instanceType "
        "instanceSize taskSize",
        "service.resources",
        "`cpu` and `memory`",
    ),
    _none(
        "memoryReservation memReservation memswapLimit memorySwap shmSize sharedMemorySize oomKill",
        "FSD has no such limit: the container has all of `service.resources.memory`",
    ),
    _none(
        "gpu inferenceAccelerators gpus resourceRequirements devices accelerator",
        "FSD has no GPUs: Fargate has none",
    ),
    _use(
        "ephemeralStorageSize storageGiB storage ephemeral diskSize disk ephemeralStorageGiB",
        "service.resources.ephemeralStorage",
        "in GiB, 21 to 200",
    ),
    _use(
        "capacityProvider capacityProviders capacityProviderStrategy fargateSpot",
        "service.resources.spot",
        "`true`, or `{base: 1, percent: 80}`",
    ),
    _use("spot", "service.resources.spot", under="service"),
    _none(
        "nodeSelector orderedPlacementStrategy runtimePlacement zones availabilityZones affinity "
        "tolerations topologySpreadConstraints placement "
        "placementConstraints "
        "placementStrategy placementStrategies availabilityZoneRebalancing priorityClassName "
        "runtimeClassName",
        "FSD has no placement: Fargate places tasks, and spreads them over the subnets' zones",
    ),
    # --- numbers of tasks ---
    _use(
        "replicas numInstances minInstancesCount replicaCount count scale instances "
        "instanceCount numReplicas numberOfTasks "
        "taskCount desired desiredTasks desiredInstances desiredCount desiredCapacity",
        "service.resources.desiredCount",
    ),
    _use(
        "min minCount minScale autoscalingMinCapacity minReplicas minTasks minSize minInstances "
        "minCapacity minimumCapacity "
        "minContainers",
        "service.resources.minCapacity",
    ),
    _use(
        "max maxCount maxScale autoscalingMaxCapacity maxReplicas maxTasks maxSize maxInstances "
        "maxCapacity maximumCapacity "
        "maxContainers",
        "service.resources.maxCapacity",
    ),
    _use("range", "service.resources.minCapacity", "and `maxCapacity` beside it"),
    _use(
        "scaling autoscale horizontalPodAutoscaler hpa autoScalingConfiguration scalingPolicies "
        "autoScalingConfigurationArn",
        "service.autoScaling",
        "`targetCPUUtilization` or `targetMemoryUtilization`; the bounds are "
        "`service.resources.minCapacity` and `maxCapacity`",
    ),
    _use(
        "cpuPercentage targetCpu cpuTarget averageCpuUtilization targetCpuUtilizationPercentage "
        "cpuThreshold averageUtilization",
        "service.autoScaling.targetCPUUtilization",
    ),
    _use("cpu", "service.autoScaling.targetCPUUtilization", under="autoScaling"),
    _use(
        "memoryPercentage targetMemory memoryTarget targetMemoryUtilizationPercentage "
        "memoryThreshold "
        "averageMemoryUtilization",
        "service.autoScaling.targetMemoryUtilization",
    ),
    _use("memory", "service.autoScaling.targetMemoryUtilization", under="autoScaling"),
    _use(
        "cooldown cooldownPeriod cooldownSeconds",
        "service.autoScaling.scaleInCooldown",
        "and `scaleOutCooldown` beside it",
    ),
    _use(
        "inCooldown scaleInCooldownSeconds scaleDownCooldown", "service.autoScaling.scaleInCooldown"
    ),
    _use(
        "outCooldown scaleOutCooldownSeconds scaleUpCooldown",
        "service.autoScaling.scaleOutCooldown",
    ),
    _none(
        "responseTime maxConcurrency",
        "FSD has no scaling by response times; by requests, CPU, memory, a queue or a metric of "
        "your own",
        under="autoScaling",
    ),
    _use(
        "requests requestCountPerTarget requestsPerTarget",
        "service.autoScaling.targetRequestsPerTask",
        "in a minute",
        under="autoScaling",
    ),
    _use(
        "queueDelay queueScaling queue",
        "service.autoScaling.targetQueueDepth",
        "`queue` and `messagesPerTask`",
        under="autoScaling",
    ),
    _use("customMetric", "service.autoScaling.metric", under="autoScaling"),
    _none(
        "responseTime queueDelay "
        "maxConcurrency concurrency reservedConcurrency provisionedConcurrency",
        "FSD has no scaling by concurrency; by requests, CPU, memory, a queue or a metric of your "
        "own (`service.autoScaling`)",
    ),
    _use("scheduledScaling scheduledActions", "service.autoScaling.schedules"),
    _use("requestCountPerTarget", "service.autoScaling.targetRequestsPerTask"),
    # --- health checks ---
    _use(
        "livenessProbe readinessProbe probe probes httpHealthCheck healthCheckConfiguration",
        "service.healthCheck",
        "one check, by `path`",
    ),
    _use("healthCheckPath healthPath healthCheckUrl", "service.healthCheck.path"),
    _use("url endpoint uri httpGet", "service.healthCheck.path", under="healthCheck"),
    _use(
        "startupProbe initialDelaySeconds initialDelay "
        "healthCheckGracePeriod healthCheckGracePeriodSeconds gracePeriodSeconds startupTime",
        "service.healthCheck.gracePeriod",
        "in seconds",
    ),
    _use(
        "periodSeconds intervalSeconds healthCheckInterval healthCheckIntervalSeconds period",
        "service.healthCheck.interval",
        "in seconds",
    ),
    _use(
        "timeoutSeconds healthCheckTimeout healthCheckTimeoutSeconds",
        "service.healthCheck.timeout",
        "in seconds",
    ),
    _use(
        "threshold",
        "service.healthCheck.unhealthyThreshold",
        "failed checks; `healthyThreshold` counts good ones",
        under="healthCheck",
    ),
    _use("successThreshold healthyThresholdCount", "service.healthCheck.healthyThreshold"),
    _use(
        "retries failureThreshold unhealthyThresholdCount failures",
        "service.healthCheck.unhealthyThreshold",
        under="healthCheck",
    ),
    _use("failureThreshold unhealthyThresholdCount", "service.healthCheck.unhealthyThreshold"),
    _use(
        "test cmd exec script",
        "service.healthCheck.command",
        "a list of words, or a string that a shell runs, without CMD or CMD-SHELL",
        under="healthCheck",
    ),
    _use(
        "scheme tcpSocket grpc type",
        "service.healthCheck.protocol",
        "http, https, grpc or tcp",
        under="healthCheck",
    ),
    _use(
        "successCodes successCode statusCodes codes expectedStatus httpCode statusCode",
        "service.healthCheck.matcher",
        'status codes in quotes, such as "200-399"',
    ),
    _none(
        "enabled disabled disable none",
        "FSD has no way to switch the health check off",
        under="healthCheck",
    ),
    _none(
        "headers method body httpHeaders",
        "FSD has no headers, method or body of the check: it is a GET without any",
        under="healthCheck",
    ),
    _none(
        "retries",
        "FSD has no retries here: `service.healthCheck.unhealthyThreshold` counts failed checks, "
        "ECS starts a new task for one that ended, and `service.retries` is a Job's",
    ),
    # --- settings, secrets, permissions ---
    _use(
        "env extraEnv envVars variables vars environmentVariables runtimeEnvironmentVariables",
        "service.environment",
        "a map, `NAME: value`",
    ),
    _use(
        "envFile envFiles environmentFile",
        "service.environmentFiles",
        "ARNs of files in S3; write the lines of a local file in `service.environment`",
    ),
    _none(
        "useDotenv envFrom configMap configMaps config configs configMapRef",
        "FSD has no maps of settings: write each in `service.environment`, or a file in S3 in "
        "`service.environmentFiles`",
    ),
    _use(
        "secretVariables secretsFrom runtimeEnvironmentSecrets secretRef secretKeyRef "
        "secretsManager secretArns secretEnv",
        "service.secrets",
        "a list of `{name: NAME, valueFrom: ARN}`",
    ),
    _use("arn from secretArn parameter ssm key", "service.secrets[0].valueFrom", under="secrets"),
    _use("variable env environment envVar", "service.secrets[0].name", under="secrets"),
    _use(
        "iam policies policy iamRoleStatements permissions taskPolicies managedPolicies "
        "managedPolicyArns inlinePolicy uses",
        "dependencies",
        "`type`, `name` and `permissions` of each resource that the service uses; they "
        "become the task role",
        under="top service metadata",
    ),
    _use("actions action access", "dependencies[0].permissions", under="dependencies"),
    _use(
        "resource arn id bucket table queue topic",
        "dependencies[0].name",
        "its name; FSD makes the ARN of it",
        under="dependencies",
    ),
    _use("kind", "dependencies[0].type", under="dependencies"),
    _use(
        "taskRole taskRoleArn role roleArn iamRole instanceRole instanceRoleArn serviceAccount "
        "serviceAccountName",
        "service.roles.task",
        "a role's ARN; without it FSD makes one from `dependencies`",
    ),
    _use("executionRole executionRoleArn accessRoleArn", "service.roles.execution"),
    _use("permissionsBoundary", "service.roles.boundary", "a policy's ARN"),
    _none("rbac automountServiceAccountToken", "FSD has no accounts in a cluster"),
    # --- network ---
    _use(
        "containerPort targetPort httpPort listenPort appPort expose", "service.port", "one number"
    ),
    _use(
        "internalPorts portMappings additionalPorts servicePorts",
        "service.ports",
        "one entry for each port: `{name: grpc, port: 50051, protocol: grpc}`",
    ),
    _none(
        "containerPortRange hostPort published",
        "FSD has no ranges of ports and no port of the host: `service.ports` are the container's",
    ),
    _use(
        "protocol appProtocol",
        "service.ports[0].protocol",
        "http, http2, grpc or tcp; with `certificateArn` the load balancer takes HTTPS",
    ),
    _use(
        "loadBalancer loadBalancers alb http ingress publicIngress elb lb",
        "service.networking.loadBalancer",
    ),
    _use(
        "public isPubliclyAccessible publiclyAccessible internetFacing scheme external visibility",
        "service.networking.loadBalancer.internal",
        "`false` makes it reachable from the internet",
    ),
    _use(
        "certificate certificates certificateArns acm acmCertificateArn tls ssl sslCertificate "
        "https",
        "service.networking.loadBalancer.certificateArn",
    ),
    _use("nlb networkLoadBalancer", "service.networking.loadBalancer.type", "`network`"),
    _use(
        "host hostname hostHeader",
        "service.networking.loadBalancer.hosts",
        "a list, with `listenerArn`",
        under="loadBalancer networking",
    ),
    _use(
        "host hosts hostname alias aliases domain domains domainName customDomain hostedZone "
        "route53",
        "service.networking.loadBalancer.domain",
        "a name and the id of its hosted zone",
    ),
    _none(
        "dns hostAliases extraHosts dnsPolicy",
        "FSD has no names of its own in a container: DNS finds other services",
    ),
    _use(
        "path rules additionalRules routes listenerRules rule httpApi pathPattern",
        "service.networking.loadBalancer.paths",
        "a list, with `listenerArn`",
        under="service networking loadBalancer top",
    ),
    _use(
        "listener listeners loadBalancerArn loadBalancerName",
        "service.networking.loadBalancer.listenerArn",
        "the ARN of an existing listener",
    ),
    _use(
        "targetGroupArn lbTargetGroup targetGroup targetGroups",
        "service.networking.loadBalancer.targetGroupArn",
        "the ARN of an existing target group",
    ),
    _use(
        "stickySessions sessionAffinity",
        "service.networking.loadBalancer.stickiness",
        "in seconds",
    ),
    _use("connectionTimeout", "service.networking.loadBalancer.idleTimeout", "in seconds"),
    _use(
        "logBucket accessLog accessLogBucket logsBucket",
        "service.networking.loadBalancer.accessLogs",
        "with a `bucket`",
    ),
    _use(
        "allowedSourceIps ingressAllow ingressCidrs cidr cidrs allowedCidrs sourceRanges "
        "loadBalancerSourceRanges",
        "service.networking.loadBalancer.ingress",
        "a list of ranges",
    ),
    _none("wafAcl waf webAcl", "FSD has no WAF: attach one to the load balancer yourself"),
    _use(
        "subnets subnetIds privateSubnets publicSubnets",
        "service.networking.subnets",
        "a list of ids; those of an environment stand in .fsd/environments.yml",
    ),
    _none("vpcId", "FSD has no VPC in a Service YAML: " + _ENVIRONMENTS_FILE.format("spec.vpc.id")),
    _use(
        "securityGroups securityGroupIds securityGroup",
        "service.networking.securityGroups",
        "a list of ids, beside the one that FSD makes",
    ),
    _none(
        "egressType vpcConnectorArn egress egressConfiguration vpcConnector networkPolicy",
        "FSD has no rules for outgoing traffic: give them a security group of yours in "
        "`service.networking.securityGroups`",
    ),
    _use(
        "assignPublicIp publicIp",
        "service.networking.vpc",
        "`false` puts tasks into public subnets, with a public IP",
    ),
    _use(
        "network networkConfiguration awsvpcConfiguration",
        "service.networking",
        under="top service metadata",
    ),
    _none(
        "networkMode hostNetwork disableNetworking dnsServers dnsSearchDomains dnsOpt dnsSearch "
        "dnsConfig macAddress",
        "FSD has no network settings of the container: Fargate has awsvpc only",
    ),
    _none("networks", "FSD has no networks of its own: tasks are in the environment's VPC"),
    _use(
        "serviceConnect serviceConnectConfiguration serviceDiscovery serviceRegistries cloudMap",
        "service.networking.connect",
        "`{name: NAME}`, by which others reach it",
    ),
    _use("connect", "service.networking.connect", under="service"),
    _none(
        "appMesh proxyConfiguration mesh vpcLattice vpcLatticeConfigurations",
        "FSD has no mesh: `service.networking.connect` is Service Connect",
    ),
    _none("cdn cloudfront", "FSD has no CDN"),
    # --- the container ---
    _use(
        "persistence extraVolumes fileSystemConfig fileSystemId mountPoints volumeMounts efs "
        "efsVolumeConfiguration tmpfs bindMounts mounts fileSystem storage",
        "service.volumes",
        "a list of `{name: NAME, path: FOLDER}`, with `efs` for files that stay",
        under="service top",
    ),
    _use("rootDirectory", "service.volumes[0].efs.root", under="efs"),
    _use("mountPath containerPath target", "service.volumes[0].path", under="volumes"),
    _none("persistentVolumeClaim volumeConfigurations", "FSD has no EBS volumes of a service"),
    _use(
        "killTimeout maxShutdownDelaySeconds stopGracePeriod terminationGracePeriodSeconds "
        "shutdownTimeout gracefulShutdown",
        "service.stopTimeout",
        "in seconds, 2 to 120",
    ),
    _none(
        "stopSignal preStop lifecycle",
        "FSD has no signal or hook for the stop: ECS sends SIGTERM, or the image's STOPSIGNAL, and "
        "SIGKILL after `service.stopTimeout`",
    ),
    _none("startTimeout", "FSD has no time limit for the start of a container"),
    _use("runAsUser runAsNonRoot runAsGroup group", "service.user", 'such as "1000:1000"'),
    _use("workingDir workdir", "service.workingDirectory"),
    _use("initProcessEnabled", "service.init", "`true`, which is the default"),
    _use("readOnly readOnlyRootFs readonlyFs", "service.readonlyRootFilesystem"),
    _use(
        "capAdd capDrop",
        "service.capabilities",
        "`add` and `drop`, without CAP_; Fargate adds SYS_PTRACE only",
    ),
    _use(
        "sysctls sysctl kernelParameters",
        "service.systemControls",
        "a list of `{namespace, value}`",
    ),
    _use("faultInjection", "service.enableFaultInjection", "`true`"),
    _none(
        "blkioConfig cgroup cpuset cpuShares cpuQuota cpuPeriod cpuRtPeriod cpuRtRuntime "
        "cpuPercent deviceCgroupRules groupAdd memSwappiness oomKillDisable oomScoreAdj "
        "pidsLimit usernsMode uts isolation storageOpt credentialSpecs credentialSpec "
        "linuxParameters privileged "
        "securityContext securityOpt dockerSecurityOptions pidMode pid ipcMode ipc "
        "podSecurityContext "
        "cgroupParent",
        "FSD has no kernel settings of the container: they are Fargate's; it has "
        "`service.ulimits` and `service.capabilities`",
    ),
    _none(
        "restart restartPolicyType restartPolicyMaxRetries restartPolicy",
        "FSD has no restart policy: ECS starts a new task for one that ended",
    ),
    _use("execute enableExecuteCommand ecsExec executeCommand", "service.exec", "`true`"),
    _none(
        "stdin tty stdinOpen interactive pseudoTerminal",
        "FSD has no terminal of a container: `service.exec` lets `fsd exec` open a shell in one",
    ),
    _none("containerName", "FSD has no name of the container: it is `metadata.name`"),
    _none("platformVersion", "FSD has no platform version: Fargate's latest"),
    _none(
        "taskDefinition taskdefOverrides taskDefinitionOverrides overrides podTemplate template "
        "cfnOverrides extensions patches rawTaskDefinition",
        "FSD has no way to change the task definition or the template that it makes; `--override` "
        "sets keys of the Service YAML itself",
    ),
    # --- logs, traces, metrics ---
    _use("logs", "service.observability.logs", under="top"),
    _use(
        "logging log logConfiguration awslogs",
        "service.observability.logs",
        under="service top",
    ),
    _use(
        "logRetention logRetentionInDays retentionInDays retentionDays retentionPeriod",
        "service.observability.logs.retention",
        "in days",
    ),
    _use("days", "service.observability.logs.retention", under="logs"),
    _use(
        "logDriver destination firelens firelensConfiguration awsfirelens fluentbit",
        "service.observability.logs.driver",
        "`awsfirelens`, with the `options` of an output",
    ),
    _none("configFilePath", "FSD has no file for Fluent Bit: `options` say its output"),
    _use(
        "logGroup logGroupName awslogsGroup",
        "service.observability.logs.group",
        "the name of one that exists",
        under="logs observability service",
    ),
    _none(
        "stream streamPrefix",
        "FSD has no name of a log stream",
        under="logs observability service",
    ),
    _use(
        "tracing xray otel openTelemetry",
        "service.observability.traces",
        under="service top observability",
    ),
    _use("prometheus scrape", "service.observability.metrics", under="service top observability"),
    _use("endpoint otlp exporter url", "service.observability.traces.otlpEndpoint", under="traces"),
    _none("vendor sampling sampleRate samplingRate", "FSD has no choice of it", under="traces"),
    _none(
        "containerInsights monitoring",
        "FSD has no Container Insights: it is a setting of the cluster",
    ),
    _none("dashboards dashboard", "FSD has no dashboards"),
    # --- deployments ---
    _use(
        "deploymentConfiguration rollout updateConfig deploy",
        "service.deployment",
        under="service top",
    ),
    _use("strategy updateStrategy rollingUpdate", "service.deployment", under="service top"),
    _none(
        "rollingUpdate rolling",
        "FSD has no section of that name: `minimumHealthyPercent` and `maximumPercent` limit a "
        "rolling deployment",
        under="deployment",
    ),
    _use(
        "blueGreen traffic trafficShift trafficSplit trafficRouting codeDeploy",
        "service.deployment.strategy",
        "`blueGreen`, `canary` or `linear`",
    ),
    _use("canary canaryConfiguration", "service.deployment.canary"),
    _use("linear linearConfiguration", "service.deployment.linear"),
    _use("canaryPercent", "service.deployment.canary.percent"),
    _use("canaryBakeTimeInMinutes", "service.deployment.canary.bakeTime", "in minutes"),
    _use("stepBakeTimeInMinutes", "service.deployment.linear.stepBakeTime", "in minutes"),
    _none("deploymentController", "FSD has no other controller than ECS's own"),
    _none("testListener", "FSD has no listener for test traffic"),
    _use(
        "minHealthyPercent minimumHealthy maxUnavailable minHealthy",
        "service.deployment.minimumHealthyPercent",
    ),
    _use(
        "maxPercent maxHealthyPercent maxSurge maximumHealthyPercent",
        "service.deployment.maximumPercent",
    ),
    _use(
        "deploymentCircuitBreaker rollback autoRollback",
        "service.deployment.circuitBreaker",
        "the breaker is always on, `threshold` is its only key",
    ),
    _none(
        "enable rollback enabled",
        "FSD has no switch for it: the breaker is always on, and rolls back",
        under="circuitBreaker",
    ),
    _use("rollbackAlarms alarmNames", "service.deployment.alarms", "a list of names"),
    _use(
        "deregistrationDelaySeconds drainTimeout draining connectionDraining drainingTimeout "
        "deregistrationDelay",
        "service.deployment.deregistrationDelay",
        "in seconds",
    ),
    _use("bakeTimeInMinutes bake", "service.deployment.bakeTime", "in minutes"),
    _none(
        "timeout deploymentTimeout",
        "FSD has no time limit in a Service YAML: `fsd deploy --timeout`",
        under="deployment",
    ),
    _none(
        "requestTimeout",
        "FSD has no time limit for requests; `service.healthCheck.timeout` is that of a check",
        under="service top resources",
    ),
    _none("minReadySeconds revisionHistoryLimit paused", "FSD has no such setting"),
    _use(
        "environments stages profiles",
        "environments",
        "a section at the top of the file, beside `service`, with keys of `service` by environment",
        under="service metadata deployment",
    ),
    _use("stages profiles stage", "environments", "keys of `service` by environment", under="top"),
    # --- the account ---
    _none(
        "region regions primaryRegion awsRegion",
        "FSD has no region in a Service YAML: " + _ENVIRONMENTS_FILE.format("spec.region"),
    ),
    _none(
        "account accountId awsAccount",
        "FSD has no account in a Service YAML: " + _ENVIRONMENTS_FILE.format("spec.account"),
    ),
    _none(
        "cluster clusterName ecsCluster",
        "FSD has no cluster in a Service YAML: " + _ENVIRONMENTS_FILE.format("spec.cluster"),
    ),
    _none(
        "launchType requiresCompatibilities compatibilities provider",
        "FSD has no launch types: every task runs on Fargate",
    ),
    _none("schedulingStrategy", "FSD has no scheduling strategy: ECS keeps `desiredCount` tasks"),
    _none(
        "queue publish subscribe topics queues database databases addons tables buckets",
        "FSD has no queues, topics or databases of its own making: `dependencies` grants the use "
        "of existing ones",
        under="service top",
    ),
    _none("plugins custom frameworkVersion", "FSD has no plugins or sections of your own"),
    # --- what only some tools have ---
    _none(
        "progressDeadlineSeconds",
        "FSD has no time limit in a Service YAML: `fsd deploy --timeout`",
    ),
    _none("postStart fromCfn stack configValidationMode", "FSD has no such feature"),
    _none("functions", "FSD has no functions: a service runs all the time", under="service"),
    _none(
        "extends include use_api_socket provider attach models processes formation procfile web "
        "worker",
        "FSD has no other files or processes: a Service YAML is one file about one program",
        under="top service",
    ),
    _none(
        "autoDeploy autoDeploymentsEnabled",
        "FSD has no automatic deployments: the workflow deploys, for the branches that "
        "`.fsd/environments.yml` names",
    ),
    _none(
        "forceNewDeployment waitForSteadyState wait clientToken",
        "FSD has no key for it: `fsd deploy` waits for the verdict, and `fsd restart` starts every "
        "task again",
    ),
    _none("versionConsistency", "FSD has no such switch: an image is known by its digest"),
    _none(
        "kmsKey kmsKeyId encryptionConfiguration encryption encrypted",
        "FSD has no keys of your own for encryption except that of the logs, "
        "`service.observability.logs.kmsKey` or `service.logs.kmsKey`: AWS's are used",
    ),
    _none("sleepApplication scaleToZero cpuThrottling startupCpuBoost", "FSD has no such setting"),
    _none(
        "description repo repository slack oncall contact tier costCenter app links url",
        "FSD has no such key: `metadata` has `name`, `pack` and `owners`",
        under="metadata",
    ),
    _use(
        "redirectToHttps redirectHttps httpsRedirect forceHttps",
        "service.networking.loadBalancer.certificateArn",
        "with it, 80 redirects to 443 by itself",
    ),
    _none(
        "deletionProtection http2 dualstack ipAddressType sslPolicy crossZone "
        "dropInvalidHeaderFields",
        "FSD has no such setting of the load balancer",
    ),
    _none(
        "port ports listenerPort",
        "FSD has no choice of the load balancer's port: 80, or 443 with `certificateArn`; "
        "`service.port` is the container's",
        under="loadBalancer",
    ),
    _none("name", "FSD has no name of the load balancer: it makes one", under="loadBalancer"),
    _use("httpService", "service.networking.loadBalancer"),
    _use("private mode placement", "service.networking.vpc", under="networking vpc"),
    _use(
        "pdb podDisruptionBudget minAvailable",
        "service.deployment.minimumHealthyPercent",
        "in percent",
    ),
    _use("serviceMonitor podMonitor", "service.observability.metrics"),
    _use("observabilityConfiguration", "service.observability"),
    _use("logging log", "service.observability.logs", under="observability"),
    _none(
        "sentry datadog newRelic apm profiling agent agents",
        "FSD has no agents of other makers: put the library into the image",
        under="observability service",
    ),
    _none(
        "alarms alerts alerting",
        "FSD has no alarms of its own; `service.deployment.alarms` names those that roll back",
        under="observability service",
    ),
    _none(
        "format level multilinePattern datetimeFormat",
        "FSD has no such setting of the logs: every line goes to CloudWatch as it is",
        under="logs",
    ),
    _none(
        "startInterval",
        "FSD has no other interval for the start: `service.healthCheck.interval` is for all checks",
    ),
    _none(
        "enabled",
        "FSD has no switch for auto scaling: leave the section out",
        under="autoScaling",
    ),
    _none(
        "metrics target targetValue policies policy step predictive disableScaleIn behavior "
        "stabilizationWindowSeconds",
        "FSD has no scaling policies of your own: `targetCPUUtilization` and "
        "`targetMemoryUtilization`, each with the cooldowns",
        under="autoScaling",
    ),
    _none(
        "mode endpointMode parallelism delay order failureAction monitor maxFailureRatio "
        "updateConfig rollbackConfig",
        "FSD has no such setting: `minimumHealthyPercent`, `maximumPercent`, `circuitBreaker` and "
        "`alarms` say how a deployment goes",
        under="deployment",
    ),
    _none(
        "type controller",
        "FSD has no choice of the controller: ECS rolls every deployment out",
        under="deployment",
    ),
    _use("approvals gates", "service.deployment.approval", under="deployment"),
    _none(
        "lifecycleHooks",
        "FSD has no lifecycle hooks of your own: `service.deployment.approval` pauses a deployment",
        under="deployment",
    ),
    _use(
        "type value count failureThreshold thresholdConfiguration",
        "service.deployment.circuitBreaker.threshold",
        "a number of failed tasks",
        under="circuitBreaker",
    ),
    _none("resetOnHealthyTask", "FSD has no such setting of the breaker"),
    _use(
        "secretName secretId path",
        "service.secrets[0].valueFrom",
        "the full ARN of the secret or parameter",
        under="secrets",
    ),
    _none(
        "value",
        "FSD has no secret values in a Service YAML: `valueFrom` names the secret that has it",
        under="secrets",
    ),
    _none("optional required", "FSD has no optional secrets", under="secrets"),
)
