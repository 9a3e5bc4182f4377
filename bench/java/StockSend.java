import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;

/**
 * What {@code raftmq bench send} measures, with the stock Java client: asynchronous sends, so many in flight, for so many
 * seconds. Arguments: NAMESRV TOPIC SIZE IN_FLIGHT SECONDS. Prints one line of JSON with the same names.
 */
public final class StockSend {
    private static final int MAX_SAMPLES = 20_000_000;

    public static void main(String[] args) throws Exception {
        int size = Integer.parseInt(args[2]);
        int inFlight = Integer.parseInt(args[3]);
        long seconds = Long.parseLong(args[4]);
        DefaultMQProducer producer = new DefaultMQProducer("stock_send");
        producer.setNamesrvAddr(args[0]);
        producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
        producer.start();
        byte[] body = new byte[size];
        Arrays.fill(body, (byte) 'x');
        // The topic is made, the connection opened and some code compiled before the clock starts.
        for (int i = 0; i < 1_000; i++) producer.send(new Message(args[1], body));

        Semaphore free = new Semaphore(inFlight);
        AtomicLong failed = new AtomicLong();
        AtomicInteger samples = new AtomicInteger();
        int[] micros = new int[MAX_SAMPLES];
        long begun = System.nanoTime();
        long end = begun + seconds * 1_000_000_000L;
        while (System.nanoTime() < end) {
            free.acquire();
            long sent = System.nanoTime();
            producer.send(new Message(args[1], body), new SendCallback() {
                @Override public void onSuccess(SendResult result) {
                    int at = samples.getAndIncrement();
                    if (at < MAX_SAMPLES) micros[at] = (int) ((System.nanoTime() - sent) / 1_000);
                    free.release();
                }

                @Override public void onException(Throwable e) {
                    failed.incrementAndGet();
                    free.release();
                }
            });
        }
        free.acquire(inFlight);
        double elapsed = (System.nanoTime() - begun) / 1e9;
        producer.shutdown();

        int count = Math.min(samples.get(), MAX_SAMPLES);
        Arrays.sort(micros, 0, count);
        System.out.println(String.format(Locale.ROOT,
            "{\"acksPerSecond\":%.0f,\"failed\":%d,\"latencyMs\":{\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f}}",
            samples.get() / elapsed, failed.get(), at(micros, count, 0.5), at(micros, count, 0.99), at(micros, count, 0.999),
            at(micros, count, 1)));
        System.exit(0);
    }

    private static double at(int[] sorted, int count, double share) {
        return count == 0 ? 0 : sorted[Math.min(count - 1, (int) (count * share))] / 1e3;
    }
}
