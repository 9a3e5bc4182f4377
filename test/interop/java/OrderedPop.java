import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.AckResult;
import org.apache.rocketmq.client.consumer.PopResult;
import org.apache.rocketmq.client.impl.mqclient.DoNothingClientRemotingProcessor;
import org.apache.rocketmq.client.impl.mqclient.MQClientAPIExt;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.protocol.header.AckMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.ChangeInvisibleTimeRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.PopMessageRequestHeader;

/**
 * Pops in order through the class of the stock 5.5 client by which RocketMQ's own proxy does it, line by line.
 *
 * In:  {@code pop ADDRESS TOPIC GROUP QUEUE_ID MAX INVISIBLE_MS}, {@code ack ADDRESS GROUP N},
 *      {@code batch ADDRESS GROUP N N…}, {@code hide ADDRESS GROUP N INVISIBLE_MS}; N counts the messages that were popped, from 0.
 * Out: a line for each line: what a pop found as {@code N body times}, else the status, or {@code failed: } and why.
 */
public final class OrderedPop {
    private static final long TIMEOUT_MS = 5_000;
    private final List<MessageExt> popped = new ArrayList<>();
    private final MQClientAPIExt client;

    private OrderedPop() {
        ClientConfig config = new ClientConfig();
        client = new MQClientAPIExt(config, new NettyClientConfig(), new DoNothingClientRemotingProcessor(null), null);
        client.start();
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err);
        OrderedPop program = new OrderedPop();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String said;
            try {
                said = program.call(line.split(" "));
            } catch (Throwable failure) {
                said = "failed: " + String.valueOf(failure).replace('\n', ' ');
            }
            out.println(said);
            out.flush();
        }
        System.exit(0);
    }

    private String call(String[] words) throws Exception {
        switch (words[0]) {
            case "pop": return pop(words);
            case "ack": return ack(words);
            case "batch": return batch(words);
            case "hide": return hide(words);
            default: throw new IllegalArgumentException(words[0]);
        }
    }

    private String pop(String[] words) throws Exception {
        PopMessageRequestHeader header = new PopMessageRequestHeader();
        header.setTopic(words[2]);
        header.setConsumerGroup(words[3]);
        header.setQueueId(Integer.parseInt(words[4]));
        header.setMaxMsgNums(Integer.parseInt(words[5]));
        header.setInvisibleTime(Long.parseLong(words[6]));
        header.setPollTime(0);
        header.setBornTime(System.currentTimeMillis());
        header.setInitMode(0);
        header.setExpType("TAG");
        header.setExp("*");
        header.setOrder(true);
        header.setAttemptId(UUID.randomUUID().toString());
        PopResult result = client.popMessageAsync(words[1], "broker-a", header, TIMEOUT_MS).get(10, TimeUnit.SECONDS);
        if (result.getMsgFoundList() == null) return result.getPopStatus().name();
        List<String> found = new ArrayList<>();
        for (MessageExt message : result.getMsgFoundList()) {
            found.add(popped.size() + " " + new String(message.getBody(), StandardCharsets.UTF_8) + " " + message.getReconsumeTimes());
            popped.add(message);
        }
        return String.join("; ", found);
    }

    private String ack(String[] words) throws Exception {
        MessageExt message = popped.get(Integer.parseInt(words[3]));
        AckMessageRequestHeader header = new AckMessageRequestHeader();
        header.setConsumerGroup(words[2]);
        header.setTopic(message.getTopic());
        header.setQueueId(message.getQueueId());
        header.setOffset(message.getQueueOffset());
        header.setExtraInfo(message.getProperty(MessageConst.PROPERTY_POP_CK));
        AckResult result = client.ackMessageAsync(words[1], header, TIMEOUT_MS).get(10, TimeUnit.SECONDS);
        return result.getStatus().name();
    }

    private String batch(String[] words) throws Exception {
        List<String> receipts = new ArrayList<>();
        String topic = null;
        for (int at = 3; at < words.length; at++) {
            MessageExt message = popped.get(Integer.parseInt(words[at]));
            topic = message.getTopic();
            receipts.add(message.getProperty(MessageConst.PROPERTY_POP_CK));
        }
        AckResult result = client.batchAckMessageAsync(words[1], topic, words[2], receipts, TIMEOUT_MS).get(10, TimeUnit.SECONDS);
        return result.getStatus().name();
    }

    private String hide(String[] words) throws Exception {
        MessageExt message = popped.get(Integer.parseInt(words[3]));
        ChangeInvisibleTimeRequestHeader header = new ChangeInvisibleTimeRequestHeader();
        header.setConsumerGroup(words[2]);
        header.setTopic(message.getTopic());
        header.setQueueId(message.getQueueId());
        header.setOffset(message.getQueueOffset());
        header.setExtraInfo(message.getProperty(MessageConst.PROPERTY_POP_CK));
        header.setInvisibleTime(Long.parseLong(words[4]));
        AckResult result = client.changeInvisibleTimeAsync(words[1], "broker-a", header, TIMEOUT_MS).get(10, TimeUnit.SECONDS);
        // The receipt has changed with the time.
        message.getProperties().put(MessageConst.PROPERTY_POP_CK, result.getExtraInfo());
        return result.getStatus().name();
    }
}
