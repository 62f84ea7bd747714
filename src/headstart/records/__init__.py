"""What every call leaves behind, and the feedback that hangs on it."""
