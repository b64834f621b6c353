"""The layers that are ours, by the name under which they are registered and saved."""

import keras

from mnmodels.architectures.channel_gather import ChannelGather
from mnmodels.architectures.learned_group_conv import LearnedGroupConv2D

__all__ = ["OWN_LAYERS", "ChannelGather", "LearnedGroupConv2D"]

OWN_LAYERS: dict[str, type] = {
    keras.saving.get_registered_name(layer): layer for layer in (ChannelGather, LearnedGroupConv2D)
}
