"""From what a student handed in to a gradable notebook, or why not."""
