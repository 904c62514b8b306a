"""Sandbox of a process: how it gives up its rights. Nothing here knows notebooks."""
