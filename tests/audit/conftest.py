"""Fork servers that all files of this room share."""

from tests.warm import warm_processes  # noqa: F401
