"""How a process gives up its rights; nothing here knows notebooks."""
