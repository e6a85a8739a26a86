"""What exists only because several runs may deploy one service at the same time.

ECS's changes take no condition and there is no lock of ours. So a run looks at the deployments once
more immediately before it asks for its own, looks afterwards at what came in between all the same,
and never undoes what another run has begun.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
"""
