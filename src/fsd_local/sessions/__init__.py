"""ECS Exec: a session that ExecuteCommand opens, and the data channel that it is used through.

The channel speaks the protocol of AWS Systems Manager's Session Manager, so that the AWS CLI with
its session-manager-plugin opens a shell here as on AWS. `client` speaks it too, for whoever has no
plugin.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
"""
