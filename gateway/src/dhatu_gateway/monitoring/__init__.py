"""How the gateway is doing: metrics, health, logs."""
