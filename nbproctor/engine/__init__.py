"""Engine: executes one submission, and returns its report."""

from nbproctor.engine.cache import Cache, CachingExecutor
from nbproctor.engine.execution import (
    Execution,
    Executor,
    Pool,
    execute,
)
from nbproctor.engine.servers import EngineError, ExecutionError, Servers, Settings

__all__ = [
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
