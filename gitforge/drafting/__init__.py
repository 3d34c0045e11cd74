"""From a missing component to a draft of it: what a model is asked, and what is made of its answer."""
