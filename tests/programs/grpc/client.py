"""Calls of every shape."""
import sys
from concurrent import futures

import grpc

if __name__ == "__main__":
    channel = grpc.insecure_channel(f"{sys.argv[1]}:{sys.argv[2]}")
    say = channel.unary_unary("/Service/Say")
    print(say(b"hello", wait_for_ready=True, timeout=30).decode())
    print(b" ".join(channel.unary_stream("/Service/Count")(b"10")).decode())
    print(channel.stream_unary("/Service/Sum")(iter([b"1", b"2", b"39"])).decode())
    print(len(say(b"x" * 1000000)))
    with futures.ThreadPoolExecutor(8) as pool:
        print(sorted(pool.map(say, [b"call %d" % n for n in range(20)]))[-1].decode())
    try:
        channel.unary_unary("/Service/Fail")(b"")
    except grpc.RpcError as error:
        print(error.code().name, error.details())
    channel.close()
