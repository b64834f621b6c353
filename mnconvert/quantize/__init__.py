"""The numbers of a quantized file, decided in numpy on typed data: no TensorFlow, no engine, no file."""
