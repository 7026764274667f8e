//! Signed claims.

use super::PersonalToken;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

/// Who signs.
const ISSUER: &str = "data-rentgen";

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    /// Id of a personal token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl Claims {
    /// Of somebody who logged in.
    pub(super) fn login(name: &str, now_s: i64, expires_at: i64) -> Self {
        Self {
            iss: ISSUER.into(),
            iat: now_s,
            nbf: now_s,
            exp: expires_at,
            preferred_username: Some(name.to_owned()),
            jti: None,
            token_name: None,
            scope: None,
        }
    }

    /// Of a personal token, good for whole days.
    pub(super) fn personal(token: &PersonalToken) -> Self {
        Self {
            iss: ISSUER.into(),
            iat: token.since_s(),
            nbf: token.since_s(),
            exp: token.until_s(),
            preferred_username: None,
            jti: Some(token.id.clone()),
            token_name: Some(token.name.clone()),
            scope: Some(token.scopes.join(" ")),
        }
    }

    /// Who logged in.
    pub(super) fn into_login(self) -> Option<String> {
        self.preferred_username
    }
}

/// What signs and checks.
pub(super) struct Keys {
    signing: EncodingKey,
    checking: DecodingKey,
}

impl Keys {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self { signing: EncodingKey::from_secret(secret), checking: DecodingKey::from_secret(secret) }
    }

    pub(super) fn sign(&self, claims: &Claims) -> String {
        encode(&Header::new(Algorithm::HS256), claims, &self.signing).unwrap_or_default()
    }

    /// The claims of a token that is signed by this key and good now.
    pub(super) fn verify(&self, token: &str, now_s: i64) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        // Against the server's own clock, below.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = decode::<Claims>(token, &self.checking, &validation).ok()?.claims;
        (claims.nbf <= now_s + 60 && now_s < claims.exp).then_some(claims)
    }
}
