"""First contact with a service: ask it what its documentation leaves open."""
