//! `/v1/tags`.

use super::error::Answer;
use super::params::{Kind, PAGE, PAGE_SIZE, Params, optional};
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::read::{
    list::List,
    search::{Of, Search},
};
use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};
use std::collections::HashMap;

const LIST: Spec = Spec {
    method: "GET",
    path: "/v1/tags",
    summary: "Tags with their values",
    group: "Tags",
    query: &[PAGE, PAGE_SIZE, optional("tag_id", Kind::Ints), optional("search_query", Kind::Search)],
    access: Access::User,
};

pub(super) const SPECS: &[Spec] = &[LIST];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&LIST, list)
}

async fn list(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(LIST.query, query.as_deref())?;
    let mut list = List::new(app.db(), "tag t");
    list.ints("t.id", params.ints("tag_id"));
    let order = "t.key, t.id";
    let page = match params.text("search_query") {
        Some(text) => Search::new(Of::Tags, text).page(app.db(), list, "t.id", order, params.page()).await?,
        None => list.page("t.id", order, params.page()).await?,
    };
    let sql = format!(
        "SELECT t.id, t.value, v.id, v.value FROM tag t LEFT JOIN tag_value v ON v.tag_id = t.id WHERE {} \
         ORDER BY v.value",
        app.db().within_ints("t.id", 1)
    );
    let mut tags: HashMap<i64, Value> = HashMap::new();
    for row in app.db().rows(&sql, vec![page.ids.clone().into()]).await? {
        let id = row.int(0);
        let tag = tags.entry(id).or_insert_with(|| json!({"id": id, "name": row.text(1), "values": []}));
        if let (Some(values), Some(value)) = (tag["values"].as_array_mut(), row.opt_int(2)) {
            values.push(json!({"id": value, "value": row.text(3)}));
        }
    }
    let items: Vec<Value> =
        page.ids.iter().filter_map(|id| Some(json!({"id": id, "data": tags.remove(id)?}))).collect();
    Ok(Json(json!({"meta": page.meta, "items": items})))
}
