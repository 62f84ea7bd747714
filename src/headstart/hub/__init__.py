"""The hub: which open models there are, where their weights come from, and what is here."""
