"""Submission: from the submitted files to a gradable notebook, or why not."""
