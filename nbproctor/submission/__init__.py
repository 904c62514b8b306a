"""Submission: from the files handed in to a gradable notebook, or why not."""
