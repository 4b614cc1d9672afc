"""Broken by its distribution only, which asks for a zhijia of years to come; it must not even be imported."""

raise AssertionError("it was imported")
