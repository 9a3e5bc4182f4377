import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;

/**
 * A load with the stock Java client. Arguments: NAMESRV TOPIC WORKLOAD…, each workload as {@code bench/load/workload.ts}
 * writes it. Prints a line of JSON when a workload's measured time begins, and one with its figures when it ends.
 */
public final class StockLoad {
    private static final long READY_WITHIN_MS = 120_000;
    private static final long SEND_TIMEOUT_MS = 10_000;
    private static final int FILL_BATCH = 100;
    private static final long FILL_GIVES_UP_MS = 120_000;
    private static final long CONSUME_GIVES_UP_MS = 120_000;

    public static void main(String[] args) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("stock_load");
        producer.setNamesrvAddr(args[0]);
        producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
        producer.setSendMsgTimeout((int) SEND_TIMEOUT_MS);
        producer.start();
        try {
            makeTopic(producer, args[1]);
            for (String text : Arrays.copyOfRange(args, 2, args.length)) {
                Workload workload = new Workload(text);
                if (workload.consume > 0) consume(producer, args[0], args[1], workload);
                else send(producer, args[1], workload);
            }
        } finally {
            producer.shutdown();
        }
        System.exit(0);
    }

    /** The first send makes the topic; a broker that has just started may refuse some. */
    private static void makeTopic(DefaultMQProducer producer, String topic) throws Exception {
        long end = System.currentTimeMillis() + READY_WITHIN_MS;
        for (;;) {
            try {
                if (producer.send(new Message(topic, new byte[1])).getSendStatus() == SendStatus.SEND_OK) return;
            } catch (Exception e) {
                if (System.currentTimeMillis() > end) throw e;
            }
            if (System.currentTimeMillis() > end) throw new IllegalStateException("no send was acknowledged as it should be");
            Thread.sleep(200);
        }
    }

    private static void send(DefaultMQProducer producer, String topic, Workload workload) throws Exception {
        Load load = new Load(producer, topic, workload);
        List<Thread> threads = new ArrayList<>();
        if (workload.rate > 0) threads.add(new Thread(load::paced));
        else if (workload.inFlight == 1) for (int i = 0; i < workload.clients; i++) threads.add(new Thread(load::oneByOne));
        else threads.add(new Thread(load::pipelined));
        for (Thread thread : threads) thread.start();
        Thread.sleep(workload.warmMs);
        Meter meter = new Meter();
        load.meter = meter;
        say("{\"begin\":\"%s\"}", workload.name);
        long begun = System.nanoTime();
        Thread.sleep(workload.runMs);
        load.meter = new Meter();
        double seconds = (System.nanoTime() - begun) / 1e9;
        say("{\"end\":\"%s\",\"messages\":%d,\"failed\":%d,\"seconds\":%.3f,\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}",
            workload.name, meter.count(), meter.failed.get(), seconds, meter.at(0.5), meter.at(0.99), meter.at(0.999), meter.at(1));
        load.running = false;
        for (Thread thread : threads) thread.join();
        load.free.acquire(workload.clients * workload.inFlight);
    }

    /** Stores at least so many messages, then reads them all from the first with a new group. */
    private static void consume(DefaultMQProducer producer, String namesrv, String topic, Workload workload) throws Exception {
        String own = topic + "Consume";
        makeTopic(producer, own);
        List<Message> batch = new ArrayList<>();
        for (int i = 0; i < FILL_BATCH; i++) batch.add(new Message(own, new byte[workload.size]));
        long fillEnd = System.currentTimeMillis() + FILL_GIVES_UP_MS;
        for (int stored = 0; stored < workload.consume; stored += FILL_BATCH) {
            while (true) {
                try {
                    if (producer.send(batch).getSendStatus() == SendStatus.SEND_OK) break;
                } catch (Exception e) {
                    if (System.currentTimeMillis() > fillEnd) throw e;
                }
            }
        }
        AtomicLong seen = new AtomicLong();
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer("stock_load_" + System.nanoTime());
        consumer.setNamesrvAddr(namesrv);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(own, "*");
        AtomicLong first = new AtomicLong();
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            first.compareAndSet(0, System.nanoTime());
            seen.addAndGet(messages.size());
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        say("{\"begin\":\"%s\"}", workload.name);
        consumer.start();
        long end = System.currentTimeMillis() + CONSUME_GIVES_UP_MS;
        while (seen.get() < workload.consume && System.currentTimeMillis() < end) Thread.sleep(1);
        double seconds = (System.nanoTime() - first.get()) / 1e9;
        long failed = Math.max(0, workload.consume - seen.get());
        say("{\"end\":\"%s\",\"messages\":%d,\"failed\":%d,\"seconds\":%.3f,\"p50\":0,\"p99\":0,\"p999\":0,\"max\":0}",
            workload.name, seen.get(), failed, seconds);
        consumer.shutdown();
    }

    private static void say(String format, Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
        System.out.flush();
    }

    /** NAME:CLIENTS:IN_FLIGHT:SIZE:RATE:WARM_MS:RUN_MS:CONSUME. */
    private static final class Workload {
        final String name;
        final int clients;
        final int inFlight;
        final int size;
        final int rate;
        final long warmMs;
        final long runMs;
        final int consume;

        Workload(String text) {
            String[] parts = text.split(":");
            name = parts[0];
            clients = Integer.parseInt(parts[1]);
            inFlight = Integer.parseInt(parts[2]);
            size = Integer.parseInt(parts[3]);
            rate = Integer.parseInt(parts[4]);
            warmMs = Long.parseLong(parts[5]);
            runMs = Long.parseLong(parts[6]);
            consume = Integer.parseInt(parts[7]);
        }
    }

    private static final class Load {
        final DefaultMQProducer producer;
        final String topic;
        final Workload workload;
        final byte[] body;
        final Semaphore free;
        volatile boolean running = true;
        volatile Meter meter = new Meter();

        Load(DefaultMQProducer producer, String topic, Workload workload) {
            this.producer = producer;
            this.topic = topic;
            this.workload = workload;
            body = new byte[workload.size];
            Arrays.fill(body, (byte) 'x');
            free = new Semaphore(workload.clients * workload.inFlight);
        }

        /** One thread of many with one synchronous send at a time. */
        void oneByOne() {
            while (running) {
                long due = System.nanoTime();
                try {
                    took(producer.send(new Message(topic, body)), due);
                } catch (Exception e) {
                    meter.failed.incrementAndGet();
                }
            }
        }

        /** So many asynchronous sends in flight. */
        void pipelined() {
            while (running) {
                free.acquireUninterruptibly();
                sendAsync(System.nanoTime());
            }
        }

        /** Asynchronous sends at fixed times; each is timed from when it was due, however late it could be sent. */
        void paced() {
            long first = System.nanoTime();
            for (long sequence = 0; running; sequence++) {
                long due = first + sequence * 1_000_000_000L / workload.rate;
                for (long ahead = due - System.nanoTime(); ahead > 0; ahead = due - System.nanoTime()) LockSupport.parkNanos(ahead);
                free.acquireUninterruptibly();
                sendAsync(due);
            }
        }

        private void sendAsync(long due) {
            try {
                producer.send(new Message(topic, body), new SendCallback() {
                    @Override public void onSuccess(SendResult result) {
                        took(result, due);
                        free.release();
                    }

                    @Override public void onException(Throwable e) {
                        meter.failed.incrementAndGet();
                        free.release();
                    }
                });
            } catch (Exception e) {
                meter.failed.incrementAndGet();
                free.release();
            }
        }

        /** Stored on one disk only, or not flushed, is not what was asked for. */
        private void took(SendResult result, long due) {
            if (result.getSendStatus() == SendStatus.SEND_OK) meter.record(System.nanoTime() - due);
            else meter.failed.incrementAndGet();
        }
    }

    /** Latencies in buckets of 1/64 of their value, in microseconds inside, milliseconds outside. */
    private static final class Meter {
        private static final int SUB = 64;
        final AtomicLong failed = new AtomicLong();
        private final AtomicLongArray buckets = new AtomicLongArray(SUB * 40);

        void record(long nanos) {
            long micros = Math.max(0, nanos / 1_000);
            int shift = Math.max(0, 64 - Long.numberOfLeadingZeros(micros) - 7);
            buckets.incrementAndGet(Math.min(buckets.length() - 1, shift * SUB + (int) (micros >> shift)));
        }

        long count() {
            long sum = 0;
            for (int i = 0; i < buckets.length(); i++) sum += buckets.get(i);
            return sum;
        }

        /** The upper end of the bucket that holds the value which this share of all do not exceed. */
        double at(double share) {
            long wanted = Math.max(1, (long) Math.ceil(count() * share));
            long sum = 0;
            for (int i = 0; i < buckets.length(); i++) {
                sum += buckets.get(i);
                if (sum >= wanted) return upper(i) / 1e3;
            }
            return 0;
        }

        private static double upper(int index) {
            // Values below 128 have a bucket each; above, each shift has the upper half of its 128.
            if (index < 2 * SUB) return index;
            int shift = index / SUB - 1;
            long mantissa = index - (long) shift * SUB;
            return (double) ((mantissa + 1) << shift);
        }
    }
}
