"""Rehearses cells in a process of its own; says which count, and what there is then.

It prints JSON: the cells that count as run, all names, where modules are, and the
modules whose files `inspect` has looked up.
"""

import inspect
import json
import sys

from nbproctor.student.shell import get_shell, run_opening_cells

if __name__ == "__main__":
    sys.dont_write_bytecode = True  # as in a fork server
    sys.path[:] = [path for path in sys.path if path]
    run_opening_cells(sys.argv[1:])
    shell = get_shell()
    facts = (
        shell.opening_outputs,
        shell.user_ns,
        sys.path,
        inspect.modulesbyfile.values(),
    )
    print(json.dumps([*map(list, facts)]))
