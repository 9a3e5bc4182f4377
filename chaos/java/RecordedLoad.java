import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.common.ClientErrorCode;
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
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.RPCHook;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.header.SendMessageRequestHeaderV2;

/**
 * The recorded load of {@code src/load/recorded-load.ts} with the stock Java client: what became of each send, and each
 * delivery, a line each on standard output as {@code chaos/java-events.ts} reads them. Arguments: NAMESRV TOPIC RUN GROUP
 * RATE, and how long a pull that failed waits until it is tried again, in ms (the client's default where it is left out).
 * The line "stop" on standard input ends the sends; its end ends the program.
 */
public final class RecordedLoad {
    private static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), false);
    private static final int POLL_NAMESRV_MS = 1_000;
    private static final int PRODUCERS = 2;
    private static final int IN_FLIGHT = 1_024;
    private static final int BODY_BYTES = 128;
    private static final int FIRST_ORDERED = 100;
    private static final int ORDERED_PER_SECOND = 100;

    private final String topic;
    private final String run;
    private final int rate;
    /** By key: how often a message left. More than once: it may be stored twice. */
    private final Map<String, Integer> attempts = new ConcurrentHashMap<>();
    private final List<DefaultMQProducer> producers = new ArrayList<>();
    private final Semaphore[] free = new Semaphore[PRODUCERS];
    private volatile boolean running = true;

    private RecordedLoad(String topic, String run, int rate) {
        this.topic = topic;
        this.run = run;
        this.rate = rate;
    }

    public static void main(String[] args) throws Exception {
        System.setOut(System.err);
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(args[3]);
        // The consumer copied the option when it was made.
        if (args.length > 5) consumer.getDefaultMQPushConsumerImpl().setPullTimeDelayMillsWhenException(Long.parseLong(args[5]));
        new RecordedLoad(args[1], args[2], Integer.parseInt(args[4])).run(args[0], consumer);
        System.exit(0);
    }

    private void run(String namesrv, DefaultMQPushConsumer consumer) throws Exception {
        consume(namesrv, consumer);
        for (int i = 0; i < PRODUCERS; i++) producers.add(producer(namesrv));
        List<MessageQueue> queues = producers.get(0).fetchPublishMessageQueues(topic);
        say("ready");
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < PRODUCERS; i++) {
            int who = i;
            free[i] = new Semaphore(IN_FLIGHT);
            threads.add(new Thread(() -> paced(rate / PRODUCERS, sequence -> sendAsync(who, sequence))));
        }
        for (int i = 0; i < queues.size(); i++) {
            MessageQueue queue = queues.get(i);
            int who = i;
            threads.add(new Thread(() -> paced(ORDERED_PER_SECOND / queues.size(), sequence -> sendTo(queue, who, sequence))));
        }
        for (Thread thread : threads) thread.start();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (!line.equals("stop")) continue;
            running = false;
            for (Thread thread : threads) thread.join();
            for (Semaphore semaphore : free) semaphore.acquire(IN_FLIGHT);
            say("stopped");
        }
        consumer.shutdown();
        for (DefaultMQProducer producer : producers) producer.shutdown();
    }

    private DefaultMQProducer producer(String namesrv) throws MQClientException {
        DefaultMQProducer producer = new DefaultMQProducer("recorded", new RPCHook() {
            @Override public void doBeforeRequest(String address, RemotingCommand request) {
                if (!(request.readCustomHeader() instanceof SendMessageRequestHeaderV2)) return;
                String properties = ((SendMessageRequestHeaderV2) request.readCustomHeader()).getI();
                int key = properties.indexOf("KEYS\u0001") + 5;
                attempts.computeIfPresent(properties.substring(key, properties.indexOf('\u0002', key)), (any, times) -> times + 1);
            }

            @Override public void doAfterResponse(String address, RemotingCommand request, RemotingCommand response) { }
        });
        producer.setNamesrvAddr(namesrv);
        producer.setPollNameServerInterval(POLL_NAMESRV_MS);
        producer.start();
        return producer;
    }

    private void consume(String namesrv, DefaultMQPushConsumer consumer) throws MQClientException {
        consumer.setNamesrvAddr(namesrv);
        consumer.setPollNameServerInterval(POLL_NAMESRV_MS);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                String[] name = new String(message.getBody(), StandardCharsets.ISO_8859_1).split("/", 4);
                if (!name[0].equals(run)) continue;
                say("received", name[1], name[2], message.getBrokerName(), message.getQueueId(), message.getQueueOffset());
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
    }

    private interface Send {
        void send(long sequence) throws InterruptedException;
    }

    /** Sends at fixed times; what is late is sent at once. */
    private void paced(int perSecond, Send send) {
        long first = System.nanoTime();
        try {
            for (long sequence = 0; running; sequence++) {
                long due = first + sequence * 1_000_000_000L / perSecond;
                for (long ahead = due - System.nanoTime(); ahead > 0; ahead = due - System.nanoTime()) LockSupport.parkNanos(ahead);
                send.send(sequence);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void sendAsync(int who, long sequence) throws InterruptedException {
        free[who].acquire();
        Message message = message(who, sequence);
        try {
            producers.get(who).send(message, new SendCallback() {
                @Override public void onSuccess(SendResult result) {
                    took(who, sequence, message, result);
                    free[who].release();
                }

                @Override public void onException(Throwable e) {
                    refused(who, sequence, message, e);
                    free[who].release();
                }
            });
        } catch (Exception e) {
            refused(who, sequence, message, e);
            free[who].release();
        }
    }

    private void sendTo(MessageQueue queue, int at, long sequence) {
        int who = FIRST_ORDERED + at;
        Message message = message(who, sequence);
        try {
            took(who, sequence, message, producers.get(at % PRODUCERS).send(message, queue));
        } catch (Exception e) {
            refused(who, sequence, message, e);
        }
    }

    private Message message(int who, long sequence) {
        byte[] name = (run + "/" + who + "/" + sequence + "/").getBytes(StandardCharsets.ISO_8859_1);
        byte[] body = Arrays.copyOf(name, Math.max(BODY_BYTES, name.length));
        Arrays.fill(body, name.length, body.length, (byte) '.');
        Message message = new Message(topic, "", run + "-" + who + "-" + sequence, body);
        attempts.put(message.getKeys(), 0);
        say("sent", who, sequence);
        return message;
    }

    private void took(int who, long sequence, Message message, SendResult result) {
        int times = attempts.remove(message.getKeys());
        if (result.getSendStatus() != SendStatus.SEND_OK) {
            say("undecided", who, sequence, result.getSendStatus());
            return;
        }
        MessageQueue queue = result.getMessageQueue();
        say("acknowledged", who, sequence, queue.getBrokerName(), queue.getQueueId(), result.getQueueOffset(), times);
    }

    /** The error is that of the last attempt: only what never left is certainly not stored. */
    private void refused(int who, long sequence, Message message, Throwable e) {
        boolean neverLeft = attempts.remove(message.getKeys()) == 0;
        say(neverLeft ? "failed" : "undecided", who, sequence, codeOf(e));
    }

    private static String codeOf(Throwable e) {
        int code = e instanceof MQClientException ? ((MQClientException) e).getResponseCode() : 0;
        if (code == ClientErrorCode.NOT_FOUND_TOPIC_EXCEPTION) return "NO_ROUTE";
        return e.getClass().getSimpleName();
    }

    /** The time is taken under the lock: lines are in the order of their times. */
    private static void say(String kind, Object... values) {
        synchronized (OUT) {
            StringBuilder line = new StringBuilder().append(System.nanoTime() / 1_000).append(' ').append(kind);
            for (Object value : values) line.append(' ').append(value);
            OUT.append(line.append('\n'));
            OUT.flush();
        }
    }
}
