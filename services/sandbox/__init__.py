"""Owns the outside world of development and tests: Alipay, 达达, 快递100, an identity issuer and the movable clock.

Publishes only the offset of its clock, on exchange `clock`; listens to no message.
"""
