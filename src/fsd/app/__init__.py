"""The use cases: what `fsd` and the Action do, with one request each.

`fsd.cli` reads a command line and prints, `fsd.action` decides and tells, and both call this.
"""
