"""Wire shapes of the gateway: frames of peakdesk.v1 and records of the chat topic, made fast.

Pure translation between bytes and facts; knows no socket, no bus and no rule.
"""
