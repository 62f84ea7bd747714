"""Where things are kept: the relational database, objects (bytes), and durable jobs."""
