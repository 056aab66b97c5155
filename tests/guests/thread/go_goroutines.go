// Goroutines, channels, select, mutexes, wait groups, timers, in a static Go program.
package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

func check(ok bool, what string) {
	if !ok {
		fmt.Fprintln(os.Stderr, "failed:", what)
		os.Exit(1)
	}
}

func main() {
	numbers, squares := make(chan int), make(chan int, 10)
	var group sync.WaitGroup
	for worker := 0; worker < 8; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for number := range numbers {
				squares <- number * number
			}
		}()
	}
	go func() {
		for number := 0; number < 1000; number++ {
			numbers <- number
		}
		close(numbers)
		group.Wait()
		close(squares)
	}()
	sum := 0
	for square := range squares {
		sum += square
	}
	check(sum == 332833500, "sum of squares")

	var lock sync.Mutex
	total := 0
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for k := 0; k < 100; k++ {
				lock.Lock()
				total++
				lock.Unlock()
			}
		}()
	}
	group.Wait()
	check(total == 10000, "mutex")

	begun := time.Now()
	select {
	case <-make(chan int):
	case <-time.After(30 * time.Millisecond):
	}
	check(time.Since(begun) >= 30*time.Millisecond, "time.After")
	ticker, ticks := time.NewTicker(5*time.Millisecond), 0
	for range ticker.C {
		if ticks++; ticks == 3 {
			break
		}
	}
	defer func() {
		check(recover() != nil, "recover from a nil pointer")
	}()
	var nowhere *int
	*nowhere = 1
}
