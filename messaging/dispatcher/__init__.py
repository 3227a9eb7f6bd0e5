"""The engine under the task `messaging.dispatch`: lanes, claims, slots, hand-overs and outcomes in one event loop."""
