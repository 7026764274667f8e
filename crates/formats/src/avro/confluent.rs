//! `avro-confluent`: records whose schemas are in a schema registry.

#[cfg(test)]
mod tests;

use super::decoder::{Columns, messages_only, parse};
use super::input::Input;
use super::plan::Node;
use super::registry::Registry;
use super::{AvroEncoder, AvroOptions, schema};
use crate::decoder::{BadRecord, Decoded, Messages, OnBadRecord, Progress, ReadSchema, RowDecoder, RowEncoder};
use headwater_connector_api::{OptionSpec, Options};
use headwater_data::ChangeBatch;
use headwater_types::{Error, ErrorKind, LogicalType, Result};

/// The options the format understands.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::required("avro-confluent.url", "Addresses of the schema registry, separated by commas."),
    OptionSpec::optional(
        "avro-confluent.subject",
        "Subject under which written schemas are registered; of a Kafka topic its name and -key or -value.",
    ),
    OptionSpec::optional(
        "avro-confluent.basic-auth.credentials-source",
        "Where user and password stand: USER_INFO or URL.",
    ),
    OptionSpec::optional("avro-confluent.basic-auth.user-info", "User and password, as user:password."),
    OptionSpec::optional("avro-confluent.bearer-auth.credentials-source", "Where the token stands: STATIC_TOKEN."),
    OptionSpec::optional("avro-confluent.bearer-auth.token", "A token."),
    OptionSpec::optional("avro-confluent.ssl.truststore.location", "PEM file with the certificates to trust."),
    OptionSpec::optional("avro-confluent.ssl.truststore.password", "Has no effect on PEM files."),
    OptionSpec::optional(
        "avro-confluent.ssl.keystore.location",
        "PEM file with the client's certificate and private key.",
    ),
    OptionSpec::optional("avro-confluent.ssl.keystore.password", "Has no effect on PEM files."),
    OptionSpec::with_default("avro-confluent.timestamp_mapping.legacy", "true", "As 'avro.timestamp_mapping.legacy'."),
];

/// First byte of a message.
const MAGIC: u8 = 0;
/// Schemas that a decoder keeps; registries hold few for a topic.
const SCHEMAS_MAX: usize = 1_000;

fn avro_options(options: Options<'_>) -> Result<AvroOptions> {
    Ok(AvroOptions { is_legacy: options.boolean("avro-confluent.timestamp_mapping.legacy", true)? })
}

/// Decodes messages with the schema whose id they carry.
pub struct ConfluentDecoder {
    columns: Columns,
    registry: Registry,
    /// By schema id; few, and usually one.
    plans: Vec<(u32, Node)>,
}

impl ConfluentDecoder {
    /// A decoder; asks the registry when the first message of a schema comes.
    pub fn new(read: ReadSchema<'_>, options: Options<'_>) -> Result<Self> {
        Ok(Self { columns: Columns::new(read), registry: Registry::new(options)?, plans: vec![] })
    }

    /// Position of the plan of a schema, which is fetched when it is new.
    fn plan(&mut self, id: u32) -> Result<usize> {
        if let Some(at) = self.plans.iter().position(|(known, _)| *known == id) {
            return Ok(at);
        }
        if self.plans.len() >= SCHEMAS_MAX {
            return Err(Error::user("too-many-schemas", format!("messages refer to more than {SCHEMAS_MAX} schemas")));
        }
        let schema = parse(&self.registry.schema(id)?)?;
        let plan = self.columns.plan(&schema).map_err(|e| e.context(format!("the Avro schema {id}")))?;
        self.plans.push((id, plan));
        Ok(self.plans.len() - 1)
    }
}

/// The id of a message's schema, and its record.
fn open(message: &[u8]) -> Option<(u32, &[u8])> {
    let (magic, rest) = message.split_first()?;
    let (id, record) = rest.split_first_chunk()?;
    (*magic == MAGIC).then_some((u32::from_be_bytes(*id), record))
}

impl RowDecoder for ConfluentDecoder {
    fn decode(&mut self, _input: &[u8], _at_end: bool, _rows_max: usize, _bad: OnBadRecord<'_>) -> Result<Progress> {
        Err(messages_only())
    }

    fn decode_message(&mut self, message: &[u8], bad: OnBadRecord<'_>) -> Result<()> {
        let reject = |position, reason| BadRecord { raw: message, start: 0, line: 0, position, reason, ignored: false };
        let Some((id, record)) = open(message) else {
            return bad(reject(0, "it does not start with the id of a schema".into()));
        };
        let plan = match self.plan(id) {
            Ok(plan) => plan,
            // A schema that nobody registered is a fault of the message.
            Err(error) if error.kind() == ErrorKind::User && error.code() == "registry-schema-missing" => {
                return bad(reject(1, error.to_string()));
            }
            Err(error) => return Err(error),
        };
        let mut input = Input::new(record);
        match self.columns.record(&self.plans[plan].1, &mut input) {
            Ok(()) => Ok(()),
            Err(reason) => bad(reject(message.len() - record.len() + input.at, reason)),
        }
    }

    fn rows(&self) -> usize {
        self.columns.rows()
    }

    fn finish(&mut self) -> Result<Decoded> {
        self.columns.finish()
    }

    fn reset(&mut self) {}
}

/// Encodes messages with the schema of the table, which is registered when the first row comes.
pub struct ConfluentEncoder {
    encoder: AvroEncoder,
    registry: Registry,
    subject: String,
    schema: String,
    is_registered: bool,
}

impl ConfluentEncoder {
    /// An encoder; an error when a column has no type in Avro.
    pub fn new(columns: &[(String, LogicalType)], options: Options<'_>) -> Result<Self> {
        let subject = options.get("avro-confluent.subject").ok_or_else(|| {
            Error::user(
                "missing-option",
                "the format avro-confluent needs the option 'avro-confluent.subject' to write: where to register the schema",
            )
        })?;
        let avro = avro_options(options)?;
        Ok(Self {
            encoder: AvroEncoder::new(columns, avro)?,
            registry: Registry::new(options)?,
            subject: subject.into(),
            schema: schema::record(columns, avro)?,
            is_registered: false,
        })
    }
}

impl RowEncoder for ConfluentEncoder {
    fn encode(&mut self, _batch: &ChangeBatch, _out: &mut Vec<u8>) -> Result<()> {
        Err(messages_only())
    }

    fn encode_messages(&mut self, batch: &ChangeBatch, out: &mut Messages) -> Result<()> {
        if !self.is_registered && batch.num_rows() > 0 {
            let id = self.registry.register(&self.subject, &self.schema)?;
            let mut prefix = vec![MAGIC];
            prefix.extend_from_slice(&id.to_be_bytes());
            self.encoder.set_prefix(prefix);
            self.is_registered = true;
        }
        self.encoder.encode_messages(batch, out)
    }
}
