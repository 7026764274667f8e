//! Messages in batches, straight from librdkafka's queue.
//!
//! The safe interface hands out one message a call, at the price of two allocations and two looks at the clock each;
//! this one takes as many as are there. All unsafe code of the crate is in this file. It relies on three facts of
//! librdkafka's documentation: a queue handle may be used from any thread while its client lives; a message is owned by
//! who consumed it until it is destroyed; what a message points to lives as long as the message.

use super::Consumer;
use headwater_types::{Error, Result};
use rdkafka::bindings as native;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

/// Messages taken in one call.
const CHUNK: usize = 256;
/// Lines of the log taken in one call.
const LOG_LINES: usize = 16;

/// The queue of all partitions of a consumer, and the queue of its log.
pub(super) struct Queue {
    client: NonNull<native::rd_kafka_t>,
    messages: NonNull<native::rd_kafka_queue_t>,
    log: NonNull<native::rd_kafka_queue_t>,
}

// SAFETY: librdkafka's clients and queues are thread-safe.
unsafe impl Send for Queue {}

impl Queue {
    /// The queues of a consumer. They must be dropped before the consumer.
    pub(super) fn of(consumer: &Consumer) -> Result<Self> {
        let client = consumer.client().native_ptr();
        let none = || Error::internal("a Kafka consumer has no queue");
        let messages = {
            // SAFETY: the client lives, and the call takes a reference of its own to the queue.
            let queue = unsafe { native::rd_kafka_queue_get_consumer(client) };
            NonNull::new(queue).ok_or_else(none)?
        };
        let log = {
            // SAFETY: the client lives; the queue is destroyed in `drop`.
            let queue = unsafe { native::rd_kafka_queue_new(client) };
            NonNull::new(queue).ok_or_else(none)?
        };
        // SAFETY: client and queue live; `drop` takes the queue back before it destroys it.
        unsafe { native::rd_kafka_set_log_queue(client, log.as_ptr()) };
        let client = NonNull::new(client).ok_or_else(none)?;
        Ok(Self { client, messages, log })
    }

    /// The messages that are there, up to a number of them; never waits.
    pub(super) fn take(&self) -> Vec<Message> {
        let mut raw = [ptr::null_mut(); CHUNK];
        // SAFETY: the queue lives as `self` does, and the array has room for `CHUNK` messages.
        let taken = unsafe { native::rd_kafka_consume_batch_queue(self.messages.as_ptr(), 0, raw.as_mut_ptr(), CHUNK) };
        let taken = usize::try_from(taken).unwrap_or(0);
        raw.iter().take(taken).filter_map(|message| NonNull::new(*message)).map(|message| Message { message }).collect()
    }

    /// Hands lines of the client's log to `take`: level, facility and text.
    pub(super) fn take_log(&self, mut take: impl FnMut(i32, &str, &str)) {
        for _ in 0..LOG_LINES {
            // SAFETY: the queue lives as `self` does.
            let event = unsafe { native::rd_kafka_queue_poll(self.log.as_ptr(), 0) };
            if event.is_null() {
                return;
            }
            let (mut facility, mut text, mut level) = (ptr::null(), ptr::null(), 0);
            // SAFETY: the event lives until it is destroyed below; the call writes the three places.
            let found = unsafe { native::rd_kafka_event_log(event, &mut facility, &mut text, &mut level) };
            if found == 0 && !facility.is_null() && !text.is_null() {
                // SAFETY: both texts end with a zero and live as long as the event.
                let (facility, text) = unsafe { (CStr::from_ptr(facility), CStr::from_ptr(text)) };
                take(level, &facility.to_string_lossy(), &text.to_string_lossy());
            }
            // SAFETY: the event is ours and destroyed once.
            unsafe { native::rd_kafka_event_destroy(event) };
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the client lives longer than `self`, and the log goes to its main queue again before the log's own
        // queue is destroyed; both references were taken in `of` and are given back once.
        unsafe {
            native::rd_kafka_set_log_queue(self.client.as_ptr(), ptr::null_mut());
            native::rd_kafka_queue_destroy(self.log.as_ptr());
            native::rd_kafka_queue_destroy(self.messages.as_ptr());
        }
    }
}

/// A consumed message, or the news of an error or of a partition's end.
pub(super) struct Message {
    message: NonNull<native::rd_kafka_message_t>,
}

/// When a message was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    /// Milliseconds since 1970; -1 when the message has no time.
    pub(super) ms: i64,
    /// Its name in Kafka's Java client.
    pub(super) kind: &'static str,
}

