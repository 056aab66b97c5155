// A statically linked Go program: goroutines, channels, tight loops that only asynchronous preemption ends, timers, a
// server and clients over loopback, files, children and signals.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func pipelines() {
	numbers := make(chan int)
	squares := make(chan int, 8)
	go func() {
		for i := 0; i < 1000; i++ {
			numbers <- i
		}
		close(numbers)
	}()
	var group sync.WaitGroup
	for w := 0; w < 16; w++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range numbers {
				squares <- n * n
			}
		}()
	}
	go func() { group.Wait(); close(squares) }()
	sum := 0
	for s := range squares {
		sum += s
	}
	fmt.Println("squares", sum)

	first := make(chan int)
	last := first
	for i := 0; i < 10000; i++ {
		next := make(chan int)
		go func(in, out chan int) { out <- 1 + <-in }(last, next)
		last = next
	}
	go func() { first <- 0 }()
	fmt.Println("a chain of goroutines", <-last)
}

func locks() {
	var mutex sync.RWMutex
	var group sync.WaitGroup
	var once sync.Once
	var hits atomic.Int64
	books := map[int]int{}
	for g := 0; g < 50; g++ {
		group.Add(1)
		go func(g int) {
			defer group.Done()
			once.Do(func() { hits.Add(1) })
			for i := 0; i < 100; i++ {
				mutex.Lock()
				books[i] += g
				mutex.Unlock()
				mutex.RLock()
				_ = books[i]
				mutex.RUnlock()
			}
		}(g)
	}
	group.Wait()
	fmt.Println("books", len(books), books[99], hits.Load())
}

// Every processor is taken by a loop without calls; the main goroutine only goes on because it preempts them.
func tightLoops() {
	var stop, passes atomic.Int64
	for i := 0; i < runtime.GOMAXPROCS(0)+2; i++ {
		go func() {
			n := int64(0)
			for stop.Load() == 0 {
				n++
			}
			passes.Add(n)
		}()
	}
	time.Sleep(50 * time.Millisecond)
	stop.Store(1)
	for passes.Load() == 0 {
		runtime.Gosched()
	}
	done := make(chan uint64)
	go func() {
		x := uint64(88172645463325252)
		for i := 0; i < 200_000_000; i++ {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
		}
		done <- x
	}()
	runtime.GC()
	fmt.Println("tight loops ended", <-done)
}

func timers() {
	began := time.Now()
	ticker := time.NewTicker(10 * time.Millisecond)
	for i := 0; i < 5; i++ {
		<-ticker.C
	}
	ticker.Stop()
	context, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	select {
	case <-context.Done():
		fmt.Println("ticks and", context.Err(), time.Since(began) >= 100*time.Millisecond)
	case <-time.After(30 * time.Second):
		fmt.Println("no deadline")
	}
}

func network() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
	})}
	go server.Serve(listener)
	url := "http://" + listener.Addr().String() + "/"
	var group sync.WaitGroup
	var total atomic.Int64
	for c := 0; c < 20; c++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < 5; i++ {
				reader, writer := io.Pipe()
				go func() { writer.Write(make([]byte, 10000)); writer.Close() }()
				answer, err := http.Post(url, "text/plain", reader)
				must(err)
				n, _ := io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				total.Add(n)
			}
		}()
	}
	group.Wait()
	must(server.Close())
	_, err = net.Dial("tcp", listener.Addr().String())
	fmt.Println("echoed", total.Load(), errors.Is(err, syscall.ECONNREFUSED))

	a, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(err)
	a.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, _, err = a.ReadFrom(make([]byte, 10))
	fmt.Println("read deadline", errors.Is(err, os.ErrDeadlineExceeded))
}

func system() {
	folder, err := os.MkdirTemp("", "go")
	must(err)
	defer os.RemoveAll(folder)
	for i := 0; i < 20; i++ {
		must(os.WriteFile(filepath.Join(folder, fmt.Sprint("file", i)), make([]byte, i*100), 0o644))
	}
	size := int64(0)
	must(filepath.Walk(folder, func(_ string, info os.FileInfo, err error) error {
		if info.Mode().IsRegular() {
			size += info.Size()
		}
		return err
	}))
	fmt.Println("files", size)

	out, err := exec.Command("sh", "-c", "echo from a child; exit 3").Output()
	var exit *exec.ExitError
	fmt.Printf("%q %v %d\n", out, errors.As(err, &exit), exit.ExitCode())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	must(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	fmt.Println("signal", <-signals)

	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var nothing *int
		*nothing = 1
	}()
}

func memory() {
	type node struct{ left, right *node }
	var build func(int) *node
	build = func(depth int) *node {
		if depth == 0 {
			return &node{}
		}
		return &node{build(depth - 1), build(depth - 1)}
	}
	var count func(*node) int
	count = func(n *node) int {
		if n.left == nil {
			return 1
		}
		return 1 + count(n.left) + count(n.right)
	}
	counts := make([]int, 4)
	var group sync.WaitGroup
	for i := range counts {
		group.Add(1)
		go func(i int) { defer group.Done(); counts[i] = count(build(14 + i%2)) }(i)
	}
	group.Wait()
	sort.Ints(counts)
	fmt.Println("trees", counts)
}

func main() {
	pipelines()
	locks()
	tightLoops()
	timers()
	network()
	system()
	memory()
}
