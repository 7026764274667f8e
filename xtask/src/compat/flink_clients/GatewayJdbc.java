import java.sql.*;
import java.util.*;

/** What Flink's JDBC driver can do with a gateway: one JSON object a line. */
public class GatewayJdbc {
    interface Check { Object run() throws Exception; }

    static void check(String name, Object expected, Check check) {
        String found;
        try {
            found = String.valueOf(check.run());
        } catch (Throwable error) {
            StringBuilder text = new StringBuilder();
            for (Throwable at = error; at != null; at = at.getCause()) text.append(at).append(" / ");
            found = text.toString();
        }
        boolean ok = found.contains(String.valueOf(expected));
        String detail = ok ? "" : "expected " + expected + ", found " + found;
        System.out.println("{\"check\": " + quoted(name) + ", \"ok\": " + ok + ", \"detail\": " + quoted(detail) + "}");
    }

    static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ").replace("\t", " ") + "\"";
    }

    /** What the driver itself does not do, whatever the gateway. */
    static void limit(String name, Check check) {
        try {
            System.out.println("{\"check\": " + quoted(name) + ", \"ok\": true, \"detail\": " + quoted("" + check.run()) + "}");
        } catch (UnsupportedOperationException | SQLFeatureNotSupportedException error) {
            System.out.println("{\"check\": " + quoted(name) + ", \"limit\": \"Flink's driver does not do this with any gateway\"}");
        } catch (Exception error) {
            System.out.println("{\"check\": " + quoted(name) + ", \"ok\": false, \"detail\": " + quoted("" + error) + "}");
        }
    }

    static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> found = new ArrayList<>();
        while (rows.next()) found.add(rows.getString(name));
        return found;
    }

    public static void main(String[] args) throws Exception {
        try (Connection connection = DriverManager.getConnection(args[0]); Statement statement = connection.createStatement()) {
            check("connect", true, () -> !connection.isClosed());
            check("CREATE TABLE", false, () -> statement.execute(
                "CREATE TABLE orders (id INT NOT NULL, name STRING, price DECIMAL(10, 2), ts TIMESTAMP(3), PRIMARY KEY (id) NOT ENFORCED)"
                + " WITH ('connector' = 'datagen', 'number-of-rows' = '3', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '3')"));
            check("CREATE sink", false, () -> statement.execute("CREATE TABLE nothing (id INT) WITH ('connector' = 'blackhole')"));
            check("rows of a query", "[1, 2, 3]", () -> {
                List<Integer> found = new ArrayList<>();
                try (ResultSet rows = statement.executeQuery("SELECT id FROM orders")) {
                    while (rows.next()) found.add(rows.getInt("id"));
                }
                return found;
            });
            check("values of types", "true 7 1.5 1.10 x 2020-01-02 2020-01-02 03:04:05.123 null", () -> {
                try (ResultSet rows = statement.executeQuery("SELECT TRUE, CAST(7 AS BIGINT), CAST(1.5 AS DOUBLE), "
                        + "CAST(1.10 AS DECIMAL(5, 2)), 'x', DATE '2020-01-02', TIMESTAMP '2020-01-02 03:04:05.123', CAST(NULL AS INT)")) {
                    rows.next();
                    return rows.getBoolean(1) + " " + rows.getLong(2) + " " + rows.getDouble(3) + " " + rows.getBigDecimal(4) + " "
                        + rows.getString(5) + " " + rows.getDate(6) + " " + rows.getTimestamp(7) + " " + rows.getObject(8);
                }
            });
            check("metadata of a result", "[id INT NOT NULL, price DECIMAL 10 2]", () -> {
                try (ResultSet rows = statement.executeQuery("SELECT id, price FROM orders")) {
                    ResultSetMetaData data = rows.getMetaData();
                    return List.of(data.getColumnName(1) + " " + data.getColumnTypeName(1),
                        data.getColumnName(2) + " DECIMAL " + data.getPrecision(2) + " " + data.getScale(2));
                }
            });
            check("a query that is left", 1, () -> {
                statement.execute("CREATE TABLE endless (id BIGINT) WITH ('connector' = 'datagen')");
                try (ResultSet rows = statement.executeQuery("SELECT 1 FROM endless")) { rows.next(); return rows.getInt(1); }
            });
            check("INSERT", "Job", () -> {
                statement.execute("INSERT INTO nothing SELECT id FROM orders");
                try (ResultSet rows = statement.getResultSet()) { rows.next(); return rows.getString(1).length() == 32 ? "Job" : "none"; }
            });
            check("SET", false, () -> statement.execute("SET 'pipeline.name' = 'of jdbc'"));
            check("an error says why", "unknown table 'nowhere'", () -> statement.executeQuery("SELECT * FROM nowhere"));
            DatabaseMetaData data = connection.getMetaData();
            check("metadata: product", "Flink", () -> data.getDatabaseProductName());
            check("metadata: catalogs", "default_catalog", () -> column(data.getCatalogs(), "TABLE_CAT"));
            check("metadata: schemas", "default_database", () -> column(data.getSchemas(), "TABLE_SCHEM"));
            limit("Connection.isValid", () -> connection.isValid(1));
            limit("metadata: tables", () -> data.getTables("default_catalog", "default_database", null, null));
            limit("metadata: columns", () -> data.getColumns("default_catalog", "default_database", "orders", null));
            limit("metadata: primary keys", () -> data.getPrimaryKeys("default_catalog", "default_database", "orders"));
            check("catalog and schema of the connection", "default_catalog default_database",
                () -> connection.getCatalog() + " " + connection.getSchema());
        }
        System.exit(0);
    }
}
