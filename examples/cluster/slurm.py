"""A Dask scheduler on this computer, and workers as SLURM jobs that it gives.

In nbproctor's environment, after `pip install -c requirements.lock dask-jobqueue`:
`python examples/cluster/slurm.py 8`, and `grade --cluster` with the address that it
prints. Ctrl-C ends all of it. Other batch systems: PBSCluster, LSFCluster …
"""

import contextlib
import signal
import sys

from dask_jobqueue import SLURMCluster

with SLURMCluster(
    cores=1,  # one submission at a time in each job
    memory="2GB",
    walltime="02:00:00",
    worker_extra_args=["--no-dashboard"],
    # On a cluster, the network interface that its computers reach each other by:
    # interface="ib0",
) as cluster:
    cluster.scale(int(sys.argv[1]))
    print(cluster.scheduler_address, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
