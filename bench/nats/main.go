// A load for NATS JetStream with its own client. Arguments: SERVERS STREAM WORKLOAD…, each workload as
// bench/load/workload.ts writes it. Makes the stream (R3, file storage), prints a line of JSON when a workload's
// measured time begins, and one with its figures when it ends.
package main

import (
	"context"
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const readyWithin = 120 * time.Second

type workload struct {
	name                          string
	clients, inFlight, size, rate int
	warm, run                     time.Duration
}

// NAME:CLIENTS:IN_FLIGHT:SIZE:RATE:WARM_MS:RUN_MS:CONSUME
func parse(text string) workload {
	parts := strings.Split(text, ":")
	number := func(at int) int {
		n, err := strconv.Atoi(parts[at])
		check(err)
		return n
	}
	if number(7) != 0 {
		check(fmt.Errorf("%s: this program only sends", parts[0]))
	}
	return workload{
		name: parts[0], clients: number(1), inFlight: number(2), size: number(3), rate: number(4),
		warm: time.Duration(number(5)) * time.Millisecond, run: time.Duration(number(6)) * time.Millisecond,
	}
}

// Latencies in buckets of 1/64 of their value, in microseconds inside, milliseconds outside.
type meter struct {
	failed  atomic.Int64
	buckets [64 * 40]atomic.Int64
}

func (m *meter) record(took time.Duration) {
	micros := uint64(max(0, took.Microseconds()))
	shift := max(0, bits.Len64(micros)-7)
	m.buckets[min(len(m.buckets)-1, shift*64+int(micros>>shift))].Add(1)
}

func (m *meter) count() int64 {
	var sum int64
	for i := range m.buckets {
		sum += m.buckets[i].Load()
	}
	return sum
}

func (m *meter) at(share float64) float64 {
	wanted := max(1, int64(float64(m.count())*share+0.999999))
	var sum int64
	for i := range m.buckets {
		sum += m.buckets[i].Load()
		if sum >= wanted {
			return upper(i) / 1e3
		}
	}
	return 0
}

// Values below 128 have a bucket each; above, each shift has the upper half of its 128.
func upper(index int) float64 {
	if index < 128 {
		return float64(index)
	}
	shift := index/64 - 1
	return float64(uint64(index-shift*64+1) << shift)
}

func main() {
	servers, stream := os.Args[1], os.Args[2]
	subject := stream + ".load"
	makeStream(servers, stream, subject)
	for _, text := range os.Args[3:] {
		measure(servers, subject, parse(text))
	}
}

func makeStream(servers, stream, subject string) {
	js, nc := connect(servers, 1)
	defer nc.Close()
	config := jetstream.StreamConfig{
		Name: stream, Subjects: []string{subject}, Replicas: 3, Storage: jetstream.FileStorage,
		// Duplicates are looked for only where a message names an id; ours name none.
		Duplicates: time.Second,
	}
	var err error
	for end := time.Now().Add(readyWithin); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, err = js.CreateOrUpdateStream(ctx, config)
		if err == nil {
			_, err = js.Publish(ctx, subject, []byte("first"))
		}
		cancel()
		if err == nil {
			return
		}
	}
	check(err)
}

func connect(servers string, pending int) (jetstream.JetStream, *nats.Conn) {
	nc, err := nats.Connect(servers, nats.MaxReconnects(-1))
	check(err)
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(pending))
	check(err)
	return js, nc
}

func measure(servers, subject string, w workload) {
	var current atomic.Pointer[meter]
	current.Store(&meter{})
	var running atomic.Bool
	running.Store(true)
	body := []byte(strings.Repeat("x", w.size))
	var done sync.WaitGroup
	for range w.clients {
		js, nc := connect(servers, w.inFlight+2)
		defer nc.Close()
		done.Add(1)
		go func() {
			defer done.Done()
			switch {
			case w.rate > 0:
				pace(js, subject, body, w, &running, &current)
			case w.inFlight == 1:
				oneByOne(js, subject, body, &running, &current)
			default:
				pipeline(js, subject, body, w.inFlight, &running, &current)
			}
		}()
	}
	time.Sleep(w.warm)
	m := &meter{}
	current.Store(m)
	fmt.Printf("{\"begin\":%q}\n", w.name)
	begun := time.Now()
	time.Sleep(w.run)
	current.Store(&meter{})
	seconds := time.Since(begun).Seconds()
	fmt.Printf("{\"end\":%q,\"messages\":%d,\"failed\":%d,\"seconds\":%.3f,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}\n",
		w.name, m.count(), m.failed.Load(), seconds, m.at(0.5), m.at(0.99), m.at(0.999), m.at(1))
	running.Store(false)
	done.Wait()
}

func oneByOne(js jetstream.JetStream, subject string, body []byte, running *atomic.Bool, current *atomic.Pointer[meter]) {
	for running.Load() {
		due := time.Now()
		if _, err := js.Publish(context.Background(), subject, body); err != nil {
			current.Load().failed.Add(1)
		} else {
			current.Load().record(time.Since(due))
		}
	}
}

type sent struct {
	due    time.Time
	future jetstream.PubAckFuture
}

// Acknowledgements of one connection come in the order of its messages: they are waited for in that order.
func take(flying <-chan sent, current *atomic.Pointer[meter], ended chan<- struct{}) {
	for one := range flying {
		select {
		case <-one.future.Ok():
			current.Load().record(time.Since(one.due))
		case <-one.future.Err():
			current.Load().failed.Add(1)
		}
	}
	close(ended)
}

func pipeline(js jetstream.JetStream, subject string, body []byte, inFlight int, running *atomic.Bool, current *atomic.Pointer[meter]) {
	flying, ended := make(chan sent, inFlight), make(chan struct{})
	go take(flying, current, ended)
	for running.Load() {
		publish(js, subject, body, time.Now(), flying, current)
	}
	close(flying)
	<-ended
}

// Publishes at fixed times; each is timed from when it was due, however late it could be sent.
func pace(js jetstream.JetStream, subject string, body []byte, w workload, running *atomic.Bool, current *atomic.Pointer[meter]) {
	flying, ended := make(chan sent, w.inFlight), make(chan struct{})
	go take(flying, current, ended)
	first := time.Now()
	for sequence := 0; running.Load(); sequence++ {
		due := first.Add(time.Duration(sequence) * time.Second / time.Duration(w.rate))
		time.Sleep(time.Until(due))
		publish(js, subject, body, due, flying, current)
	}
	close(flying)
	<-ended
}

func publish(js jetstream.JetStream, subject string, body []byte, due time.Time, flying chan<- sent, current *atomic.Pointer[meter]) {
	future, err := js.PublishAsync(subject, body)
	if err != nil {
		current.Load().failed.Add(1)
		return
	}
	flying <- sent{due, future}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
