"""gitforge forges prompt toolkits from a component library that lives in git."""

__version__ = "0.1.0"
