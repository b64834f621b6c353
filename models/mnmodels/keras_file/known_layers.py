"""What may be built from a file: Keras' layers and operations by name, and the names they had elsewhere and before.

Left out on purpose: whatever takes code or a path (Lambda, TFSMLayer, TorchModuleWrapper, StringLookup, ...), and what
no network for pictures has (recurrent layers, text). ``--custom keras.layers:LSTM`` admits one all the same.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = [
    "ACTIVATIONS",
    "ACTIVATION_NAMES",
    "CONSTRAINTS",
    "INITIALIZERS",
    "LAYERS",
    "LAYER_NAMES",
    "MERGE_MODES",
    "MODEL_CLASSES",
    "OPERATIONS",
    "REGULARIZERS",
]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODEL_CLASSES = frozenset({"Model", "Functional", "Sequential"})

LAYERS = _names("""
    Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose DepthwiseConv1D DepthwiseConv2D
    SeparableConv1D SeparableConv2D Dense EinsumDense Embedding Activation ReLU LeakyReLU PReLU ELU Softmax
    BatchNormalization LayerNormalization GroupNormalization UnitNormalization RMSNormalization Normalization Rescaling
    MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
    Add Subtract Multiply Average Maximum Minimum Concatenate Dot
    Flatten Reshape Permute RepeatVector Identity Masking
    Cropping1D Cropping2D Cropping3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
    UpSampling1D UpSampling2D UpSampling3D Resizing CenterCrop
    Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout GaussianNoise
    ActivityRegularization RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness
    RandomCrop RandomShear RandomHue RandomSaturation RandomGrayscale RandomColorJitter RandomPosterization
    RandomSharpness RandomInvert RandomErasing RandomGaussianBlur RandomColorDegeneration AutoContrast Solarization
    Equalization MultiHeadAttention Attention
    """)

# Name elsewhere or before -> today's name, and the options that the name stood for.
LAYER_NAMES: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        **{
            old: (new, {})
            for old, new in {
                "Convolution1D": "Conv1D",
                "Convolution2D": "Conv2D",
                "Convolution3D": "Conv3D",
                "AtrousConvolution2D": "Conv2D",
                "Convolution2DTranspose": "Conv2DTranspose",
                "SeparableConvolution1D": "SeparableConv1D",
                "SeparableConvolution2D": "SeparableConv2D",
                "DepthwiseConvolution2D": "DepthwiseConv2D",  # old MobileNet repositories' own
                "DepthWiseConv2D": "DepthwiseConv2D",
                "DepthWiseConvolution2D": "DepthwiseConv2D",
                "DepthwiseConvolution": "DepthwiseConv2D",
                "MaxPool1D": "MaxPooling1D",
                "MaxPool2D": "MaxPooling2D",
                "MaxPool3D": "MaxPooling3D",
                "AvgPool1D": "AveragePooling1D",
                "AvgPool2D": "AveragePooling2D",
                "AvgPool3D": "AveragePooling3D",
                "GlobalAvgPool1D": "GlobalAveragePooling1D",
                "GlobalAvgPool2D": "GlobalAveragePooling2D",
                "GlobalMaxPool1D": "GlobalMaxPooling1D",
                "GlobalMaxPool2D": "GlobalMaxPooling2D",
                "BatchNormalizationV1": "BatchNormalization",
                "BatchNormalizationV2": "BatchNormalization",
                "SyncBatchNormalization": "BatchNormalization",
                "FixedDropout": "Dropout",  # EfficientNet before it was in Keras
                "TFOpIdentity": "Identity",
                "Linear": "Identity",
            }.items()
        },
        "ReLU6": ("ReLU", {"max_value": 6.0}),
        "Relu6": ("ReLU", {"max_value": 6.0}),
        "Swish": ("Activation", {"activation": "silu"}),
        "SiLU": ("Activation", {"activation": "silu"}),
        "HardSwish": ("Activation", {"activation": "hard_silu"}),
        "Hswish": ("Activation", {"activation": "hard_silu"}),
        "HSwish": ("Activation", {"activation": "hard_silu"}),
        "h_swish": ("Activation", {"activation": "hard_silu"}),
        "Mish": ("Activation", {"activation": "mish"}),
    }
)

# Keras 1's Merge layer.
MERGE_MODES = MappingProxyType(
    {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate", "dot": "Dot"}
)

ACTIVATIONS = _names("""
    linear relu relu6 softmax log_softmax elu selu celu softplus softsign tanh sigmoid log_sigmoid hard_sigmoid silu
    hard_silu gelu glu exponential leaky_relu mish hard_tanh hard_shrink soft_shrink tanh_shrink squareplus sparse_plus
    sparsemax threshold
    """)
# Functions that Keras has by another name, or that old repositories define for themselves and save by their name.
ACTIVATION_NAMES = MappingProxyType(
    {
        "swish": "silu",
        "swish_activation": "silu",
        "hard_swish": "hard_silu",
        "hardswish": "hard_silu",
        "h_swish": "hard_silu",
        "hswish": "hard_silu",
        "ReLU6": "relu6",
        "Relu6": "relu6",
        "relu_6": "relu6",
        "_relu6": "relu6",
        "relu6_fn": "relu6",
        "softmax_v2": "softmax",
        "None": "linear",
    }
)
INITIALIZERS = _names("""
    Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal VarianceScaling Orthogonal Identity GlorotNormal
    GlorotUniform HeNormal HeUniform LecunNormal LecunUniform
    """)
REGULARIZERS = frozenset({"L1", "L2", "L1L2", "OrthogonalRegularizer"})
CONSTRAINTS = frozenset({"MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"})

OPERATIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "keras.src.ops.numpy": _names("""
            Absolute Abs Add Subtract Multiply Divide TrueDivide FloorDivide Mod Negative Power Square Sqrt Exp Log
            Log1p Expm1 Reciprocal Sign Sin Cos Tanh Maximum Minimum Clip Round Floor Ceil Mean Sum Max Min Amax
            Amin Prod Std Var Argmax Argmin Concatenate Stack Split Reshape Transpose Squeeze ExpandDims Moveaxis
            Swapaxes Flip Roll Tile Repeat Pad Take TakeAlongAxis GetItem Matmul Dot Tensordot Einsum Where Equal
            NotEqual Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr LogicalNot BroadcastTo Ravel
            """),
        "keras.src.ops.nn": _names("""
            Relu Relu6 Sigmoid Softplus Softsign Silu LogSigmoid LeakyRelu HardSigmoid HardSilu Elu Selu Gelu
            Softmax LogSoftmax MaxPool AveragePool Normalize
            """),
        "keras.src.ops.core": _names("Cast StopGradient Slice"),
        "keras.src.ops.image": _names("Resize PadImages CropImages"),
    }
)
