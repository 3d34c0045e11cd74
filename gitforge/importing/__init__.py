"""Other tools' prompts, taken over: what a folder holds, what becomes of it here, and the one commit of it."""
