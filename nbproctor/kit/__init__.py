"""What the course kit adds: a sample class, and the zip that students get."""
