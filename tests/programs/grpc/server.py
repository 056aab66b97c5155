"""A gRPC server of plain bytes: one answer, a stream of them, and an error."""
import sys
from concurrent import futures

import grpc


def say(request, context):
    return request.upper()


def count(request, context):
    for n in range(int(request)):
        yield b"%d" % n


def fail(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")


if __name__ == "__main__":
    methods = {
        "Say": grpc.unary_unary_rpc_method_handler(say),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
        "Sum": grpc.stream_unary_rpc_method_handler(lambda all, _: b"%d" % sum(map(int, all))),
    }
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Service", methods),))
    server.add_insecure_port(f"0.0.0.0:{sys.argv[1]}")
    server.start()
    server.wait_for_termination()
