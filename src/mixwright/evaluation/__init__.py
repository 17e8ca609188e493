"""Responses of every arm to the same items, and their scores. Raw responses are kept; scoring happens afterwards."""
