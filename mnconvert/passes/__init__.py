"""Rewrites of a finished flatbuffer: one pass, one file, one test file. Each is a function of bytes; twice is once."""
