"""What the course kit adds: sample class, first assignment, and the students' zip."""
