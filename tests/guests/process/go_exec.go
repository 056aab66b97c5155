// os/exec and signals from Go.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func check(ok bool, what string) {
	if !ok {
		fmt.Fprintln(os.Stderr, "failed:", what)
		os.Exit(1)
	}
}

func main() {
	command := exec.Command("tr", "a-z", "A-Z")
	command.Stdin = strings.NewReader("through a filter")
	out, err := command.Output()
	check(err == nil && string(out) == "THROUGH A FILTER", "output")
	err = exec.Command("sh", "-c", "exit 5").Run()
	exit, ok := err.(*exec.ExitError)
	check(ok && exit.ExitCode() == 5, "exit code")
	check(exec.Command("/nonexistent").Run() != nil, "missing program")
	done := make(chan error)
	for i := 0; i < 10; i++ {
		go func() { done <- exec.Command("/bin/true").Run() }()
	}
	for i := 0; i < 10; i++ {
		check(<-done == nil, "many at once")
	}
	sleeper := exec.Command("sleep", "30")
	check(sleeper.Start() == nil, "start")
	check(sleeper.Process.Kill() == nil, "kill")
	check(sleeper.Wait() != nil, "killed")

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	check(syscall.Kill(os.Getpid(), syscall.SIGUSR1) == nil, "send")
	select {
	case <-signals:
	case <-time.After(10 * time.Second):
		check(false, "signal")
	}
}
