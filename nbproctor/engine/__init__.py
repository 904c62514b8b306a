"""Engine: executes one submission, and returns its report."""

from nbproctor.engine.cache import Cache, CachingExecutor
from nbproctor.engine.execution import (
    MAX_FILES_BYTES,
    Execution,
    Executor,
    Pool,
    execute,
)
from nbproctor.engine.servers import EngineError, ExecutionError, Servers, Settings

__all__ = [
    "MAX_FILES_BYTES",
    "Cache",
    "CachingExecutor",
    "EngineError",
    "Execution",
    "ExecutionError",
    "Executor",
    "Pool",
    "Servers",
    "Settings",
    "execute",
]
