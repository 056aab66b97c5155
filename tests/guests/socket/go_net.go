// Go's net package: a TCP server with many clients, deadlines, UDP, unix sockets.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			io.Copy(conn, conn)
		}()
	}
}

func talk(network, address string) {
	var group sync.WaitGroup
	for client := 0; client < 20; client++ {
		group.Add(1)
		go func(client int) {
			defer group.Done()
			conn, err := net.Dial(network, address)
			must(err)
			defer conn.Close()
			reader := bufio.NewReader(conn)
			for round := 0; round < 10; round++ {
				line := fmt.Sprintf("client %d round %d\n", client, round)
				_, err = io.WriteString(conn, line)
				must(err)
				got, err := reader.ReadString('\n')
				must(err)
				if got != line {
					must(fmt.Errorf("%q is not %q", got, line))
				}
			}
		}(client)
	}
	group.Wait()
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go serve(listener)
	talk("tcp", listener.Addr().String())

	conn, err := net.Dial("tcp", listener.Addr().String())
	must(err)
	must(conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond)))
	_, err = conn.Read(make([]byte, 1))
	if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
		must(fmt.Errorf("no timeout but %v", err))
	}
	listener.Close()
	if _, err = net.Dial("tcp", listener.Addr().String()); err == nil {
		must(fmt.Errorf("not refused"))
	}

	folder, err := os.MkdirTemp("/tmp", "guest-")
	must(err)
	path := filepath.Join(folder, "socket")
	local, err := net.Listen("unix", path)
	must(err)
	go serve(local)
	talk("unix", path)
	local.Close()
	must(os.RemoveAll(folder))

	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(err)
	sender, err := net.Dial("udp", packets.LocalAddr().String())
	must(err)
	_, err = sender.Write([]byte("datagram"))
	must(err)
	buffer := make([]byte, 100)
	count, _, err := packets.ReadFrom(buffer)
	must(err)
	if string(buffer[:count]) != "datagram" {
		must(fmt.Errorf("got %q", buffer[:count]))
	}
}
