"""How an app gets from a question to an answer."""
