"""Dispatch owns parcels and the delivery attempts that carry them: from the paid order to the buyer's door.

It publishes `parcel_*`, `refund_fenced`, `refund_refused`; it listens to checkout's orders and refunds and to
catalog's merchants, stores and staff."""
