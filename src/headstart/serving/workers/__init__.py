"""Worker processes: one model each, behind OpenAI's API on a loopback port."""
