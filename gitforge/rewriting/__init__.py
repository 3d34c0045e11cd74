"""A YAML text rewritten for new data: what did not change keeps its characters, comments and all."""
