"""Values between judge and student process; nothing in it is executable."""
