"""MLflow: a server on loopback that answers as MLflow does, and real ones."""
