"""What the service offers: a class a use case, which takes from the runtime what it needs; a result is its response."""
