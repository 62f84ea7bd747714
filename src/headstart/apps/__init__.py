"""Apps: instructions + knowledge + reasoning over an endpoint, called by model name."""
