"""What is to be done with what was recognised or is known: rules, and decisions that are kept."""
