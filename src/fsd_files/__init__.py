"""Reads what people write and what an image is built from: a Dockerfile, `.dockerignore`, a folder;
and the schedule of a Job.

FSD and its embedded AWS both need it, and neither may import the other; so it knows neither.
"""
