"""Several endpoints instead of one: who serves the next attempt, who is left alone, who is there at all.

`pool` is what the flow talks to. It asks a balancer (`round_robin`, `weighted`, `least_connections`,
`p2c_ewma`) among the healthy members that `ejection` leaves; the providers (`static`, `dns`, `consul`) say
who the members are. Imported only where a client is given several endpoints.
"""
