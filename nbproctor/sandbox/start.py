"""Run as a program: ``start.py MODULE DESCRIPTOR FOLDER …`` runs the module's ``main``.

It imports the package that this file belongs to, whatever else is installed: all
processes of a run have the same code. The folders come last in `sys.path`, that around
an editable package too, so that nothing in it can stand before an installed module.
"""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

if __name__ == "__main__":
    module, descriptor, *folders = sys.argv[1:]
    sys.path += folders
    spec = spec_from_file_location(
        "nbproctor", Path(__file__).resolve().parents[1] / "__init__.py"
    )
    assert spec and spec.loader
    sys.modules["nbproctor"] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules["nbproctor"])
    import_module(module).main(int(descriptor))
