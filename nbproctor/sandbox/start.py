"""Run as a program: ``start.py MODULE DESCRIPTOR FOLDER …`` runs the module's ``main``.

It imports the package that contains this file, whatever else is installed, so that all
processes of a run have the same code. The folders come last in `sys.path` (for an
editable installation, they include the project's folder), so that nothing in them hides
an installed module.
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
