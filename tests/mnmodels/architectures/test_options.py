import pytest

from mninfer.errors import MnError
from mnmodels.architectures.options import OPTIONS, check_names, check_options, network_builder
from mnmodels.architectures.registry import ARCHITECTURES, architecture, build_model
from mnmodels.architectures.widths import check_divides, divisible

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("alpha", 0),
        ("alpha", -1.0),
        ("alpha", "0.5"),
        ("alpha", True),
        ("alpha", float("nan")),
        ("alpha", float("inf")),
        ("classes", 0),
        ("classes", 10.0),
        ("depth_multiplier", 0),
        ("expansion_factor", 1.5),
        ("groups", 0),
        ("condense_factor", -4),
        ("lasso", -1e-5),
        ("lasso", 2),
        ("dropout", 1),
        ("dropout", "none"),
        ("form", "cifar_smal"),
        ("form", None),
        ("norm", "fast"),
        ("include_top", 1),
        ("pooling", "mean"),
        ("weights", ""),
        ("weights", 3),
        ("name", "a/b"),
        ("expansion", "dense"),
        ("shuffle", "yes"),
        ("minimalistic", 0),
        ("input_shape", (32, 32)),
        ("input_shape", "32x32"),
        ("input_shape", (32, 32, 3.0)),
        ("input_shape", (0, 32, 3)),
        ("input_shape", (100_000, 100_000, 3)),
        ("input_shape", 32),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(option: str, value: object) -> None:
    with pytest.raises(MnError) as error:
        check_options("MobileNet", **{option: value})
    assert f'MobileNet can\'t have {option} "{value}"' in str(error.value)
    assert OPTIONS[option].allowed in str(error.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("alpha", 1),
        ("alpha", 0.25),
        ("input_shape", [160, 160, 3]),
        ("input_shape", None),
        ("dropout", 0),
        ("pooling", None),
        ("weights", "imagenet"),
        ("lasso", 0),
        ("name", "mine"),
    ],
)
def test_a_right_value_passes(option: str, value: object) -> None:
    check_options("MobileNet", **{option: value})


def test_a_misspelt_choice_gets_its_near_name_first() -> None:
    with pytest.raises(MnError) as error:
        check_options("MobileNet", form="cifar_smal")
    assert error.value.hints[0] == "cifar_small"


def test_a_misspelt_option_gets_its_near_name() -> None:
    with pytest.raises(MnError, match='mobilenet_v1 has no option "alfa"') as error:
        check_names("mobilenet_v1", ["alfa"], OPTIONS)
    assert error.value.hints == ("alpha",)


def test_an_option_like_no_other_gets_all_of_them() -> None:
    with pytest.raises(MnError) as error:
        check_names("mobilenet_v1", ["xyzzy"], ("alpha", "form"))
    assert error.value.hints == ("one of alpha, form",)


def test_a_builder_checks_before_it_builds() -> None:
    built = []

    @network_builder
    def net(*, alpha: float = 1.0) -> object:
        """Build."""
        built.append(alpha)
        return alpha

    with pytest.raises(MnError, match='net can\'t have alpha "0"'):
        net(alpha=0)
    with pytest.raises(MnError, match='net has no option "alfa"'):
        net(alfa=1)
    assert net(alpha=0.5) == 0.5
    assert built == [0.5]


def test_a_misspelt_architecture_gets_its_near_name() -> None:
    with pytest.raises(MnError, match='no architecture "mobilenet_v3_smal"') as error:
        architecture("mobilenet_v3_smal")
    assert error.value.hints == ("mobilenet_v3_small",)
    with pytest.raises(MnError, match="no architecture"):
        build_model("resnet50")


def test_the_registry_names_what_it_has() -> None:
    assert list(ARCHITECTURES) == [
        "mobilenet_v1",
        "mobilenet_v2",
        "mobilenet_v2_gc",
        "mobilenet_v2_lgc",
        "mobilenet_v3_small",
        "mobilenet_v3_large",
    ]
    assert all(name == each.name and each.about for name, each in ARCHITECTURES.items())


@pytest.mark.parametrize(
    ("channels", "expected"), [(3, 8), (11, 16), (12, 16), (19, 24), (20, 24), (33.6, 32), (90, 88)]
)
def test_widths_are_multiples_of_eight_and_no_tenth_too_narrow(channels: float, expected: int) -> None:
    assert divisible(channels) == expected
    assert expected >= 0.9 * channels


def test_groups_that_do_not_divide_are_told_with_those_that_do() -> None:
    check_divides("block_1_expand", "groups", 4, 24)
    with pytest.raises(MnError, match='groups "5" doesn\'t divide the 24 channels of layer "block_1_expand"') as error:
        check_divides("block_1_expand", "groups", 5, 24)
    assert error.value.hints == ("groups: one of 1, 2, 3, 4, 6, 8, 12, 24",)
