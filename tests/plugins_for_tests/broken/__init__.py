"""Plugins that are broken, each in one way; its module has the name of the plugin."""
