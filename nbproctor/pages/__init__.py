"""HTML pages: feedback for each student, a report for the class."""
