//! A client's side.

use crate::wire::{Downward, Upward, decode, encode};
use headwater_jobmanager::{Answers, Handle};
use headwater_transport::Identity;
use headwater_transport::messages::{MessageReader, dial};
use headwater_types::{Error, Result};

/// A handle on the JobManager at `address`, host and port. What is asked after the connection broke is answered with
/// an error.
///
/// # Errors
/// When it cannot be reached.
pub async fn connect(address: &str, identity: &Identity) -> Result<Handle> {
    let (mut reader, writer) = dial(address, identity).await?;
    let (handle, answers) =
        Handle::forwarding(move |number, request| writer.send(encode(&Upward::Ask { number, request })?))?;
    tokio::spawn(async move {
        if let Err(error) = receive(&mut reader, &answers).await {
            tracing::warn!(error = error.message(), "the connection to the JobManager ended");
        }
        answers.end();
    });
    Ok(handle)
}

async fn receive(reader: &mut MessageReader, answers: &Answers) -> Result<()> {
    while let Some(bytes) = reader.next().await? {
        match decode(&bytes)? {
            Downward::Answer { number, answer } => answers.answer(number, answer),
            Downward::Welcome | Downward::Refused(_) | Downward::Command(_) => {
                return Err(Error::internal("the JobManager takes this client for a TaskManager"));
            }
        }
    }
    Ok(())
}
