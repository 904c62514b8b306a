@echo off
rem Finds a Python that is new enough, and lets it open the lab: kit.py does the rest.
setlocal DisableDelayedExpansion
cd /d "%~dp0"
if not exist "kit.py" goto packed
for %%P in ("py -3.13" "py -3.12" "py -3.11" "py -3" "python" "python3") do (
  %%~P -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>nul && set "PYTHON=%%~P" && goto found
)
rem Of an old Python, kit.py says what to do.
for %%P in ("py" "python") do (
  %%~P -c "pass" >nul 2>nul && set "PYTHON=%%~P" && goto found
)
echo There is no Python on this computer, and the lab needs one: 3.11, 3.12 or 3.13.
echo Get it from https://www.python.org/downloads/ (tick "Add python.exe to PATH"),
echo then start again.
goto failed

:packed
echo The other files are not beside this one. Close this window, right-click the zip,
echo choose "Extract All", and start again in the folder that this makes.
goto failed

:found
%PYTHON% kit.py lab %*
if errorlevel 1 goto failed
exit /b 0

:failed
echo.
pause
exit /b 1
