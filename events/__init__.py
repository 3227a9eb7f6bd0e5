"""The outbox: the only way upward. An event is written in the transaction of the action that it tells of."""
