<?php
echo strtoupper($_SERVER['REQUEST_METHOD']), ' ', $_GET['n'] ?? 'none', ' ', strlen(file_get_contents('php://input')), "\n";
