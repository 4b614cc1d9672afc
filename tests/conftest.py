"""Shared fixtures of the tests of this repository; those that plugin authors use too are in core/testing.py."""
