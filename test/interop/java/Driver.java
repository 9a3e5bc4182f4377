import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.AllocateMessageQueueStrategy;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.client.producer.TransactionSendResult;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A stock client, driven line by line: the scenarios live in the test, this only calls the client and reports.
 *
 * In:  {@code seq TAB op TAB key=value TAB ...}, values percent-encoded.
 * Out: one JSON object a line on standard output, {@code {"re":seq,...}} as the answer, {@code {"ev":...}} as events.
 * Compiled once for each client version, so it keeps to what 4.9 and 5.x share.
 */
public final class Driver {
    private static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), false);
    private final Map<String, DefaultMQProducer> producers = new ConcurrentHashMap<>();
    private final Map<String, DefaultMQPushConsumer> pushConsumers = new ConcurrentHashMap<>();
    private final Map<String, DefaultLitePullConsumer> pullConsumers = new ConcurrentHashMap<>();
    private final Map<String, Load> loads = new ConcurrentHashMap<>();
    private final ExecutorService workers = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "driver");
        thread.setDaemon(true);
        return thread;
    });

    public static void main(String[] args) throws Exception {
        System.setOut(System.err);
        new Driver().run();
        System.exit(0);
    }

    private void run() throws Exception {
        emit(object("ev", "ready"));
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t");
            String seq = parts[0];
            String op = parts[1];
            Arguments arguments = new Arguments(parts);
            if (op.equals("exit")) {
                return;
            }
            workers.submit(() -> answer(seq, op, arguments));
        }
    }

    private void answer(String seq, String op, Arguments a) {
        Map<String, Object> reply = object("re", Long.valueOf(seq));
        try {
            reply.put("value", call(op, a));
        } catch (Throwable failure) {
            reply.put("error", describe(failure));
        }
        emit(reply);
    }

    private Object call(String op, Arguments a) throws Exception {
        switch (op) {
            case "producer": return startProducer(a);
            case "recall": return recall(producers.get(a.text("id")), a);
            case "transaction": return transaction((TransactionMQProducer) producers.get(a.text("id")), a);
            case "send": return send(producers.get(a.text("id")), a);
            case "batch": return sendBatch(producers.get(a.text("id")), a);
            case "load": return startLoad(producers.get(a.text("id")), a);
            case "stopLoad": return loads.remove(a.text("id")).stop();
            case "request": return request(producers.get(a.text("id")), a);
            case "push": return startPush(a);
            case "pull": return startPull(a);
            case "poll": return poll(pullConsumers.get(a.text("id")), a);
            case "commit": pullConsumers.get(a.text("id")).commitSync(); return null;
            case "seek": return seek(pullConsumers.get(a.text("id")), a);
            case "queues": return queues(producers.get(a.text("id")), a);
            case "offset": return offset(producers.get(a.text("id")), a);
            case "view": return message(producers.get(a.text("id")).viewMessage(a.text("topic"), a.text("msgId")));
            case "query": return query(producers.get(a.text("id")), a);
            case "close": return close(a.text("id"));
            default: throw new IllegalArgumentException("unknown op " + op);
        }
    }

    // -- producing

    private Object startProducer(Arguments a) throws Exception {
        DefaultMQProducer producer = a.has("transactions")
            ? transactionProducer(a.text("id"), a.text("group")) : new DefaultMQProducer(a.text("group"));
        producer.setNamesrvAddr(a.text("namesrv"));
        if (a.has("instance")) producer.setInstanceName(a.text("instance"));
        if (a.has("clientIp")) producer.setClientIP(a.text("clientIp"));
        if (a.has("timeoutMs")) producer.setSendMsgTimeout(a.number("timeoutMs"));
        if (a.has("maxMessageBytes")) producer.setMaxMessageSize(a.number("maxMessageBytes"));
        if (a.has("compressOver")) producer.setCompressMsgBodyOverHowmuch(a.number("compressOver"));
        if (a.has("retries")) producer.setRetryTimesWhenSendFailed(a.number("retries"));
        if (a.has("namespace")) setOf(producer, "setNamespace", a.text("namespace"));
        // 5.x: the kind of compression, and a trace of every send.
        if (a.has("compress")) setOf(producer, "setCompressType", a.text("compress"));
        if (a.has("trace")) setOf(producer, "setEnableTrace", "true");
        producer.start();
        producers.put(a.text("id"), producer);
        return producer.buildMQClientId();
    }

    /** Calls a setter that not every release has; its argument is a text, a truth, or the constant of an enum. */
    private static void setOf(Object client, String setter, String value) throws Exception {
        for (java.lang.reflect.Method method : client.getClass().getMethods()) {
            if (!method.getName().equals(setter) || method.getParameterCount() != 1) continue;
            Class<?> type = method.getParameterTypes()[0];
            if (type == String.class) method.invoke(client, value);
            else if (type == boolean.class) method.invoke(client, Boolean.parseBoolean(value));
            else method.invoke(client, type.getMethod("valueOf", String.class).invoke(null, value));
            return;
        }
        throw new IllegalArgumentException(client.getClass().getName() + " has no " + setter);
    }

    /** Says of each message what its properties "first" (at the send) and "asked" (when checked) say. */
    private static DefaultMQProducer transactionProducer(String id, String group) {
        TransactionMQProducer producer = new TransactionMQProducer(group);
        producer.setTransactionListener(new TransactionListener() {
            @Override public LocalTransactionState executeLocalTransaction(Message message, Object arg) {
                return LocalTransactionState.valueOf(message.getUserProperty("first"));
            }
            @Override public LocalTransactionState checkLocalTransaction(MessageExt message) {
                report(id, message);
                return LocalTransactionState.valueOf(message.getUserProperty("asked"));
            }
        });
        return producer;
    }

    private static Object transaction(TransactionMQProducer producer, Arguments a) throws Exception {
        TransactionSendResult result = producer.sendMessageInTransaction(draft(a, 0), null);
        Map<String, Object> map = sent(result);
        map.put("state", result.getLocalTransactionState().name());
        return map;
    }

    /** 5.x alone knows it. */
    private static Object recall(DefaultMQProducer producer, Arguments a) throws Exception {
        return DefaultMQProducer.class.getMethod("recallMessage", String.class, String.class)
            .invoke(producer, a.text("topic"), a.text("handle"));
    }

    private static Message draft(Arguments a, int i) {
        byte[] body;
        if (a.has("bodyBytes")) {
            body = new byte[a.number("bodyBytes")];
            for (int at = 0; at < body.length; at++) body[at] = (byte) ('a' + (at * 31 + at / 97) % 26);
        } else {
            body = (a.text("body") + (a.has("count") ? "-" + i : "")).getBytes(StandardCharsets.UTF_8);
        }
        Message message = new Message(a.text("topic"), body);
        if (a.has("tags")) {
            String[] tags = a.text("tags").split(",");
            message.setTags(tags[i % tags.length]);
        }
        if (a.has("keys")) message.setKeys(a.text("keys") + (a.has("count") ? "-" + i : ""));
        if (a.has("flag")) message.setFlag(a.number("flag"));
        if (a.has("delayLevel")) message.setDelayTimeLevel(a.number("delayLevel"));
        for (String name : a.names()) {
            // setDelayTimeMs, setDelayTimeSec, setDeliverTimeMs: 5.x alone has them.
            if (name.startsWith("set")) {
                try {
                    Message.class.getMethod(name, long.class).invoke(message, Long.parseLong(a.text(name)));
                } catch (ReflectiveOperationException e) {
                    throw new IllegalArgumentException(name, e);
                }
            }
            if (name.startsWith("prop.")) message.putUserProperty(name.substring(5), a.text(name));
        }
        return message;
    }

    /** Asks over a message, and gives the reply. */
    private static Object request(DefaultMQProducer producer, Arguments a) throws Exception {
        Message reply = producer.request(draft(a, 0), a.number("withinMs"));
        return object("body", new String(reply.getBody(), StandardCharsets.UTF_8));
    }

    private static Object send(DefaultMQProducer producer, Arguments a) throws Exception {
        int count = a.has("count") ? a.number("count") : 1;
        String mode = a.has("mode") ? a.text("mode") : "sync";
        List<Object> results = new ArrayList<>();
        if (mode.equals("async")) {
            Object[] slots = new Object[count];
            CountDownLatch done = new CountDownLatch(count);
            for (int i = 0; i < count; i++) {
                final int slot = i;
                producer.send(draft(a, i), new SendCallback() {
                    @Override public void onSuccess(SendResult result) { slots[slot] = sent(result); done.countDown(); }
                    @Override public void onException(Throwable e) { slots[slot] = object("error", describe(e)); done.countDown(); }
                });
            }
            if (!done.await(60, TimeUnit.SECONDS)) throw new IllegalStateException("async sends still open after 60 s");
            for (Object slot : slots) results.add(slot);
            return results;
        }
        for (int i = 0; i < count; i++) {
            Message message = draft(a, i);
            if (mode.equals("oneway")) {
                producer.sendOneway(message);
                results.add(null);
            } else if (a.has("shards")) {
                // The same shard always goes to the same queue: what ordered producers do.
                final int shard = i % a.number("shards");
                results.add(sent(producer.send(message, (queues, m, arg) -> queues.get((Integer) arg % queues.size()), shard)));
            } else {
                results.add(sent(producer.send(message)));
            }
        }
        return results;
    }

    private static Object sendBatch(DefaultMQProducer producer, Arguments a) throws Exception {
        Collection<Message> messages = new ArrayList<>();
        for (int i = 0; i < a.number("count"); i++) messages.add(draft(a, i));
        return sent(producer.send(messages));
    }

    private Object startLoad(DefaultMQProducer producer, Arguments a) {
        Load load = new Load(producer, a);
        loads.put(a.text("id"), load);
        load.start();
        return null;
    }

    /** A steady rate of synchronous sends; every acknowledgement and every failure is an event with its time. */
    private static final class Load {
        private final DefaultMQProducer producer;
        private final String topic;
        private final boolean sharded;
        private final long pauseNanos;
        private final Thread[] threads;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger acked = new AtomicInteger();
        private volatile boolean stopped;

        Load(DefaultMQProducer producer, Arguments a) {
            this.producer = producer;
            this.topic = a.text("topic");
            this.sharded = a.has("sharded");
            this.threads = new Thread[a.number("threads")];
            this.pauseNanos = 1_000_000_000L * threads.length / a.number("perSecond");
        }

        void start() {
            for (int i = 0; i < threads.length; i++) {
                final int shard = i;
                threads[i] = new Thread(() -> run(shard), "load-" + i);
                threads[i].setDaemon(true);
                threads[i].start();
            }
        }

        private void run(int shard) {
            while (!stopped) {
                long begin = System.nanoTime();
                String body = shard + "-" + next.getAndIncrement();
                Message message = new Message(topic, body.getBytes(StandardCharsets.UTF_8));
                try {
                    // A shard keeps to one queue, as an ordered producer does; else the client goes round the queues.
                    SendResult result = sharded
                        ? producer.send(message, (queues, m, arg) -> queues.get((Integer) arg % queues.size()), shard)
                        : producer.send(message);
                    acked.incrementAndGet();
                    Map<String, Object> event = object("ev", "ack");
                    event.put("t", System.currentTimeMillis());
                    event.put("body", body);
                    event.put("status", result.getSendStatus().name());
                    emit(event);
                } catch (Throwable failure) {
                    Map<String, Object> event = object("ev", "nack");
                    event.put("t", System.currentTimeMillis());
                    event.put("body", body);
                    event.put("error", describe(failure));
                    emit(event);
                }
                long rest = pauseNanos - (System.nanoTime() - begin);
                if (rest > 0) java.util.concurrent.locks.LockSupport.parkNanos(rest);
            }
        }

        Object stop() throws InterruptedException {
            stopped = true;
            for (Thread thread : threads) thread.join(30_000);
            Map<String, Object> result = object("acked", acked.get());
            result.put("sent", next.get());
            return result;
        }
    }

    // -- consuming

    private Object startPush(Arguments a) throws Exception {
        String id = a.text("id");
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(a.text("group"));
        consumer.setNamesrvAddr(a.text("namesrv"));
        if (a.has("instance")) consumer.setInstanceName(a.text("instance"));
        if (a.has("clientIp")) consumer.setClientIP(a.text("clientIp"));
        if (a.has("model")) consumer.setMessageModel(modelOf(a.text("model")));
        if (a.has("maxReconsumeTimes")) consumer.setMaxReconsumeTimes(a.number("maxReconsumeTimes"));
        if (a.has("namespace")) setOf(consumer, "setNamespace", a.text("namespace"));
        if (a.has("trace")) setOf(consumer, "setEnableTrace", "true");
        if (a.has("strategy")) consumer.setAllocateMessageQueueStrategy(strategyOf(a.text("strategy")));
        consumer.setConsumeFromWhere(a.has("from") && a.text("from").equals("last")
            ? ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET : ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        // 5.x: the broker assigns queues, and says whether they are pulled or popped.
        if (a.has("serverRebalance")) {
            consumer.getClass().getMethod("setClientRebalance", boolean.class).invoke(consumer, false);
            consumer.getClass().getMethod("setPopInvisibleTime", long.class).invoke(consumer, 10_000L);
        }
        if (a.has("sql")) consumer.subscribe(a.text("topic"), MessageSelector.bySql(a.text("sql")));
        else consumer.subscribe(a.text("topic"), a.has("tags") ? a.text("tags") : "*");
        DefaultMQProducer replier = a.has("replyBy") ? producers.get(a.text("replyBy")) : null;
        int failBelow = a.has("failBelow") ? a.number("failBelow") : 0;
        if (a.has("orderly")) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
                for (MessageExt message : messages) report(id, message);
                return ConsumeOrderlyStatus.SUCCESS;
            });
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                ConsumeConcurrentlyStatus status = ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
                for (MessageExt message : messages) {
                    report(id, message);
                    if (replier != null) reply(replier, message);
                    if (message.getReconsumeTimes() < failBelow) status = ConsumeConcurrentlyStatus.RECONSUME_LATER;
                }
                return status;
            });
        }
        consumer.start();
        pushConsumers.put(id, consumer);
        return consumer.buildMQClientId();
    }

    private static AllocateMessageQueueStrategy strategyOf(String name) throws Exception {
        String place = "org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueue";
        return (AllocateMessageQueueStrategy) Class.forName(place + name).getConstructor().newInstance();
    }

    private static void reply(DefaultMQProducer replier, MessageExt request) {
        try {
            String body = new String(request.getBody(), StandardCharsets.UTF_8) + "!";
            replier.send(MessageUtil.createReplyMessage(request, body.getBytes(StandardCharsets.UTF_8)), 3_000);
        } catch (Exception failure) {
            throw new IllegalStateException(failure);
        }
    }

    /** The enum moved between packages from 4.x to 5.x; its setter is the one place both agree on. */
    private static <E> E modelOf(String name) throws Exception {
        for (java.lang.reflect.Method method : DefaultMQPushConsumer.class.getMethods()) {
            if (!method.getName().equals("setMessageModel")) continue;
            for (Object constant : method.getParameterTypes()[0].getEnumConstants()) {
                if (constant.toString().equals(name)) {
                    @SuppressWarnings("unchecked") E model = (E) constant;
                    return model;
                }
            }
        }
        throw new IllegalArgumentException(name);
    }

    private Object startPull(Arguments a) throws Exception {
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(a.text("group"));
        consumer.setNamesrvAddr(a.text("namesrv"));
        if (a.has("instance")) consumer.setInstanceName(a.text("instance"));
        if (a.has("clientIp")) consumer.setClientIP(a.text("clientIp"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setAutoCommit(!a.has("manual"));
        if (!a.has("assign")) consumer.subscribe(a.text("topic"), a.has("tags") ? a.text("tags") : "*");
        consumer.start();
        if (a.has("assign")) consumer.assign(consumer.fetchMessageQueues(a.text("topic")));
        pullConsumers.put(a.text("id"), consumer);
        return null;
    }

    private static Object poll(DefaultLitePullConsumer consumer, Arguments a) {
        List<Object> found = new ArrayList<>();
        for (MessageExt message : consumer.poll(a.number("waitMs"))) found.add(message(message));
        return found;
    }

    /** To the beginning, to the end, or to a time. */
    private static Object seek(DefaultLitePullConsumer consumer, Arguments a) throws Exception {
        for (MessageQueue queue : consumer.fetchMessageQueues(a.text("topic"))) {
            if (a.has("timestamp")) {
                consumer.seek(queue, consumer.offsetForTimestamp(queue, Long.parseLong(a.text("timestamp"))));
            } else if (a.has("end")) consumer.seekToEnd(queue);
            else consumer.seekToBegin(queue);
        }
        return null;
    }

    // -- asking

    private static Object queues(DefaultMQProducer producer, Arguments a) throws Exception {
        List<Object> list = new ArrayList<>();
        for (MessageQueue queue : producer.fetchPublishMessageQueues(a.text("topic"))) {
            Map<String, Object> item = object("broker", queue.getBrokerName());
            item.put("queueId", queue.getQueueId());
            list.add(item);
        }
        return list;
    }

    private static Object offset(DefaultMQProducer producer, Arguments a) throws Exception {
        MessageQueue queue = new MessageQueue(a.text("topic"), a.text("broker"), a.number("queueId"));
        switch (a.text("of")) {
            case "max": return producer.maxOffset(queue);
            case "min": return producer.minOffset(queue);
            case "earliest": return producer.earliestMsgStoreTime(queue);
            default: return producer.searchOffset(queue, Long.parseLong(a.text("timestamp")));
        }
    }

    private static Object query(DefaultMQProducer producer, Arguments a) throws Exception {
        QueryResult result = producer.queryMessage(a.text("topic"), a.text("key"), 32, 0, System.currentTimeMillis() + 60_000);
        List<Object> found = new ArrayList<>();
        for (MessageExt message : result.getMessageList()) found.add(message(message));
        return found;
    }

    private Object close(String id) {
        DefaultMQProducer producer = producers.remove(id);
        if (producer != null) producer.shutdown();
        DefaultMQPushConsumer push = pushConsumers.remove(id);
        if (push != null) push.shutdown();
        DefaultLitePullConsumer pull = pullConsumers.remove(id);
        if (pull != null) pull.shutdown();
        return null;
    }

    // -- reporting

    private static void report(String consumer, MessageExt message) {
        Map<String, Object> event = object("ev", "message");
        event.put("consumer", consumer);
        event.putAll(message(message));
        emit(event);
    }

    private static Map<String, Object> message(MessageExt message) {
        Map<String, Object> map = object("t", System.currentTimeMillis());
        map.put("topic", message.getTopic());
        map.put("tags", message.getTags());
        map.put("keys", message.getKeys());
        map.put("queueId", message.getQueueId());
        map.put("queueOffset", message.getQueueOffset());
        map.put("reconsumeTimes", message.getReconsumeTimes());
        map.put("msgId", message.getMsgId());
        map.put("flag", message.getFlag());
        map.put("bornTimestamp", message.getBornTimestamp());
        map.put("storeTimestamp", message.getStoreTimestamp());
        map.put("bodyBytes", message.getBody().length);
        map.put("bodyHash", java.util.Arrays.hashCode(message.getBody()));
        map.put("body", message.getBody().length > 512 ? null : new String(message.getBody(), StandardCharsets.UTF_8));
        map.put("properties", new HashMap<String, Object>(message.getProperties()));
        return map;
    }

    private static Map<String, Object> sent(SendResult result) {
        Map<String, Object> map = object("status", result.getSendStatus().name());
        map.put("msgId", result.getMsgId());
        map.put("offsetMsgId", result.getOffsetMsgId());
        map.put("broker", result.getMessageQueue().getBrokerName());
        map.put("queueId", result.getMessageQueue().getQueueId());
        map.put("queueOffset", result.getQueueOffset());
        try {
            map.put("recallHandle", SendResult.class.getMethod("getRecallHandle").invoke(result));
        } catch (ReflectiveOperationException e) {
            map.put("recallHandle", null);
        }
        return map;
    }

    private static Map<String, Object> describe(Throwable failure) {
        Map<String, Object> map = object("class", failure.getClass().getSimpleName());
        Throwable coded = failure;
        while (coded.getCause() != null && !(coded instanceof MQBrokerException)) coded = coded.getCause();
        int code = -1;
        if (coded instanceof MQBrokerException) code = ((MQBrokerException) coded).getResponseCode();
        else if (failure instanceof MQClientException) code = ((MQClientException) failure).getResponseCode();
        map.put("code", code);
        map.put("message", String.valueOf(failure.getMessage()));
        return map;
    }

    private static Map<String, Object> object(String key, Object value) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(key, value);
        return map;
    }

    private static void emit(Map<String, Object> object) {
        StringBuilder line = new StringBuilder();
        json(line, object);
        line.append('\n');
        byte[] bytes = line.toString().getBytes(StandardCharsets.UTF_8);
        synchronized (OUT) {
            OUT.write(bytes, 0, bytes.length);
            OUT.flush();
        }
    }

    private static void json(StringBuilder out, Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof Map) {
            String comma = "{";
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                out.append(comma);
                json(out, String.valueOf(entry.getKey()));
                out.append(':');
                json(out, entry.getValue());
                comma = ",";
            }
            out.append(comma.equals("{") ? "{}" : "}");
        } else if (value instanceof List) {
            String comma = "[";
            for (Object item : (List<?>) value) {
                out.append(comma);
                json(out, item);
                comma = ",";
            }
            out.append(comma.equals("[") ? "[]" : "]");
        } else {
            out.append('"');
            for (char c : value.toString().toCharArray()) {
                if (c == '"' || c == '\\') out.append('\\').append(c);
                else if (c < 32) out.append(String.format("\\u%04x", (int) c));
                else out.append(c);
            }
            out.append('"');
        }
    }

    private static final class Arguments {
        private final Map<String, String> values = new HashMap<>();

        Arguments(String[] parts) throws Exception {
            for (int i = 2; i < parts.length; i++) {
                int at = parts[i].indexOf('=');
                values.put(parts[i].substring(0, at), URLDecoder.decode(parts[i].substring(at + 1), "UTF-8"));
            }
        }

        boolean has(String name) { return values.containsKey(name); }
        String text(String name) { return values.get(name); }
        int number(String name) { return Integer.parseInt(values.get(name)); }
        Collection<String> names() { return values.keySet(); }
    }
}
