//! `server.properties`.

use super::tls::Certificates;
use super::{ADMIN, GUEST, PASSWORD, Ports};
use std::fmt::Write;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

/// What does not depend on the broker.
const COMMON: &str = "\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=2
background.threads=2
log.cleaner.dedupe.buffer.size=2097152
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:admin
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
";

/// The text of the file.
pub(super) fn server_properties(
    directory: &Path,
    (host, ports): (Ipv4Addr, Ports),
    certificates: Option<&Certificates>,
    more: &[String],
) -> io::Result<String> {
    let Ports { plaintext, sasl, tls, controller } = ports;
    let mut listeners = format!("PLAINTEXT://{host}:{plaintext},SASL_PLAINTEXT://127.0.0.1:{sasl}");
    if certificates.is_some() {
        let _ = write!(listeners, ",SSL://localhost:{tls}");
    }
    let mut text = COMMON.to_string();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}={value}");
    };
    line("controller.quorum.voters", &format!("1@127.0.0.1:{controller}"));
    line("advertised.listeners", &listeners);
    line("listeners", &format!("{listeners},CONTROLLER://127.0.0.1:{controller}"));
    line(
        "listener.security.protocol.map",
        "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT",
    );
    line("log.dirs", &directory.join("data").to_string_lossy());
    let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    let users = format!("user_{ADMIN}=\"{PASSWORD}\" user_{GUEST}=\"{PASSWORD}\"");
    line("listener.name.sasl_plaintext.plain.sasl.jaas.config", &format!("{plain} {users};"));
    let scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
    line("listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config", scram);
    if let Some(certificates) = certificates {
        line("ssl.keystore.type", "PEM");
        line("ssl.keystore.key", &one_line(&std::fs::read_to_string(&certificates.server_key)?));
        line("ssl.keystore.certificate.chain", &one_line(&std::fs::read_to_string(&certificates.server)?));
    }
    for extra in more {
        let _ = writeln!(text, "{extra}");
    }
    Ok(text)
}

/// A value over several lines, as properties files write it.
fn one_line(pem: &str) -> String {
    pem.trim().replace('\n', "\\n")
}
