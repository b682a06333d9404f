"""Runs every story under every fault, and compares how it ends with how it ends without.

A folder of its own and not a test: it takes an hour, its results are a page of the documentation, and it is run with a
time that its user chooses. Tests of it are in tests/stories/test_prove.py.
"""
