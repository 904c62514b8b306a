"""What the course kit adds: sample class, first assignment, students' zip and site."""
