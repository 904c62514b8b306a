#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image: Python, the pinned packages, and
# the proof that the reference solution earns every point in this very container.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
if command -v apt-get >/dev/null; then
  apt-get update -q
  apt-get install -y -q bubblewrap python3-pip
fi
if [ ! -e .venv ]; then
  PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install -q uv
  python3 -m uv venv -q --python {{ python }} .venv
  python3 -m uv pip install -q --python .venv/bin/python -r requirements.txt
  # Installed, because a sandboxed process does not look into its working folder.
  python3 -m uv pip install -q --python .venv/bin/python --no-deps --editable .
fi
.venv/bin/python -m nbproctor container prepare {{ assignment }}
