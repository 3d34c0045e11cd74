"""The library in git: `repo` reads and writes it, `transaction` turns one edit into one commit."""
