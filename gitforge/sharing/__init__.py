"""What a clone and its upstream have to do with each other: what came, what goes on top of it, what is sent."""
