"""The broken class: what students hand in by accident, and what it must earn."""
