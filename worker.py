"""The headless side: RQ workers and the clock, no web."""
