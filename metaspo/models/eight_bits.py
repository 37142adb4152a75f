"""The model of a gguf file with eight bits a weight, which llama.cpp multiplies faster than four."""

from pathlib import Path
from typing import Any

ARCHITECTURE = "general.architecture"
FILE_TYPE = "general.file_type"


def in_eight_bits(source: Path, target: Path) -> None:
    """Write a gguf file whose matrices of kind Q4_1 are Q8_0, and all else is as in `source`; the same bytes every time.

    Raises ImportError without gguf, OSError when `target` cannot be written, and whatever a gguf raises that does not fit.
    """
    # Only who makes a file needs it: it takes a while to import, and brings numpy.
    import numpy
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, quants

    class Reader(GGUFReader):
        """Cuts the hundred thousand words of a vocabulary out of a plain array: a memmap takes five times as long to cut."""

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, numpy.asarray(value) if name == "data" else value)

    reader = Reader(source)
    writer = GGUFWriter(target, reader.fields[ARCHITECTURE].contents())
    for name, field in reader.fields.items():
        # The writer says these itself.
        if not name.startswith("GGUF.") and name != ARCHITECTURE:
            value = int(LlamaFileType.MOSTLY_Q8_0) if name == FILE_TYPE else field.contents()
            inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(name, value, field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        if kind == GGMLQuantizationType.Q4_1:
            weights = quants.dequantize(data, kind)
            data, kind = quants.quantize(weights, GGMLQuantizationType.Q8_0), GGMLQuantizationType.Q8_0
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
