"""Training of aligned heads on a person's own pairs, with numpy on the CPU, and the measure of what they bring."""
