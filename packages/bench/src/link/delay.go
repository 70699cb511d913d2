// Two TUN devices, benchA and benchB, joined by a queue that lets so many bytes a second through, delays packets and
// loses some: real TCP on both ends meets real round-trip times, where the kernel has no netem. A userland proxy would
// hide what the kernel's windows do.
//
//	delay -rtt 100ms -loss 0.001 -rate 125000000
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
	iffTun        = 0x0001
	iffNoPi       = 0x1000
	iffVnetHdr    = 0x4000
	tunSetIf      = 0x400454ca
	tunSetOffload = 0x400454d0
	checksum      = 0x01
	segments4     = 0x02
	segments6     = 0x04
	// virtio_net_hdr, which goes from one end to the other as it is.
	header = 10
)

type packet struct {
	bytes []byte
	due   time.Time
}

type link struct {
	delay time.Duration
	loss  float64
	// Nanoseconds for a byte; 0: as fast as it goes.
	perByte float64
}

// With offload a packet is what TCP hands to a network card, up to 64 KiB, and the link costs a tenth of the CPU. What
// is lost must be what a real link loses, so a link with loss gets packets of 1500 bytes.
func openTun(name string, offload bool) int {
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	var request [40]byte
	copy(request[:], name)
	*(*uint16)(unsafe.Pointer(&request[16])) = iffTun | iffNoPi | iffVnetHdr
	control(fd, tunSetIf, uintptr(unsafe.Pointer(&request[0])))
	if offload {
		control(fd, tunSetOffload, checksum|segments4|segments6)
	}
	return fd
}

func control(fd int, request, argument uintptr) {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, argument); errno != 0 {
		panic(errno)
	}
}

func forward(from, to int, link link) {
	queue := make(chan packet, 200_000)
	go func() {
		buffer := make([]byte, 70_000)
		var free time.Time
		for {
			count, err := syscall.Read(from, buffer)
			if err != nil {
				return
			}
			if link.loss > 0 && rand.Float64() < link.loss {
				continue
			}
			now := time.Now()
			if free.Before(now) {
				free = now
			}
			// Half a second of waiting is more than any router lets happen.
			if free.Sub(now) > 500*time.Millisecond {
				continue
			}
			free = free.Add(time.Duration(float64(count-header) * link.perByte))
			one := packet{append([]byte(nil), buffer[:count]...), free.Add(link.delay)}
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
	rate := flag.Float64("rate", 0, "bytes a second, each way; 0: as fast as it goes")
	flag.Parse()
	one := link{delay: *rtt / 2, loss: *loss}
	if *rate > 0 {
		one.perByte = 1e9 / *rate
	}
	a, b := openTun("benchA", *loss == 0), openTun("benchB", *loss == 0)
	fmt.Println("ready")
	go forward(a, b, one)
	forward(b, a, one)
}
