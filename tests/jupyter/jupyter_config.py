"""Kernels of the tests are reached by files: a free TCP port may be taken by a test.

It counts for stock nbgrader and for servers, which JUPYTER_CONFIG_PATH leads here.
"""

import atexit
import tempfile

folder = tempfile.TemporaryDirectory()
atexit.register(folder.cleanup)
c = get_config()  # noqa: F821
c.KernelManager.transport = "ipc"
c.KernelManager.connection_file = f"{folder.name}/kernel.json"
