"""The adapters of `release.ports` on boto3. AWS errors are translated here, once."""
