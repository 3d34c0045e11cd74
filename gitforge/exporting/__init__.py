"""Prompts in the formats of other tools: what each of them expects, and nothing about where the prompts are from."""
