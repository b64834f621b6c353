"""The engines by name: a page of its own, because the command line shows the names without loading an engine."""

__all__ = ["ENGINES", "ENGINE_NAMES"]

# Name -> the package that it needs and our module in mninfer.engines, in the order of preference.
ENGINES = {
    "litert": ("ai_edge_litert", "litert"),
    "tflite-runtime": ("tflite_runtime", "tflite_runtime"),
    "tensorflow": ("tensorflow", "tensorflow"),
    "litert-gpu": ("ai_edge_litert", "litert_gpu"),
}
ENGINE_NAMES = ("auto", *ENGINES)
