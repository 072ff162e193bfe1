"""The intermediate representation: what an API says, in no programming language.

Fully resolved: references to parameters, bodies and responses are followed, inherited security and default
policies are applied. Only `Ref` remains, since schemas may be recursive.
"""
