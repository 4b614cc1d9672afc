"""Plugins that exist for tests only. They are given to ``create_app(plugins=...)``, never installed."""
