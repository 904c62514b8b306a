#!/usr/bin/env bash
# Gradescope runs this for each submission, as /autograder/run_autograder.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$root/source"
exec .venv/bin/python -m nbproctor container run {{ assignment }} "$root" \
  --visibility={{ visibility }}
