import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * mqadmin for many commands in one process. In: the arguments of a command a line, separated by tabs, percent-encoded. Out:
 * what it printed, a line each, in base64.
 */
public final class Admin {
    public static void main(String[] ignored) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] arguments = line.split("\t");
            for (int at = 0; at < arguments.length; at++) arguments[at] = URLDecoder.decode(arguments[at], "UTF-8");
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream capture = new PrintStream(printed, true, "UTF-8");
            System.setOut(capture);
            System.setErr(capture);
            MQAdminStartup.main0(arguments, null);
            out.println("=" + Base64.getEncoder().encodeToString(printed.toByteArray()));
        }
        System.exit(0);
    }
}
