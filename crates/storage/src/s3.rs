//! A bucket of S3 or of a store that speaks its protocol.
//!
//! Calls block their thread; the requests run on a small runtime that all stores of the process share.

mod stream;

use crate::errors::{Store, remote};
use bytes::Bytes;
use futures::TryStreamExt;
use headwater_env::{ObjectMeta, ObjectWriter, Storage};
use headwater_types::config::Configuration;
use headwater_types::{Error, ErrorKind, Result};
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig};
use std::ops::Range;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Retries of a request before it fails.
const RETRIES: usize = 5;
/// Longest time that a request is retried.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest pause between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Region of stores that have none.
const REGION_DEFAULT: &str = "us-east-1";

/// How to reach a bucket.
#[derive(Clone)]
pub struct S3Options {
    /// The bucket.
    pub bucket: String,
    /// Prefix of all objects, without slashes at its ends.
    pub prefix: String,
    /// `s3.endpoint`: URL of the store; Amazon's by default.
    pub endpoint: Option<String>,
    /// `s3.access-key`. Without one the usual `AWS_..` variables and instance roles are tried.
    pub access_key: Option<String>,
    /// `s3.secret-key`.
    pub secret_key: Option<String>,
    /// `s3.region`.
    pub region: Option<String>,
    /// `s3.path.style.access`: whether the bucket is part of the path and not of the host name.
    pub path_style: bool,
}

impl S3Options {
    /// What a configuration says about the store.
    ///
    /// # Errors
    /// When a value is not one.
    pub fn from_config(config: &Configuration, bucket: String, prefix: String) -> Result<Self> {
        let text = |keys: &[&str]| {
            let value = keys.iter().find_map(|key| config.get(key)).map(str::trim);
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let path_style = text(&["s3.path.style.access", "s3.path-style-access"]);
        let path_style = match path_style.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(other) => {
                let message =
                    format!("'{other}' is not a valid value of 's3.path.style.access': expected true or false");
                return Err(Error::user("bad-config-value", message));
            }
        };
        let endpoint = text(&["s3.endpoint"]).map(with_scheme);
        Ok(Self {
            bucket,
            prefix,
            // Stores other than Amazon's are seldom reached by host names of buckets.
            path_style: path_style.unwrap_or(endpoint.is_some()),
            endpoint,
            access_key: text(&["s3.access-key", "s3.access.key"]),
            secret_key: text(&["s3.secret-key", "s3.secret.key"]),
            region: text(&["s3.region", "s3.endpoint.region"]),
        })
    }

    pub(crate) fn build(&self) -> Result<AmazonS3> {
        let mut builder = if self.access_key.is_some() { AmazonS3Builder::new() } else { AmazonS3Builder::from_env() };
        builder = builder
            .with_bucket_name(&self.bucket)
            .with_region(self.region.as_deref().unwrap_or(REGION_DEFAULT))
            .with_virtual_hosted_style_request(!self.path_style)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_client_options(ClientOptions::new().with_allow_http(true).with_timeout(RETRY_TIMEOUT))
            .with_retry(retries());
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(key) = &self.access_key {
            builder = builder.with_access_key_id(key);
        }
        if let Some(key) = &self.secret_key {
            builder = builder.with_secret_access_key(key);
        }
        builder.build().map_err(|e| {
            let message = format!("the store of 's3://{}' cannot be set up", self.bucket);
            Error::user("bad-config-value", message).with_source(e)
        })
    }
}

fn with_scheme(endpoint: String) -> String {
    if endpoint.contains("://") { endpoint } else { format!("https://{endpoint}") }
}

fn retries() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: BACKOFF_MAX, base: 2.0 };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT }
}

/// Storage below a prefix of a bucket.
pub struct S3Storage {
    store: AmazonS3,
    bucket: String,
    prefix: String,
    endpoint: String,
    /// Never to be shown.
    secrets: Vec<String>,
}

impl S3Storage {
    /// Storage of a bucket; it is not contacted yet.
    ///
    /// # Errors
    /// When the options are not understood.
    pub fn new(options: S3Options) -> Result<Self> {
        let store = options.build()?;
        let S3Options { bucket, prefix, endpoint, access_key, secret_key, .. } = options;
        let endpoint = endpoint.unwrap_or_else(|| "Amazon S3".to_owned());
        Ok(Self { store, bucket, prefix, endpoint, secrets: access_key.into_iter().chain(secret_key).collect() })
    }

    fn key(&self, path: &str) -> Path {
        if self.prefix.is_empty() { Path::from(path) } else { Path::from(format!("{}/{path}", self.prefix)) }
    }

