"""Turn SmolLM2's gguf, which comes through the package index, into the safetensors that vLLM loads.

python tests/helpers/vllm_model.py FOLDER
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from metaspo.models.smollm2 import fetched


def convert(folder: Path) -> None:
    """Write model and tokenizer into `folder`, in bfloat16."""
    file = fetched()
    source = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)
    unpacked = GgufConfig(dequantize=True)
    AutoModelForCausalLM.from_pretrained(**source, dtype=torch.bfloat16, quantization_config=unpacked).save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]))
