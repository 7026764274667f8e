//! `/v1/personal-tokens`.

use super::error::{Answer, ApiError, Problem};
use super::params::{Kind, PAGE, PAGE_SIZE, Params, optional};
use super::{Access, Routes, Spec};
use crate::app::{App, Login};
use crate::auth::{ALL_SCOPES, PersonalToken, days, last_day};
use crate::read::list::meta;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

const LIST: Spec = Spec {
    method: "GET",
    path: "/v1/personal-tokens",
    summary: "One's own personal tokens",
    group: "Personal tokens",
    query: &[PAGE, PAGE_SIZE, optional("personal_token_id", Kind::Uuids)],
    access: Access::Login,
};
const CREATE: Spec =
    Spec { method: "POST", summary: "Make a personal token; its text is shown only here", query: &[], ..LIST };
const RESET: Spec = Spec {
    method: "PATCH",
    path: "/v1/personal-tokens/{token_id}",
    summary: "Revoke a personal token and make it anew",
    ..CREATE
};
const REVOKE: Spec = Spec { method: "DELETE", summary: "Revoke a personal token; it stops working at once", ..RESET };

pub(super) const SPECS: &[Spec] = &[LIST, CREATE, RESET, REVOKE];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&LIST, list).add(&CREATE, create).add(&RESET, reset).add(&REVOKE, revoke)
}

/// Longest name of a token.
const NAME_CHARS_MAX: usize = 256;

async fn list(State(app): State<App>, Login(user): Login, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(LIST.query, query.as_deref())?;
    let mut tokens = PersonalToken::of(app.db(), &user.name, now_s(&app)).await?;
    let ids = params.uuids("personal_token_id");
    tokens.retain(|token| ids.is_empty() || ids.contains(&token.id));
    let page = params.page();
    let total = i64::try_from(tokens.len()).unwrap_or(i64::MAX);
    let skip = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let take = usize::try_from(page.size).unwrap_or(usize::MAX);
    let items: Vec<Value> =
        tokens.iter().skip(skip).take(take).map(|t| json!({"id": t.id, "data": t.json()})).collect();
    Ok(Json(json!({"meta": meta(page, total), "items": items})))
}

fn now_s(app: &App) -> i64 {
    app.signals().now_us() / 1_000_000
}

async fn create(State(app): State<App>, Login(user): Login, body: Bytes) -> Answer {
    let body = super::ingest::json_body(&body)?;
    let name = body.get("name").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let name = crate::event::clean(name);
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let message = format!("A name of 1 to {NAME_CHARS_MAX} characters is needed");
        let input = body.get("name").cloned().unwrap_or(Value::Null);
        return Err(ApiError::invalid(vec![Problem::body("name", "missing", message, input)]));
    }
    let tokens = PersonalToken::of(app.db(), &user.name, now_s(&app)).await?;
    if tokens.iter().any(|token| token.name == name) {
        return Err(ApiError::conflict("PersonalToken", "name", name));
    }
    make(&app, user.name, name, scopes(&body)?, &body).await
}

/// The scopes asked for; all unless told.
fn scopes(body: &Value) -> Result<Vec<String>, ApiError> {
    let Some(asked) = body.get("scopes").filter(|scopes| !scopes.is_null()) else {
        return Ok(ALL_SCOPES.map(str::to_owned).to_vec());
    };
    let known = |scope: &Value| scope.as_str().filter(|s| ALL_SCOPES.contains(s)).map(str::to_owned);
    let scopes: Option<Vec<String>> = asked.as_array().and_then(|all| all.iter().map(known).collect());
    scopes.filter(|scopes| !scopes.is_empty()).ok_or_else(|| {
        let message = "Input should be a list of 'all:read', 'all:write'";
        ApiError::invalid(vec![Problem::body("scopes", "enum", message, asked.clone())])
    })
}

async fn make(app: &App, owner: String, name: String, scopes: Vec<String>, body: &Value) -> Answer {
    let today = now_s(app) / (24 * 3600);
    let last = last_day(today);
    let until = match body.get("until").filter(|until| !until.is_null()) {
        None => last,
        Some(until) => match until.as_str().and_then(days) {
            Some(day) if day >= today => day.min(last),
            _ => {
                let message = "Input should be a day from today on, as YYYY-MM-DD";
                return Err(ApiError::invalid(vec![Problem::body("until", "date_parsing", message, until.clone())]));
            }
        },
    };
    let mut random = [0_u8; 10];
    random[..8].copy_from_slice(&app.signals().random().to_be_bytes());
    random[8..].copy_from_slice(&app.signals().random().to_be_bytes()[..2]);
    let millis = (app.signals().now_us() / 1000).unsigned_abs();
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string();
    let token = PersonalToken { id, owner, name, scopes, since: today, until };
    token.store(app.db()).await?;
    Ok(Json(json!({"id": token.id, "data": token.json(), "content": app.auth().seal(&token)})))
}

/// The id in a path.
fn token_id(text: &str) -> Result<String, ApiError> {
    Uuid::parse_str(text).map(|id| id.to_string()).map_err(|e| {
        ApiError::invalid(vec![Problem {
            location: ["path".into(), "token_id".into()],
            code: "uuid_parsing",
            message: format!("Input should be a valid UUID, {e}"),
            input: text.into(),
        }])
    })
}

async fn reset(State(app): State<App>, Login(user): Login, Path(id): Path<String>, body: Bytes) -> Answer {
    let id = token_id(&id)?;
    let body = if body.is_empty() { json!({}) } else { super::ingest::json_body(&body)? };
    let tokens = PersonalToken::of(app.db(), &user.name, now_s(&app)).await?;
    let Some(old) = tokens.into_iter().find(|token| token.id == id) else {
        return Err(ApiError::not_found("PersonalToken", "id", id));
    };
    PersonalToken::revoke(app.db(), &user.name, &id, app.signals().now_us()).await?;
    make(&app, user.name, old.name, old.scopes, &body).await
}

async fn revoke(State(app): State<App>, Login(user): Login, Path(id): Path<String>) -> Answer<StatusCode> {
    let id = token_id(&id)?;
    if PersonalToken::revoke(app.db(), &user.name, &id, app.signals().now_us()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("PersonalToken", "id", id))
    }
}
