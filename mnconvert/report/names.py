"""What a variant is called, for people and in a file's name; what a layer is called for people."""

from dataclasses import replace

from mnconvert.config import ConvertConfig, Variant

__all__ = ["every_variant", "file_part", "short_name", "variant_name"]

_MARK = "mnkit_norm_"  # what lowering calls a BatchNorm while it is traced


def variant_name(config: ConvertConfig) -> str:
    """``int8 per tensor``, ``none unfused``: the variant and what of its structure was asked otherwise."""
    parts = [str(config.variant)]
    parts += ["unfused"] if not config.is_fused else []
    parts += ["per tensor"] if config.is_per_tensor else []
    return " ".join(parts)


def file_part(config: ConvertConfig) -> str:
    """The same for a file's name: ``int8_per_tensor``."""
    return variant_name(config).replace(" ", "_")


def short_name(tensor: str) -> str:
    """Of the names that a tensor has, one for each of what was fused into it, the first that is the model's own."""
    names = tensor.split(";")
    return next((name for name in names if not name.startswith(_MARK)), names[0])


def every_variant(config: ConvertConfig) -> tuple[ConvertConfig, ...]:
    """The request once for every variant, as ``--all`` makes them; integers alone get what is for them alone."""
    plain = replace(config, variant=Variant.NONE, is_fused=True, is_per_tensor=False, ends=None, keep_float=())
    int8 = replace(config, variant=Variant.INT8, is_fused=True, is_per_tensor=False)
    return (
        plain,
        replace(plain, is_fused=False),
        replace(plain, variant=Variant.FP16),
        replace(plain, variant=Variant.DYNAMIC),
        int8,
        replace(int8, is_per_tensor=True),
        replace(plain, variant=Variant.INT16X8),
    )
