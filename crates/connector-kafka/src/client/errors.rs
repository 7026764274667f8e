//! librdkafka's errors as Headwater's: what failed, why, and what to do about it.

use super::Trouble;
use headwater_types::{Error, ErrorKind};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// The error of something that failed, such as "reading the partitions of the topic 'orders'".
pub(crate) fn explain(doing: &str, error: &KafkaError, trouble: &Trouble) -> Error {
    match error {
        KafkaError::ClientConfig(_, text, name, _) => {
            let message = format!("{doing}: the Kafka client does not take the property '{name}': {text}");
            Error::user("bad-option-value", message)
        }
        KafkaError::ClientCreation(text) => {
            Error::user("kafka-client", format!("{doing}: no Kafka client can be made of these properties: {text}"))
        }
        KafkaError::AdminOp(code) => explain_code(doing, *code, trouble),
        KafkaError::Transaction(native) => match explain_code(doing, native.code(), trouble) {
            // The text of a failed transaction says more than its code.
            plain if plain.code() == "kafka" => Error::retryable("kafka", format!("{doing}: {}", native.string())),
            known => known,
        },
        other => match other.rdkafka_error_code() {
            Some(code) => explain_code(doing, code, trouble),
            None => Error::retryable("kafka", format!("{doing}: {other}")),
        },
    }
}

/// The error of a broker's or of librdkafka's code.
pub(crate) fn explain_code(doing: &str, code: Code, trouble: &Trouble) -> Error {
    let (mut kind, mut name, mut text) = advice(code);
    let mut why = code.to_string();
    if name == "kafka-unreachable"
        && let Some(trouble) = trouble.last()
    {
        // A connection that was refused looks to its users like one that is late.
        (kind, name, text) = advice(cause(&trouble).unwrap_or(code));
        why = trouble;
    }
    let advice = if text.is_empty() { String::new() } else { format!("; {text}") };
    Error::new(kind, name, format!("{doing}: {why}{advice}"))
}

/// What a line of the client's log says of the reason a connection failed.
fn cause(text: &str) -> Option<Code> {
    if text.contains("SASL authentication error") || text.contains("Unsupported SASL mechanism") {
        return Some(Code::SaslAuthenticationFailed);
    }
    (text.contains("SSL handshake failed") || text.contains("certificate verify failed")).then_some(Code::SSL)
}

/// Kind, code and advice.
fn advice(code: Code) -> (ErrorKind, &'static str, &'static str) {
    use ErrorKind::{Fenced, Retryable, User};
    match code {
        Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::OperationTimedOut
        | Code::Resolve
        | Code::MessageTimedOut
        | Code::TimedOutQueue
        | Code::NetworkException
        | Code::RequestTimedOut => (
            Retryable,
            "kafka-unreachable",
            "check that a broker listens at 'properties.bootstrap.servers', that the address it advertises is reachable \
             from here, and that 'properties.security.protocol' is the one of that listener",
        ),
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::UnsupportedSASLMechanism
        | Code::SSL => access_advice(code),
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => {
            (User, "kafka-topic-missing", "create the topic or correct the option 'topic'")
        }
        Code::MessageSizeTooLarge | Code::InvalidMessageSize => (
            User,
            "kafka-record-too-large",
            "raise the topic's 'max.message.bytes' and 'properties.max.request.size', or write smaller records",
        ),
        Code::InvalidTransactionTimeout => (
            User,
            "kafka-transaction-timeout",
            "'properties.transaction.timeout.ms' is larger than the broker's 'transaction.max.timeout.ms': leave it out, \
             transactions here last seconds",
        ),
        Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch | Code::TransactionCoordinatorFenced => (
            Fenced,
            "kafka-fenced",
            "another job writes with the same 'sink.transactional-id-prefix': every sink needs one of its own",
        ),
        Code::NotEnoughReplicas | Code::NotEnoughReplicasAfterAppend => {
            (Retryable, "kafka-replicas", "fewer replicas are in sync than the topic's 'min.insync.replicas'")
        }
        Code::PolicyViolation | Code::InvalidRecord => {
            (User, "kafka-refused", "the topic's settings refuse the record")
        }
        _ => (Retryable, "kafka", ""),
    }
}

/// What to do when the broker does not let the user in, or not do what is asked for.
fn access_advice(code: Code) -> (ErrorKind, &'static str, &'static str) {
    use ErrorKind::User;
    match code {
        Code::TopicAuthorizationFailed => (
            User,
            "kafka-authorization",
            "the user may not use the topic: sources need READ and DESCRIBE on it, sinks WRITE and DESCRIBE",
        ),
        Code::GroupAuthorizationFailed => (
            User,
            "kafka-authorization",
            "the user may not use the consumer group: sources with 'properties.group.id' need READ on that group, \
             exactly-once sinks need READ on the groups that start with 'sink.transactional-id-prefix'",
        ),
        Code::TransactionalIdAuthorizationFailed => (
            User,
            "kafka-authorization",
            "the user needs WRITE and DESCRIBE on the transactional ids that start with 'sink.transactional-id-prefix'",
        ),
        Code::ClusterAuthorizationFailed => {
            (User, "kafka-authorization", "the user needs IDEMPOTENT_WRITE on the cluster")
        }
        Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism => (
            User,
            "kafka-authentication",
            "check 'properties.sasl.mechanism' and the user and password in 'properties.sasl.jaas.config'",
        ),
        Code::SSL => (User, "kafka-tls", "check the 'properties.ssl.*' options"),
        _ => (User, "kafka-authorization", ""),
    }
}
