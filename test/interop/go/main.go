// The Go client of RocketMQ against a name server: sends in every way, consumes what it sent, and prints one line of JSON
// that says what came of it. Arguments: name server, topic, group, how many messages of each kind.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// Report is what the scenario reads.
type Report struct {
	Sync         []Sent     `json:"sync"`
	Async        int        `json:"async"`
	Received     []string   `json:"received"`
	Tagged       []string   `json:"tagged"`
	Retried      []int32    `json:"retried"`
	Ordered      [][]string `json:"ordered"`
	DelayedMs    int64      `json:"delayedMs"`
	States       []string   `json:"states"`
	Transactions []string   `json:"transactions"`
	Asked        []string   `json:"asked"`
}

// Sent is one acknowledged send.
type Sent struct {
	Status      int    `json:"status"`
	MsgID       string `json:"msgId"`
	OffsetMsgID string `json:"offsetMsgId"`
	QueueID     int    `json:"queueId"`
	QueueOffset int64  `json:"queueOffset"`
}

const (
	shards = 3
	within = 90 * time.Second
)

type world struct {
	resolver primitive.NsResolver
	topic    string
	group    string
	count    int

	mutex  sync.Mutex
	report Report
}

func main() {
	rlog.SetLogLevel("error")
	count, err := strconv.Atoi(os.Args[4])
	must(err)
	w := &world{
		resolver: primitive.NewPassthroughResolver([]string{os.Args[1]}),
		topic:    os.Args[2],
		group:    os.Args[3],
		count:    count,
	}
	w.report.Ordered = make([][]string, shards)
	w.produce()
	w.transact()
	w.consume()
	line, err := json.Marshal(w.report)
	must(err)
	fmt.Println(string(line))
	os.Exit(0)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (w *world) topicOf(kind string) string { return w.topic + "-" + kind }

func (w *world) produce() {
	p, err := rocketmq.NewProducer(
		producer.WithNsResolver(w.resolver),
		producer.WithGroupName(w.group+"-p"),
		producer.WithQueueSelector(producer.NewHashQueueSelector()),
		producer.WithRetry(3),
	)
	must(err)
	must(p.Start())
	for i := 0; i < w.count; i++ {
		message := primitive.NewMessage(w.topicOf("plain"), []byte(fmt.Sprintf("sync-%d", i)))
		message.WithTag([]string{"even", "odd"}[i%2]).WithKeys([]string{fmt.Sprintf("key-%d", i)})
		result, err := p.SendSync(context.Background(), message)
		must(err)
		w.report.Sync = append(w.report.Sync, Sent{
			int(result.Status), result.MsgID, result.OffsetMsgID, result.MessageQueue.QueueId, result.QueueOffset,
		})
	}
	var open sync.WaitGroup
	for i := 0; i < w.count; i++ {
		open.Add(1)
		message := primitive.NewMessage(w.topicOf("plain"), []byte(fmt.Sprintf("async-%d", i)))
		must(p.SendAsync(context.Background(), func(_ context.Context, result *primitive.SendResult, err error) {
			w.mutex.Lock()
			defer w.mutex.Unlock()
			if err == nil && result.Status == primitive.SendOK {
				w.report.Async++
			}
			open.Done()
		}, message))
	}
	open.Wait()
	for i := 0; i < w.count; i++ {
		message := primitive.NewMessage(w.topicOf("plain"), []byte(fmt.Sprintf("oneway-%d", i)))
		must(p.SendOneWay(context.Background(), message))
	}
	for i := 0; i < w.count; i++ {
		message := primitive.NewMessage(w.topicOf("ordered"), []byte(fmt.Sprintf("%d-%d", i%shards, i)))
		message.WithShardingKey(strconv.Itoa(i % shards))
		_, err := p.SendSync(context.Background(), message)
		must(err)
	}
	retried := primitive.NewMessage(w.topicOf("retried"), []byte("again"))
	_, err = p.SendSync(context.Background(), retried)
	must(err)
	delayed := primitive.NewMessage(w.topicOf("delayed"), []byte("late"))
	delayed.WithDelayTimeLevel(2).WithProperty("sent", strconv.FormatInt(time.Now().UnixMilli(), 10))
	_, err = p.SendSync(context.Background(), delayed)
	must(err)
	must(p.Shutdown())
}

// ExecuteLocalTransaction says what the message's property says.
func (w *world) ExecuteLocalTransaction(message *primitive.Message) primitive.LocalTransactionState {
	switch message.GetProperty("first") {
	case "commit":
		return primitive.CommitMessageState
	case "rollback":
		return primitive.RollbackMessageState
	}
	return primitive.UnknowState
}

// CheckLocalTransaction commits what it is asked about.
func (w *world) CheckLocalTransaction(message *primitive.MessageExt) primitive.LocalTransactionState {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.report.Asked = append(w.report.Asked, string(message.Body))
	return primitive.CommitMessageState
}

// transact leaves its producer open: it is asked about what it did not end.
func (w *world) transact() {
	p, err := rocketmq.NewTransactionProducer(w,
		producer.WithNsResolver(w.resolver),
		producer.WithGroupName(w.group+"-t"),
		producer.WithInstanceName("transactions"),
	)
	must(err)
	must(p.Start())
	for _, first := range []string{"commit", "rollback", "unknown"} {
		message := primitive.NewMessage(w.topicOf("transactions"), []byte(first))
		message.WithProperty("first", first)
		result, err := p.SendMessageInTransaction(context.Background(), message)
		must(err)
		w.report.States = append(w.report.States, strconv.Itoa(int(result.State)))
	}
}

type listener func(message *primitive.MessageExt) consumer.ConsumeResult

func (w *world) listen(kind, tags string, take listener, options ...consumer.Option) {
	name := kind + "-" + tags
	if tags == "*" {
		name = kind
	}
	c, err := rocketmq.NewPushConsumer(append([]consumer.Option{
		consumer.WithNsResolver(w.resolver),
		consumer.WithGroupName(w.group + "-" + name),
		consumer.WithInstance(name),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	}, options...)...)
	must(err)
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: tags}
	must(c.Subscribe(w.topicOf(kind), selector, func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		if concurrent, ok := primitive.GetConcurrentlyCtx(ctx); ok {
			concurrent.DelayLevelWhenNextConsume = 1
		}
		w.mutex.Lock()
		defer w.mutex.Unlock()
		result := consumer.ConsumeSuccess
		for _, message := range messages {
			if said := take(message); said != consumer.ConsumeSuccess {
				result = said
			}
		}
		return result, nil
	}))
	must(c.Start())
}

