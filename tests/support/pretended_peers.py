"""Modules that look like peers' own, for their engines: they note what they are told, and double their input's sum."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["pretended_modules"]


class Told(dict[str, Any]):
    """What a peer was told, by name; objects with attributes note those that are set."""

    def __getattr__(self, name: str) -> Any:
        return self.get(name, 0)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def scores(array: Any) -> Any:
    """Five numbers of an input of any kind: what each pretended engine computes."""
    return np.arange(5, dtype=np.float32)[None] + np.float32(np.asarray(array, np.float64).mean())


def _onnxruntime(told: Told) -> dict[str, Any]:
    class Session:
        def __init__(self, path: str, options: Told, providers: list[str]) -> None:
            if Path(path).read_bytes() == b"broken":
                raise RuntimeError("Load model failed:\n Protobuf parsing failed.")
            self.options = options
            told.setdefault("sessions", []).append((options, providers))

        def get_inputs(self) -> list[Any]:
            return [SimpleNamespace(name="image")]

        def run(self, _: None, feed: dict[str, Any]) -> list[Any]:
            told["input"] = feed["image"]
            return [scores(feed["image"])]

        def get_session_options(self) -> Told:
            return self.options

        def get_providers(self) -> list[str]:
            return ["CPUExecutionProvider"]

        def end_profiling(self) -> str:
            path = Path(f"{self.options['profile_file_prefix']}.json")
            nodes = [("a_kernel_time", "QLinearConv"), ("b_kernel_time", "QLinearConv"), ("b_fence_before", "Conv")]
            events = [{"cat": "Node", "name": name, "args": {"op_name": kind}} for name, kind in nodes]
            path.write_text(json.dumps([{"cat": "Session", "name": "model_run"}, *events]))
            return str(path)

    return {"onnxruntime": SimpleNamespace(SessionOptions=Told, InferenceSession=Session, __version__="1.31.1")}


def _openvino(told: Told) -> dict[str, Any]:
    class Text(str):
        def to_string(self) -> str:
            return str(self)

        def astype(self, _: type) -> str:
            return str(self)

    class Request:
        def set_input_tensor(self, array: Any) -> None:
            told["input"] = array

        def infer(self, *, share_outputs: bool) -> None:
            told["is_shared"] = share_outputs

        def get_output_tensor(self, _: int) -> Any:
            return SimpleNamespace(data=scores(told["input"]))

    class Compiled:
        outputs = (None,)

        def create_infer_request(self) -> Request:
            return Request()

        def get_property(self, name: str) -> Any:
            return {"INFERENCE_NUM_THREADS": 2, "INFERENCE_PRECISION_HINT": Text("f32")}[name]

        def get_runtime_model(self) -> Any:
            kinds = [("Convolution", "u8"), ("Convolution", "u8"), ("Const", "f32"), ("Softmax", "f32")]
            operators = [
                SimpleNamespace(
                    get_rt_info=lambda kind=kind, precision=precision: {
                        "layerType": Text(kind),
                        "runtimePrecision": Text(precision),
                    }
                )
                for kind, precision in kinds
            ]
            return SimpleNamespace(get_ops=lambda: operators)

    class Core:
        def read_model(self, path: str) -> str:
            if Path(path).read_bytes() == b"broken":
                raise RuntimeError("Unable to read the model")
            return path

        def compile_model(self, _: str, device: str, config: dict[str, Any]) -> Compiled:
            told["device"], told["config"] = device, config
            return Compiled()

    return {"openvino": SimpleNamespace(Core=Core, Tensor=lambda array: array, __version__="2026.4.1-1-abc")}


def _mnn(told: Told) -> dict[str, Any]:
    def forward(inputs: list[Any]) -> list[Any]:
        return [SimpleNamespace(read=lambda: scores(inputs[0]))]

    def load(path: str, inputs: list[str], outputs: list[str], **options: Any) -> Any:
        if Path(path).read_bytes() == b"broken":
            raise SystemError("returned a result with an exception set")
        told["names"] = (inputs, outputs)
        return SimpleNamespace(forward=forward)

    def runtime(configs: tuple[dict[str, Any]]) -> object:
        told["config"] = configs[0]
        return object()

    nn = SimpleNamespace(create_runtime_manager=runtime, load_module_from_file=load)
    expr = SimpleNamespace(const=lambda array, *_: array, NHWC=0, float=1)
    return {"MNN": SimpleNamespace(nn=nn, expr=expr)}


def _ncnn(told: Told) -> dict[str, Any]:
    class Extractor:
        def input(self, name: str, array: Any) -> None:
            told["input"] = array

        def extract(self, name: str) -> tuple[int, Any]:
            return (-100 if told.get("fails") else 0), scores(told["input"])[0]

    class Net:
        def __init__(self) -> None:
            self.opt = Told(use_fp16_packed=True, use_bf16_storage=True)
            told["net"] = self

        def load_param(self, path: str) -> int:
            told["param"] = path
            return 0

        def load_model(self, path: str) -> int:
            return -1 if Path(path).read_bytes() == b"broken" else 0

        def create_extractor(self) -> Extractor:
            return Extractor()

        def clear(self) -> None:
            told["is_cleared"] = True

    mat = lambda array: SimpleNamespace(clone=lambda: array)  # noqa: E731 -- a constructor in one line
    return {"ncnn": SimpleNamespace(Net=Net, Mat=mat, __version__="1.0.20261020")}


def _opencv(told: Told) -> dict[str, Any]:
    class CvError(Exception):
        pass

    def read(path: str, *, engine: int) -> Any:
        if Path(path).read_bytes() == b"broken":
            raise CvError("OpenCV(5.0.0) net_impl2.cpp:449: error")
        told["engine"] = engine
        return SimpleNamespace(
            setInput=lambda array: told.update(input=array), forward=lambda: scores(told.pop("input"))
        )

    cv2 = SimpleNamespace(
        setNumThreads=lambda threads: told.update(threads=threads),
        getNumThreads=lambda: told["threads"],
        dnn=SimpleNamespace(readNetFromONNX=read, ENGINE_NEW=2),
        error=CvError,
        __version__="5.0.0",
    )
    return {"cv2": cv2}


def _mediapipe(told: Told) -> dict[str, Any]:
    class Classifier:
        @classmethod
        def create_from_options(cls, options: Told) -> "Classifier":
            if options["base_options"]["model_asset_buffer"] == b"broken":
                raise ValueError("INVALID_ARGUMENT: not a flatbuffer")
            told["options"] = options
            return cls()

        def classify(self, image: Told) -> Any:
            told["pixels"] = image["data"]
            values = scores(image["data"])[0]
            found = [SimpleNamespace(index=i, score=float(values[i])) for i in (4, 2, 0, 1, 3)]
            return SimpleNamespace(classifications=[SimpleNamespace(categories=found)])

        def close(self) -> None:
            told["is_closed"] = True

    vision = SimpleNamespace(ImageClassifierOptions=Told, ImageClassifier=Classifier)
    return {
        "mediapipe": SimpleNamespace(Image=Told, ImageFormat=SimpleNamespace(SRGB=1)),
        "mediapipe.tasks.python": SimpleNamespace(BaseOptions=Told),
        "mediapipe.tasks.python.vision": vision,
    }


def pretended_modules(name: str) -> tuple[dict[str, Any], Told]:
    """The modules of the peer ``name``, and what they will have been told."""
    told = Told()
    makers = {
        "onnxruntime": _onnxruntime,
        "openvino": _openvino,
        "mnn": _mnn,
        "ncnn": _ncnn,
        "opencv": _opencv,
        "mediapipe": _mediapipe,
    }
    return makers[name](told), told
