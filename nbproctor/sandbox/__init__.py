"""Sandbox of a process: how it gives up its rights; it knows nothing of notebooks."""
