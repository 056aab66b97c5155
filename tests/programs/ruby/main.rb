require 'digest'
require 'json'
require 'socket'
require 'timeout'

$stdout.sync = true
queue = Queue.new
workers = 4.times.map { |i| Thread.new { 5.times { |j| queue << i * 10 + j; sleep 0.001 } } }
workers.each(&:join)
puts Array.new(queue.size) { queue.pop }.sort.join(' ')

server = TCPServer.new('127.0.0.1', 0)
accepting = Thread.new do
  3.times do
    peer = server.accept
    peer.puts peer.gets.upcase
    peer.close
  end
end
3.times do |i|
  peer = TCPSocket.new('127.0.0.1', server.addr[1])
  peer.puts "line #{i}"
  puts peer.gets
end
accepting.join

from, to = IO.pipe
child = fork { to.puts 'from a child'; exit! 2 }
to.close
Process.wait child
puts from.read, $?.exitstatus
puts `echo from a command`
trap('USR1') { puts 'signal' }
Process.kill('USR1', Process.pid)
sleep 0.01
begin
  Timeout.timeout(0.05) { sleep 10 }
rescue Timeout::Error
  puts 'time is up'
end
fiber = Fiber.new { Fiber.yield 1; 2 }
puts fiber.resume + fiber.resume
puts JSON.generate({ digest: Digest::SHA256.hexdigest('x')[0, 8] })
kept = 2000.times.map { |i| 'x' * (i % 500) }
GC.start
puts kept.sum(&:size)
