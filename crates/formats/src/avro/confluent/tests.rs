use super::{ConfluentDecoder, ConfluentEncoder};
use crate::decoder::Messages;
use crate::{ReadSchema, RowDecoder, RowEncoder, values};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use headwater_connector_api::Options;
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_plan::Value;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A registry for one test: knows the schemas it is given and those that are registered, and whom it lets in.
struct Registry {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// `alice:secret`.
const AUTHORIZATION: &str = "authorization: basic ywxpy2u6c2vjcmv0";

impl Registry {
    fn start(known: &[(u32, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let known: Vec<_> = known.iter().map(|(id, schema)| (*id, schema.to_string())).collect();
        let requests = Arc::new(Mutex::new(vec![]));
        let seen = requests.clone();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let (head, body) = request(&mut stream);
                let line = head.lines().next().unwrap_or_default().to_string();
                seen.lock().unwrap().push(format!("{line} {body}"));
                let (status, answer) = answer(&known, &line, &head);
                let length = answer.len();
                let text =
                    format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}");
                stream.write_all(text.as_bytes()).unwrap();
            }
        });
        Self { url, requests }
    }

    fn options(&self, user: &str) -> BTreeMap<String, String> {
        let options = [
            ("avro-confluent.url", self.url.as_str()),
            ("avro-confluent.subject", "a topic-value"),
            ("avro-confluent.basic-auth.user-info", user),
        ];
        options.map(|(n, v)| (n.to_string(), v.to_string())).into()
    }
}

fn request(stream: &mut impl Read) -> (String, String) {
    let mut bytes = vec![];
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length =
        head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

fn answer(known: &[(u32, String)], line: &str, head: &str) -> (u16, String) {
    if !head.to_lowercase().contains(AUTHORIZATION) {
        return (401, r#"{"error_code":401,"message":"who are you"}"#.into());
    }
    if line.starts_with("POST") {
        return (200, r#"{"id":258}"#.into());
    }
    let id = line.split("/schemas/ids/").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    match known.iter().find(|(known, _)| Some(*known) == id) {
        Some((_, schema)) => (200, serde_json::json!({ "schema": schema }).to_string()),
        None => (404, r#"{"error_code":40403,"message":"Schema not found"}"#.into()),
    }
}

fn columns() -> Vec<(String, LogicalType)> {
    vec![("id".into(), LogicalType::from(TypeRoot::BigInt).not_null()), ("name".into(), LogicalType::string())]
}

fn decode(decoder: &mut ConfluentDecoder, messages: &[Vec<u8>]) -> Result<Vec<String>> {
    let mut found = vec![];
    for message in messages {
        decoder.decode_message(message, &mut |record| {
            found.push(format!("byte {}: {}", record.position, record.reason));
            Ok(())
        })?;
    }
    let arrays = decoder.finish()?.arrays;
    let (ids, names) = (arrays[0].as_primitive::<Int64Type>(), arrays[1].as_string::<i32>());
    found.extend(ids.values().iter().zip(names).map(|(id, name)| format!("{id} {name:?}")));
    Ok(found)
}

fn decoder(options: &BTreeMap<String, String>) -> ConfluentDecoder {
    let columns = columns();
    let wanted: Vec<_> = columns.iter().map(|(_, ty)| ty.clone()).enumerate().collect();
    ConfluentDecoder::new(ReadSchema { columns: &columns, wanted: &wanted }, Options(options)).unwrap()
}

#[test]
fn schemas_are_registered_and_read_back() {
    let table = r#"{"type":"record","name":"org.apache.flink.avro.generated.record","fields":[{"name":"id","type":"long"},{"name":"name","type":["null","string"],"default":null}]}"#;
    let older = r#"{"type":"record","name":"o","fields":[{"name":"gone","type":"string"},{"name":"id","type":"int"}]}"#;
    let registry = Registry::start(&[(258, table), (7, older)]);
    let options = registry.options("alice:secret");
    let rows = [[Value::Int(1), Value::String("a".into())], [Value::Int(2), Value::Null]];
    let array = |at: usize, ty: &LogicalType| values::array(ty, ty, rows.iter().map(|row| &row[at])).unwrap();
    let arrays = columns().iter().enumerate().map(|(at, (_, ty))| array(at, ty)).collect();
    let schema = arrow_schema(columns().iter().map(|(n, t)| (n.as_str(), t)));
    let batch = ChangeBatch::append(RecordBatch::try_new(schema, arrays).unwrap());
    let mut messages = Messages::default();
    let mut encoder = ConfluentEncoder::new(&columns(), Options(&options)).unwrap();
    encoder.encode_messages(&batch, &mut messages).unwrap();
    encoder.encode_messages(&batch, &mut messages).unwrap();
    assert_eq!(messages.get(0).unwrap(), [0, 0, 0, 1, 2, 2, 2, 2, b'a']);
    let mut all: Vec<Vec<u8>> = (0..2).map(|at| messages.get(at).unwrap().to_vec()).collect();
    all.push(vec![0, 0, 0, 0, 7, 2, b'x', 6]);
    assert_eq!(decode(&mut decoder(&options), &all).unwrap(), [r#"1 Some("a")"#, "2 None", "3 None"]);
    let requests = registry.requests.lock().unwrap();
    let lines: Vec<_> = requests.iter().map(|r| r.split(" HTTP").next().unwrap()).collect();
    // Each schema is asked for once.
    assert_eq!(lines, ["POST /subjects/a%20topic-value/versions", "GET /schemas/ids/258", "GET /schemas/ids/7"]);
    assert!(requests[0].contains(r#"\"name\":\"id\",\"type\":\"long\""#), "{}", requests[0]);
}

#[test]
fn bad_messages_and_registries_are_told() {
    let registry = Registry::start(&[]);
    let mut decoder_of = decoder(&registry.options("alice:secret"));
    let found = decode(&mut decoder_of, &[b"{}".to_vec(), vec![0, 0, 0, 0, 9, 1]]).unwrap();
    assert_eq!(found[0], "byte 0: it does not start with the id of a schema");
    assert_eq!(found[1], "byte 1: reading the Avro schema 9: the schema registry answers 404: Schema not found");
    let error = decode(&mut decoder(&registry.options("eve:secret")), &[vec![0, 0, 0, 0, 9, 1]]).unwrap_err();
    assert_eq!(error.code(), "registry-authorization");
    assert!(error.to_string().contains("who are you; check 'avro-confluent.basic-auth.user-info'"), "{error}");
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://user:hidden@{}", listener.local_addr().unwrap())
    };
    let options = BTreeMap::from([("avro-confluent.url".to_string(), gone)]);
    let error = decode(&mut decoder(&options), &[vec![0, 0, 0, 0, 9, 1]]).unwrap_err();
    assert_eq!(error.code(), "registry-unreachable");
    assert!(!error.to_string().contains("hidden"), "{error}");
    let missing = ConfluentEncoder::new(&columns(), Options(&BTreeMap::new())).map(|_| ()).unwrap_err();
    assert_eq!(missing.code(), "missing-option");
}
