// A plain gRPC echo in Go, as a peer of `npm run bench -- wire`: both ends in one process, raw bytes, no protobuf.
//
//	echo <bytes up> <bytes down> <bytes pushed>
//
// For each line on stdin, a number of steps, it takes that many and prints the CPU seconds they cost. A step asks with
// <bytes up> for <bytes down>, then sends <bytes pushed>.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const messageBytesMax = 16 << 20

// Bytes go as they are.
type raw struct{}

func (raw) Name() string                  { return "raw" }
func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = data
	return nil
}

// The first eight bytes of a request say how long its answer is.
func echo(answer []byte) grpc.MethodHandler {
	return func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var request []byte
		if err := decode(&request); err != nil {
			return nil, err
		}
		out := answer[:binary.LittleEndian.Uint64(request)]
		return &out, nil
	}
}

func main() {
	up, down, pushed := number(1), number(2), number(3)
	folder, err := os.MkdirTemp("", "heddle-echo-")
	check(err)
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "s")
	listener, err := net.Listen("unix", path)
	check(err)
	server := grpc.NewServer(grpc.ForceServerCodec(raw{}), grpc.MaxRecvMsgSize(messageBytesMax))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "Echo",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Step", Handler: echo(make([]byte, down))}},
	}, struct{}{})
	go server.Serve(listener)
	client, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(messageBytesMax)))
	check(err)

	pull, push := make([]byte, up), make([]byte, pushed)
	binary.LittleEndian.PutUint64(pull, uint64(down))
	binary.LittleEndian.PutUint64(push, 8)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		steps, err := strconv.Atoi(lines.Text())
		check(err)
		before := cpuSeconds()
		for range steps {
			for _, request := range [][]byte{pull, push} {
				var answer []byte
				check(client.Invoke(context.Background(), "/Echo/Step", &request, &answer))
			}
		}
		fmt.Println(cpuSeconds() - before)
	}
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func number(at int) int {
	value, err := strconv.Atoi(os.Args[at])
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
