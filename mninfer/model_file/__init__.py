"""The model file: checked, read and written with everything that travels inside it. No TensorFlow, no engine.

The names below are the package's public face for mnconvert, mnmodels and mnbench; they are imported when first used.
No module has the name of one of its functions: importing the module would then hide the function here.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true, as in mninfer
if TYPE_CHECKING:
    from mninfer.model_file.annotating import annotate
    from mninfer.model_file.arithmetic import Arithmetic, arithmetic_of
    from mninfer.model_file.check import check_graph, check_model, peak_activation_bytes
    from mninfer.model_file.contract import Contract, SourceContract, dump_json, load_json
    from mninfer.model_file.describe import ModelDescription, limits_elsewhere
    from mninfer.model_file.flatbuffer import Table
    from mninfer.model_file.golden import GoldenReport, GoldenVector, compare_golden, golden_picture, make_golden
    from mninfer.model_file.graph import Graph, Operator, Tensor, build_graph
    from mninfer.model_file.labels import format_labels, labels_misfit, parse_labels
    from mninfer.model_file.macs import count_macs, macs_by_operator
    from mninfer.model_file.metadata import FileMetadata, read_metadata
    from mninfer.model_file.model_bytes import read_model_bytes
    from mninfer.model_file.model_table import decode_model, encode_model
    from mninfer.model_file.parameters import count_parameters
    from mninfer.model_file.picture_input import image_input
    from mninfer.model_file.read import ModelFile, read_model
    from mninfer.model_file.runtime_versions import (
        is_dense_per_channel,
        oldest_runtime,
        runtime_by_operator,
        runtime_of,
    )
    from mninfer.model_file.write import without_contract, write_contract
    from mninfer.model_file.xnnpack_limits import has_idle_padding, misread_by_xnnpack
    from mninfer.tensors import Quantization

__all__ = [
    "Arithmetic",
    "Contract",
    "FileMetadata",
    "GoldenReport",
    "GoldenVector",
    "Graph",
    "ModelDescription",
    "ModelFile",
    "Operator",
    "Quantization",
    "SourceContract",
    "Table",
    "Tensor",
    "annotate",
    "arithmetic_of",
    "build_graph",
    "check_graph",
    "check_model",
    "compare_golden",
    "count_macs",
    "count_parameters",
    "decode_model",
    "dump_json",
    "encode_model",
    "format_labels",
    "golden_picture",
    "has_idle_padding",
    "image_input",
    "is_dense_per_channel",
    "labels_misfit",
    "limits_elsewhere",
    "load_json",
    "macs_by_operator",
    "make_golden",
    "misread_by_xnnpack",
    "oldest_runtime",
    "parse_labels",
    "peak_activation_bytes",
    "read_metadata",
    "read_model",
    "read_model_bytes",
    "runtime_by_operator",
    "runtime_of",
    "without_contract",
    "write_contract",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mninfer.model_file.annotating": ("annotate",),
        "mninfer.model_file.arithmetic": ("Arithmetic", "arithmetic_of"),
        "mninfer.model_file.check": ("check_graph", "check_model", "peak_activation_bytes"),
        "mninfer.model_file.contract": ("Contract", "SourceContract", "dump_json", "load_json"),
        "mninfer.model_file.describe": ("ModelDescription", "limits_elsewhere"),
        "mninfer.model_file.flatbuffer": ("Table",),
        "mninfer.model_file.golden": (
            "GoldenReport",
            "GoldenVector",
            "compare_golden",
            "golden_picture",
            "make_golden",
        ),
        "mninfer.model_file.graph": ("Graph", "Operator", "Tensor", "build_graph"),
        "mninfer.model_file.labels": ("format_labels", "labels_misfit", "parse_labels"),
        "mninfer.model_file.macs": ("count_macs", "macs_by_operator"),
        "mninfer.model_file.metadata": ("FileMetadata", "read_metadata"),
        "mninfer.model_file.model_bytes": ("read_model_bytes",),
        "mninfer.model_file.model_table": ("decode_model", "encode_model"),
        "mninfer.model_file.parameters": ("count_parameters",),
        "mninfer.model_file.picture_input": ("image_input",),
        "mninfer.model_file.read": ("ModelFile", "read_model"),
        "mninfer.model_file.runtime_versions": (
            "is_dense_per_channel",
            "oldest_runtime",
            "runtime_by_operator",
            "runtime_of",
        ),
        "mninfer.model_file.write": ("without_contract", "write_contract"),
        "mninfer.model_file.xnnpack_limits": ("has_idle_padding", "misread_by_xnnpack"),
        "mninfer.tensors": ("Quantization",),
    },
)
