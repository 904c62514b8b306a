"""What is promised; the folders are the rooms of the package."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
