"""An hour passes for every clock, and for no one who waits for this program."""

import time

began = time.time(), time.monotonic(), time.perf_counter(), time.localtime()
time.sleep(3600)
print("wall clock", round(time.time() - began[0]))
print("monotonic clock", round(time.monotonic() - began[1]))
print("performance counter", round(time.perf_counter() - began[2]))
print("hour", (time.localtime().tm_hour - began[3].tm_hour) % 24)
print("used", time.process_time() < 10)