func (w *world) consume() {
	w.listen("plain", "*", func(message *primitive.MessageExt) consumer.ConsumeResult {
		w.report.Received = append(w.report.Received, string(message.Body))
		return consumer.ConsumeSuccess
	})
	w.listen("plain", "even", func(message *primitive.MessageExt) consumer.ConsumeResult {
		w.report.Tagged = append(w.report.Tagged, string(message.Body))
		return consumer.ConsumeSuccess
	})
	w.listen("retried", "*", func(message *primitive.MessageExt) consumer.ConsumeResult {
		w.report.Retried = append(w.report.Retried, message.ReconsumeTimes)
		if message.ReconsumeTimes < 1 {
			return consumer.ConsumeRetryLater
		}
		return consumer.ConsumeSuccess
	})
	w.listen("ordered", "*", func(message *primitive.MessageExt) consumer.ConsumeResult {
		shard, _ := strconv.Atoi(string(message.Body[0]))
		w.report.Ordered[shard] = append(w.report.Ordered[shard], string(message.Body))
		return consumer.ConsumeSuccess
	}, consumer.WithConsumerOrder(true))
	w.listen("delayed", "*", func(message *primitive.MessageExt) consumer.ConsumeResult {
		sent, _ := strconv.ParseInt(message.GetProperty("sent"), 10, 64)
		w.report.DelayedMs = message.StoreTimestamp - sent
		return consumer.ConsumeSuccess
	})
	w.listen("transactions", "*", func(message *primitive.MessageExt) consumer.ConsumeResult {
		w.report.Transactions = append(w.report.Transactions, string(message.Body))
		return consumer.ConsumeSuccess
	})
	for end := time.Now().Add(within); time.Now().Before(end) && !w.isComplete(); {
		time.Sleep(200 * time.Millisecond)
	}
	// What comes that should not has a moment to come.
	time.Sleep(time.Second)
	w.mutex.Lock()
}

func (w *world) isComplete() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	ordered := 0
	for _, shard := range w.report.Ordered {
		ordered += len(shard)
	}
	r := &w.report
	return len(r.Received) >= 3*w.count && len(r.Tagged) >= (w.count+1)/2 && len(r.Retried) >= 2 &&
		ordered >= w.count && r.DelayedMs > 0 && len(r.Transactions) >= 2
}
