"""Student code is held on Linux only."""

import sys

if sys.platform != "linux":
    collect_ignore_glob = ["*"]
