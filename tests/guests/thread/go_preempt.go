// Loops without calls in goroutines: the runtime takes the processor from them by signals.
package main

import (
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

var stop int32

func main() {
	runtime.GOMAXPROCS(1)
	for i := 0; i < 3; i++ {
		go func() {
			for n := 0; ; n++ {
			}
		}()
	}
	time.Sleep(10 * time.Millisecond)
	runtime.GC()
	// And a flag that is polled without a call.
	done := make(chan bool)
	go func() {
		for atomic.LoadInt32(&stop) == 0 {
		}
		done <- true
	}()
	time.Sleep(10 * time.Millisecond)
	atomic.StoreInt32(&stop, 1)
	<-done
	os.Exit(0)
}
