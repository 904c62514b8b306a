"""What the course kit adds: first assignment, students' zip and site."""
