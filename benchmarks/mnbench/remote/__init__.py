"""Measuring on other devices: over OpenSSH with our own runner, over adb with the user's ``benchmark_model``."""
