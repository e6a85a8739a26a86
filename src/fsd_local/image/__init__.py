"""Plays a Dockerfile without Docker, and pushes what it gives as an image for processes.

stages    instructions → a tree of files and a configuration, and what could not be done
snapshot  the tree → layer, configuration, manifest
registry  → the embedded AWS's registry
push      all of it
"""
