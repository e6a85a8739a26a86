"""Reads what people write and what an image is built from: a Dockerfile, `.dockerignore`, a folder.

FSD and its embedded AWS both need it, and neither may import the other; so it knows neither.
"""
