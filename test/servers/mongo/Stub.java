import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import io.netty.channel.Channel;
import java.util.List;

/**
 * A server that speaks MongoDB's protocol and is not MongoDB, for tests: arguments are a port of 127.0.0.1 and the name of the
 * replica set that it pretends to be the only member of ("-" for none).
 */
public class Stub {
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        MemoryBackend backend = args[1].equals("-") ? new MemoryBackend() : new Member("127.0.0.1:" + port, args[1]);
        backend.version(new Version());
        MongoServer server = new MongoServer(backend);
        server.bind("127.0.0.1", port);
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown));
        Thread.currentThread().join();
    }

    /** Newer than what it implements: the driver refuses the older ones, and we use nothing that came since. */
    static class Version implements MongoVersion {
        public List<Integer> getVersionArray() {
            return List.of(7, 0, 0);
        }

        public String toVersionString() {
            return "7.0.0";
        }

        public int getWireVersion() {
            return 21;
        }
    }

    /** Says that it is the primary of a replica set, as the store demands. */
    static class Member extends MemoryBackend {
        private final String address;
        private final String set;

        Member(String address, String set) {
            this.address = address;
            this.set = set;
        }

        @Override
        public Document handleCommand(Channel channel, String database, String command, Document query) {
            return introduce(super.handleCommand(channel, database, command, query));
        }

        @Override
        public Document handleMessage(MongoMessage message) {
            return introduce(super.handleMessage(message));
        }

        private Document introduce(Document answer) {
            if (answer != null && answer.containsKey("ismaster")) {
                answer.put("setName", set);
                answer.put("setVersion", 1);
                answer.put("secondary", false);
                answer.put("hosts", List.of(address));
                answer.put("primary", address);
                answer.put("me", address);
            }
            return answer;
        }
    }
}
