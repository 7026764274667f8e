//! Login with an OpenID Connect provider, here a small one of the test's own.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use headwater_lineage_server::{AuthOptions, OidcOptions};
use reqwest::Url;
use serde_json::{Value, json};
use std::collections::HashMap;
use support::server;

/// A provider that knows one code.
async fn provider() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(|State(issuer): State<String>| async move {
                Json(json!({
                    "authorization_endpoint": format!("{issuer}/auth"),
                    "token_endpoint": format!("{issuer}/token"),
                    "userinfo_endpoint": format!("{issuer}/userinfo"),
                    "end_session_endpoint": format!("{issuer}/logout"),
                }))
            }),
        )
        .route(
            "/token",
            post(|body: String| async move {
                let known = body.contains("code=right")
                    && body.contains("client_secret=hush")
                    && body.contains("code_verifier=");
                let status = if known { axum::http::StatusCode::OK } else { axum::http::StatusCode::BAD_REQUEST };
                (status, Json(json!({"access_token": "t"})))
            }),
        )
        .route("/userinfo", get(|| async { Json(json!({"preferred_username": "jane"})) }))
        .with_state(issuer.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    issuer
}

/// `name=value` of a cookie that an answer sets.
fn cookie(response: &reqwest::Response) -> String {
    let text = response.headers()["set-cookie"].to_str().unwrap();
    assert!(text.contains("HttpOnly"));
    text.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back() {
    let issuer = provider().await;
    let running = server(|options| {
        options.auth = AuthOptions::Oidc(OidcOptions {
            issuer: issuer.clone(),
            client_id: "lineage".into(),
            client_secret: "hush".into(),
            redirect_url: "http://ui/callback".into(),
            scope: "openid".into(),
        });
    })
    .await;
    let refused = running.client.get(running.url("/v1/users/me")).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let kept = cookie(&refused);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "auth_redirect");
    let url = Url::parse(body["error"]["details"].as_str().unwrap()).unwrap();
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!((query["client_id"].as_str(), query["code_challenge_method"].as_str()), ("lineage", "S256"));
    let back = |code: &str, state: &str| {
        let url = running.url(&format!("/v1/auth/callback?code={code}&state={state}&session_state=x"));
        running.client.get(url).header("cookie", kept.clone()).send()
    };
    assert_eq!(back("right", "forged").await.unwrap().status(), 401);
    assert_eq!(back("wrong", &query["state"]).await.unwrap().status(), 401);
    let done = back("right", &query["state"]).await.unwrap();
    assert_eq!(done.status(), 204);
    let session = cookie(&done);
    let ask = || running.client.get(running.url("/v1/users/me")).header("cookie", session.clone()).send();
    let me: Value = ask().await.unwrap().json().await.unwrap();
    assert_eq!(me, json!({"name": "jane"}));
    assert_eq!(
        running.client.post(running.url("/v1/auth/token")).body("username=a&password=b").send().await.unwrap().status(),
        501
    );
    running.server.stop().await;
}
