#!/bin/sh
# Finds a Python that the packages support, and starts kit.py with it.
unset CDPATH
cd -- "$(dirname -- "$0")" || exit 1

works() { # it is there, it starts, and it meets the condition
  path=$(command -v "$1" 2>/dev/null) || return 1
  # Without Apple's developer tools this one only opens a window that offers them.
  if [ "$path" = /usr/bin/python3 ] && [ "$(uname)" = Darwin ]; then
    xcode-select -p >/dev/null 2>&1 || return 1
  fi
  "$1" -c "import sys; sys.exit(not ($2))" >/dev/null 2>&1
}
find_python() {
  for name in python3.14 python3.13 python3.12 python3.11 python3 python; do
    if works "$name" "$1"; then
      python=$name
      return 0
    fi
  done
  return 1
}

if [ ! -f kit.py ]; then
  echo "The other files of the zip are missing. Unpack the whole zip, then start again."
  status=1
elif find_python "(3, 11) <= sys.version_info[:2] <= (3, 14)" || find_python True; then
  "$python" kit.py lab "$@" # with another version, kit.py says what to do
  status=$?
else
  echo "There is no Python on this computer. The lab needs Python 3.11 to 3.14."
  echo "Download it from https://www.python.org/downloads/latest/python3.14/ and start again."
  echo "On Debian and Ubuntu: sudo apt install python3 python3-venv"
  status=1
fi
if [ "$status" -ne 0 ] && [ -t 0 ]; then
  printf '\nPress Enter to close this window. '
  read -r _
fi
exit "$status"
