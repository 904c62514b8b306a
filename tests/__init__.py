"""What is promised; the folders are the rooms of the package."""
