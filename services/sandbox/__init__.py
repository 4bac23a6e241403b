"""Owns the outside world of development and tests: Alipay, 达达, 闪送, 快递100, an identity issuer, a movable clock.

Publishes only the offset of its clock, on exchange `clock`; listens to no message.
"""
