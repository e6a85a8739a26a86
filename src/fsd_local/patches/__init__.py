"""Every private name of MiniStack that FSD touches, and nothing else.

MiniStack is pinned to one version (extra `local`); each patch has a contract test, so that a new
version is one red test per name that moved. Importing anything in here imports MiniStack, which
reads its settings from the environment at import: `fsd_local.server` sets them first.
"""
