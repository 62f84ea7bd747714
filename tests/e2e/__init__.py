"""The product as its users meet it: a real server process, the real SDK, real models."""
