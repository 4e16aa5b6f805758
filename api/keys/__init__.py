"""Who may ask for what: keys, their scopes, the sessions that stand for them, and who changed what."""