impl Message {
    fn raw(&self) -> &native::rd_kafka_message_t {
        // SAFETY: the message is ours and lives as long as `self`; nobody writes to it.
        unsafe { self.message.as_ref() }
    }

    fn bytes(&self, start: *const c_void, length: usize) -> Option<&[u8]> {
        if start.is_null() {
            return None;
        }
        // SAFETY: librdkafka tells start and length of memory that lives as long as the message.
        Some(unsafe { std::slice::from_raw_parts(start.cast(), length) })
    }

    /// What this is news of, when it is no message.
    pub(super) fn error(&self) -> Option<RDKafkaErrorCode> {
        match self.raw().err {
            native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => None,
            error => Some(error.into()),
        }
    }

    /// The text of an error.
    pub(super) fn error_text(&self) -> String {
        String::from_utf8_lossy(self.payload().unwrap_or_default()).into_owned()
    }

    /// What tells topics apart, quicker than their names.
    pub(super) fn topic_id(&self) -> usize {
        self.raw().rkt as usize
    }

    /// The topic's name; empty for an error that is of no topic.
    pub(super) fn topic(&self) -> &str {
        let topic = self.raw().rkt;
        if topic.is_null() {
            return "";
        }
        // SAFETY: the topic of a message lives as long as the message, and its name ends with a zero.
        let name = unsafe { CStr::from_ptr(native::rd_kafka_topic_name(topic)) };
        name.to_str().unwrap_or_default()
    }

    pub(super) fn partition(&self) -> i32 {
        self.raw().partition
    }

    pub(super) fn offset(&self) -> i64 {
        self.raw().offset
    }

    pub(super) fn key(&self) -> Option<&[u8]> {
        self.bytes(self.raw().key, self.raw().key_len)
    }

    pub(super) fn payload(&self) -> Option<&[u8]> {
        self.bytes(self.raw().payload, self.raw().len)
    }

    pub(super) fn time(&self) -> Time {
        let mut kind = native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message lives, and `kind` is written by the call.
        let ms = unsafe { native::rd_kafka_message_timestamp(self.message.as_ptr(), &mut kind) };
        let kind = match kind {
            native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_CREATE_TIME => "CreateTime",
            native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => "LogAppendTime",
            native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => "NoTimestampType",
        };
        Time { ms, kind }
    }

    /// The epoch of the leader that wrote the message, if it is known.
    pub(super) fn leader_epoch(&self) -> Option<i32> {
        // SAFETY: the message lives.
        let epoch = unsafe { native::rd_kafka_message_leader_epoch(self.message.as_ptr()) };
        (epoch >= 0).then_some(epoch)
    }

    /// The headers, in order.
    pub(super) fn headers(&self) -> Headers<'_> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message lives; on success `headers` points into it.
        let found = unsafe { native::rd_kafka_message_headers(self.message.as_ptr(), &mut headers) };
        let is_found = found == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        Headers { headers: if is_found { headers } else { ptr::null_mut() }, next: 0, message: PhantomData }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: the message is ours and destroyed once.
        unsafe { native::rd_kafka_message_destroy(self.message.as_ptr()) };
    }
}

/// The headers of a message.
pub(super) struct Headers<'a> {
    headers: *mut native::rd_kafka_headers_t,
    next: usize,
    message: PhantomData<&'a Message>,
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.headers.is_null() {
            return None;
        }
        let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the headers belong to a message that lives for 'a; the call writes the three places.
        let found =
            unsafe { native::rd_kafka_header_get_all(self.headers, self.next, &mut name, &mut value, &mut length) };
        if found != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
            return None;
        }
        self.next += 1;
        // SAFETY: the name ends with a zero and lives as long as the message.
        let name = unsafe { CStr::from_ptr(name) }.to_str().unwrap_or_default();
        // SAFETY: start and length of the value, which lives as long as the message.
        let value = (!value.is_null()).then(|| unsafe { std::slice::from_raw_parts(value.cast(), length) });
        Some((name, value))
    }
}
