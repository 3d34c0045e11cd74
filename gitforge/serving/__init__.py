"""What a workspace offers to agents, as plain records: prompts, resources, tools. `cli/mcp_server.py` serves it."""
