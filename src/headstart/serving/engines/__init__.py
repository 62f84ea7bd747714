"""One file per engine: the command that serves a model's files through the OpenAI API."""
