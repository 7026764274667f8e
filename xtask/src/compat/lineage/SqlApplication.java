import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;

/** The main program of a Flink application: the statements of a file, one after the other. */
public class SqlApplication {
    public static void main(String[] args) throws Exception {
        TableEnvironment environment = TableEnvironment.create(EnvironmentSettings.newInstance().inStreamingMode().build());
        for (String statement : Files.readString(Path.of(args[0])).split(";\\s*(\\n|$)")) {
            if (statement.isBlank()) continue;
            TableResult result = environment.executeSql(statement.trim());
            if (result.getJobClient().isPresent()) result.await();
        }
    }
}
