"""What a team writes down: metricgate.yaml and the action's inputs, read into frozen, validated values."""