    fn failed(&self, done: &str, path: &str, error: object_store::Error) -> Error {
        let name = format!("s3://{}/{}", self.bucket, self.key(path));
        let store = Store { bucket: &self.bucket, endpoint: &self.endpoint, secrets: &self.secrets };
        remote(done, &name, &store, error)
    }

    fn write(&self, path: &str, content: &[u8], mode: PutMode) -> object_store::Result<()> {
        let payload = Bytes::copy_from_slice(content).into();
        let options = PutOptions { mode, ..PutOptions::default() };
        runtime().block_on(self.store.put_opts(&self.key(path), payload, options)).map(drop)
    }

    /// The path of a key below the prefix.
    fn path(&self, key: &Path) -> String {
        let key = key.as_ref();
        let below = key.strip_prefix(&self.prefix).map(|rest| rest.trim_start_matches('/'));
        below.unwrap_or(key).to_owned()
    }
}

impl Storage for S3Storage {
    fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        self.write(path, content, PutMode::Overwrite).map_err(|e| self.failed("written", path, e))
    }

    fn put_stream<'a>(&'a self, path: &str) -> Result<Box<dyn ObjectWriter + 'a>> {
        Ok(Box::new(stream::Upload::new(self, path)))
    }

    fn stream_bytes(&self) -> u64 {
        stream::UPLOAD_BYTES
    }

    fn put_if_absent(&self, path: &str, content: &[u8]) -> Result<bool> {
        match self.write(path, content, PutMode::Create) {
            Ok(()) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                // The first of several attempts may have been the one that wrote.
                Ok(self.get(path)?.is_some_and(|there| there == content))
            }
            Err(e) => Err(self.failed("written", path, e)),
        }
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let read = async { self.store.get(&self.key(path)).await?.bytes().await };
        match runtime().block_on(read) {
            Ok(content) => Ok(Some(content.to_vec())),
            Err(e) if is_missing_object(&e) => Ok(None),
            Err(e) => Err(self.failed("read", path, e)),
        }
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>> {
        if range.is_empty() {
            return Ok(vec![]);
        }
        let wanted = range.end - range.start;
        match runtime().block_on(self.store.get_range(&self.key(path), range)) {
            Ok(content) if content.len() as u64 == wanted => Ok(content.to_vec()),
            Err(e) if !is_missing_object(&e) && !e.to_string().contains("416") => Err(self.failed("read", path, e)),
            _ => {
                let name = format!("s3://{}/{}", self.bucket, self.key(path));
                let message = format!("'{name}' is missing or shorter than it should be");
                Err(Error::new(ErrorKind::Corruption, "missing-object", message))
            }
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        // The store lists whole segments; what the last one starts with is filtered here.
        let directory = prefix.rsplit_once('/').map_or("", |(directory, _)| directory);
        let key = self.key(directory);
        let listed = runtime().block_on(self.store.list(Some(&key)).try_collect::<Vec<_>>());
        let listed = listed.map_err(|e| self.failed("listed", prefix, e))?;
        let meta =
            |object: object_store::ObjectMeta| ObjectMeta { path: self.path(&object.location), bytes: object.size };
        let mut found: Vec<_> = listed.into_iter().map(meta).filter(|o| o.path.starts_with(prefix)).collect();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn delete(&self, path: &str) -> Result<()> {
        match runtime().block_on(self.store.delete(&self.key(path))) {
            Err(e) if !is_missing_object(&e) => Err(self.failed("deleted", path, e)),
            _ => Ok(()),
        }
    }
}

/// Whether the object is missing; a missing bucket is another matter.
pub(crate) fn is_missing_object(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { source, .. } if !source.to_string().contains("NoSuchBucket"))
}

/// The runtime of all stores.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let built = builder.worker_threads(2).thread_name("object-store").enable_all().build();
        built.expect("the process can start the two threads of its object store")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_from_flinks_keys() {
        let mut config = Configuration::new();
        for (key, value) in [
            ("s3.endpoint", "http://localhost:9000"),
            ("s3.access-key", "a"),
            ("s3.secret-key", "s"),
            ("s3.region", "eu"),
        ] {
            config.set(key, value);
        }
        let options = S3Options::from_config(&config, "b".to_owned(), "p".to_owned()).unwrap();
        assert!(options.path_style, "by default for other stores than Amazon's");
        assert_eq!(options.region.as_deref(), Some("eu"));
        let storage = S3Storage::new(options).unwrap();
        assert_eq!(storage.key("x/y").as_ref(), "p/x/y");
        assert_eq!(storage.path(&Path::from("p/x/y")), "x/y");
        config.set("s3.path.style.access", "maybe");
        assert!(S3Options::from_config(&config, String::new(), String::new()).is_err());
    }

    #[test]
    fn an_endpoint_without_scheme_is_https() {
        assert_eq!(with_scheme("minio:9000".to_owned()), "https://minio:9000");
    }
}
