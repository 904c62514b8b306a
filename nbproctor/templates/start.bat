@echo off
rem Finds a Python that the packages support, and starts kit.py with it.
setlocal DisableDelayedExpansion
pushd "%~dp0"
if not exist "kit.py" goto packed
for %%P in ("py -3.14" "py -3.13" "py -3.12" "py -3.11" "py -3" "python" "python3") do (
  %%~P -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))" >nul 2>nul && set "PYTHON=%%~P" && goto found
)
rem With another version, kit.py says what to do.
for %%P in ("py" "python") do (
  %%~P -c "pass" >nul 2>nul && set "PYTHON=%%~P" && goto found
)
echo There is no Python on this computer. The lab needs Python 3.11 to 3.14.
echo Download it from https://www.python.org/downloads/latest/python3.14/
echo (tick "Add python.exe to PATH"), then start again.
goto failed

:packed
echo The other files of the zip are missing. Close this window, right-click the zip,
echo choose "Extract All", and start again in the new folder.
goto failed

:found
%PYTHON% kit.py lab %*
if errorlevel 1 goto failed
exit /b 0

:failed
echo.
pause
exit /b 1
