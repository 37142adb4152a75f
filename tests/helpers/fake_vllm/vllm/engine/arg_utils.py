class EngineArgs:
    @staticmethod
    def add_cli_args(parser):
        parser.add_argument("--model")
        parser.add_argument("--tensor-parallel-size", type=int)
        parser.add_argument("--max-model-len", type=int)
        parser.add_argument("--dtype")
        return parser

    @staticmethod
    def from_cli_args(args):
        return args
