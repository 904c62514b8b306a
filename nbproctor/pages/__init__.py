"""HTML for people: a feedback page for each student, a report for the class."""
