//! A request as endpoints see it: parameters that are what they should be, or a refusal in Flink's words.

use crate::answer::{Answer, ApiError, Reply};
use crate::cluster::JobDetails;
use crate::ids::vertex_ids;
use crate::state::State;
use headwater_plan::Vertex;
use headwater_types::ids::{JobId, SubtaskId, VertexId};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A request.
pub(crate) struct Call<'a> {
    /// Serves it.
    pub(crate) state: &'a State,
    /// What the placeholders of the path stand for.
    pub(crate) path: BTreeMap<String, String>,
    /// The query, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// What the body is said to be.
    pub(crate) content_type: String,
    /// The body.
    pub(crate) body: &'a [u8],
}

/// A vertex of a job with its id.
pub(crate) struct Found {
    pub(crate) details: JobDetails,
    pub(crate) vertex: VertexId,
    pub(crate) id: String,
}

impl Found {
    /// The vertex.
    pub(crate) fn vertex(&self) -> &Vertex {
        &self.details.summary.graph.vertices[self.vertex.0 as usize]
    }

    /// Its subtasks.
    pub(crate) fn subtasks(&self) -> impl Iterator<Item = SubtaskId> + use<> {
        let vertex = self.vertex;
        (0..self.vertex().parallelism).map(move |index| SubtaskId { vertex, index })
    }
}

impl Call<'_> {
    /// A placeholder of the path.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.path.get(key).map_or("", String::as_str)
    }

    /// A placeholder of the path that is a number.
    pub(crate) fn number<T: FromStr>(&self, key: &str) -> Result<T, ApiError> {
        let text = self.text(key);
        text.parse().map_err(|_| unresolved("path", key, text))
    }

    /// A placeholder of the path that is an id of 32 hexadecimal digits.
    pub(crate) fn id(&self, key: &str) -> Result<u128, ApiError> {
        let text = self.text(key);
        hex(text).ok_or_else(|| unresolved("path", key, text))
    }

    /// The id of the job.
    pub(crate) fn job_id(&self) -> Result<JobId, ApiError> {
        self.id("jobid").map(JobId)
    }

    /// The job.
    pub(crate) fn job(&self) -> Result<JobDetails, ApiError> {
        let id = self.job_id()?;
        self.state.cluster.details(id)?.ok_or_else(|| unknown_job(id))
    }

    /// The vertex of the job.
    pub(crate) fn vertex(&self) -> Result<Found, ApiError> {
        let details = self.job()?;
        let id = format!("{:032x}", self.id("vertexid")?);
        let ids = vertex_ids(&details.summary.graph);
        match ids.iter().position(|known| *known == id) {
            Some(at) => Ok(Found { details, vertex: VertexId(at as u32), id }),
            None => Err(ApiError::not_found(format_args!("JobVertex {id} not found"))),
        }
    }

    /// The vertex of the job and the index of its subtask.
    pub(crate) fn subtask(&self) -> Result<(Found, SubtaskId), ApiError> {
        let found = self.vertex()?;
        let index = self.number("subtaskindex")?;
        if index >= found.vertex().parallelism {
            let name = &found.vertex().name;
            return Err(ApiError::not_found(format_args!("Invalid subtask index {index} for vertex {name}.")));
        }
        let subtask = SubtaskId { vertex: found.vertex, index };
        Ok((found, subtask))
    }

    /// A query parameter; the last one when there are several.
    pub(crate) fn query(&self, key: &str) -> Option<&str> {
        self.query.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// A query parameter that is a number.
    pub(crate) fn query_number<T: FromStr>(&self, key: &str) -> Result<Option<T>, ApiError> {
        let parse = |text: &str| text.trim().parse().map_err(|_| unresolved("query", key, text));
        self.query(key).map(parse).transpose()
    }

    /// A query parameter that is a list; empty when it is not there.
    pub(crate) fn query_list(&self, key: &str) -> Vec<&str> {
        let given = self.query.iter().filter(|(name, _)| name == key);
        given.flat_map(|(_, value)| value.split(',')).filter(|item| !item.is_empty()).collect()
    }

    /// The body; all of its fields are optional, and so is it.
    pub(crate) fn body<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, ApiError> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(T::default());
        }
        serde_json::from_slice(self.body)
            .map_err(|error| ApiError::bad_request(format!("Request did not match expected format {name}: {error}.")))
    }

    /// `{}`, done.
    pub(crate) fn done(&self) -> Reply {
        Answer::json(&crate::messages::Empty {})
    }
}

/// 32 hexadecimal digits.
pub(crate) fn hex(text: &str) -> Option<u128> {
    let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// There is no such job.
pub(crate) fn unknown_job(job: JobId) -> ApiError {
    ApiError::not_found(format_args!("Job {job} not found"))
}

/// A parameter is not what it should be; `place` is `path` or `query`.
pub fn unresolved(place: &str, key: &str, value: &str) -> ApiError {
    let value: String = value.chars().take(100).collect();
    ApiError::bad_request(format!(
        "Bad request, could not parse parameters: Cannot resolve {place} parameter ({key}) from value \"{value}\"."
    ))
}
