// Two TUN devices, benchA and benchB, joined by a queue that delays packets and loses some: real TCP on both ends meets
// real round-trip times, where the kernel has no netem. A userland proxy would hide what the kernel's windows do.
//
//	delay -rtt 100ms -loss 0.001
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"syscall"
	"time"
	"unsafe"
)

const (
	iffTun   = 0x0001
	iffNoPi  = 0x1000
	tunSetIf = 0x400454ca
)

type packet struct {
	bytes []byte
	due   time.Time
}

func openTun(name string) int {
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	var request [40]byte
	copy(request[:], name)
	*(*uint16)(unsafe.Pointer(&request[16])) = iffTun | iffNoPi
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), tunSetIf, uintptr(unsafe.Pointer(&request[0]))); errno != 0 {
		panic(errno)
	}
	return fd
}

func forward(from, to int, delay time.Duration, loss float64) {
	queue := make(chan packet, 200_000)
	go func() {
		for {
			buffer := make([]byte, 65_536)
			count, err := syscall.Read(from, buffer)
			if err != nil {
				return
			}
			if loss > 0 && rand.Float64() < loss {
				continue
			}
			one := packet{append([]byte(nil), buffer[:count]...), time.Now().Add(delay)}
			select {
			case queue <- one:
			default: // A full queue drops, as routers do.
			}
		}
	}()
	for one := range queue {
		if wait := time.Until(one.due); wait > 0 {
			time.Sleep(wait)
		}
		syscall.Write(to, one.bytes)
	}
}

func main() {
	rtt := flag.Duration("rtt", 20*time.Millisecond, "round-trip time")
	loss := flag.Float64("loss", 0, "share of packets that are lost, each way")
	flag.Parse()
	a, b := openTun("benchA"), openTun("benchB")
	fmt.Println("ready")
	go forward(a, b, *rtt/2, *loss)
	forward(b, a, *rtt/2, *loss)
}
