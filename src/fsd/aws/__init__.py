"""The adapters: boto3 behind the Protocols of `fsd.release.ports`. `connect` builds them all.

AWS's errors are translated here, in `errors`, and nowhere else. Nothing here decides what to do.
"""
