"""Three-way merges of what goals.yaml is made of: lines, ordered names, values, recipes."""
