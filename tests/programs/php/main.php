<?php
while (!($probe = @stream_socket_client('tcp://127.0.0.1:17011'))) {
    usleep(20000);
}
fclose($probe);
for ($i = 0; $i < 3; $i++) {
    echo file_get_contents("http://127.0.0.1:17011/?n=$i");
}
$post = ['http' => ['method' => 'POST', 'header' => 'Content-Type: text/plain', 'content' => str_repeat('x', 100000)]];
echo file_get_contents('http://127.0.0.1:17011/', false, stream_context_create($post));

$process = proc_open('tr a-z A-Z; exit 5', [['pipe', 'r'], ['pipe', 'w']], $pipes);
fwrite($pipes[0], "through a command\n");
fclose($pipes[0]);
echo stream_get_contents($pipes[1]), proc_close($process), "\n";

$name = tempnam(sys_get_temp_dir(), 'php');
file_put_contents($name, "one\n");
file_put_contents($name, "two\n", FILE_APPEND | LOCK_EX);
echo count(file($name)), ' lines, ', json_encode(['sum' => array_sum(range(1, 100))]), "\n";
unlink($name);
for ($i = 0, $x = 0; $i < 200000; $i++) {
    $x = ($x * 31 + $i) % 1000003;
}
echo $x, "\n";
