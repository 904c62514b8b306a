"""Student process: runs student code inside the sandbox; untrusted."""
