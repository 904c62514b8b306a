"""Engine: executes one submission, and returns its report."""

from nbproctor.engine.execution import (
    MAX_FILES_BYTES,
    ExecutionError,
    execute,
)
from nbproctor.engine.pool import Pool, processors
from nbproctor.engine.servers import EngineError, Servers, Settings, compile_tests

__all__ = [
    "MAX_FILES_BYTES",
    "EngineError",
    "ExecutionError",
    "Pool",
    "Servers",
    "Settings",
    "compile_tests",
    "execute",
    "processors",
]
