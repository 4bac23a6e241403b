"""The pages people see: feed, deal, order, scanning, statement. Owns no data, publishes nothing, listens to nothing.
It acts with the visitor's own token, which it keeps in a sealed cookie.
"""
