"""Run as a program: ``start.py MODULE DESCRIPTOR FOLDER …`` runs the module's ``main``.

The folders come last in `sys.path`, that around an editable package too, so that
nothing in it can stand before an installed module.
"""

import sys
from importlib import import_module

if __name__ == "__main__":
    module, descriptor, *folders = sys.argv[1:]
    sys.path += folders
    import_module(module).main(int(descriptor))
