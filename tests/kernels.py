"""Kernels for tests that look at marks: long tracebacks take longer than the code."""

from pathlib import Path


def brief(folder: Path) -> dict[str, str]:
    """Return variables under which kernels say one line of an error."""
    profile = folder / "ipython/profile_default"
    profile.mkdir(parents=True)
    settings = 'c.InteractiveShell.xmode = "Minimal"\n'
    (profile / "ipython_kernel_config.py").write_text(settings)
    return {"IPYTHONDIR": str(profile.parent)}
