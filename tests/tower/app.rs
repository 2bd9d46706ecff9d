//! An application: axum, the real tower-sessions layer, and MemStore behind it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use session_spec::{AsSessionStore, MemStore};
use std::sync::Arc;
use time::Duration;
use tower::ServiceExt as _;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

/// Visitors have a basket and, once logged in, a name.
fn app(store: Arc<MemStore>) -> Router {
    let sessions = SessionManagerLayer::new(AsSessionStore::new(store))
        .with_expiry(Expiry::OnInactivity(Duration::minutes(5)));
    Router::new()
        .route("/basket", post(fill_basket))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .route("/", get(who_and_what))
        .layer(sessions)
}

async fn fill_basket(session: Session) {
    session.insert("basket", "apples").await.unwrap();
}

async fn log_in(session: Session) {
    session.cycle_id().await.unwrap();
    session.insert("name", "alice").await.unwrap();
}

async fn log_out(session: Session) {
    session.flush().await.unwrap();
}

async fn who_and_what(session: Session) -> String {
    let name: Option<String> = session.get("name").await.unwrap();
    let basket: Option<String> = session.get("basket").await.unwrap();
    let [name, basket] = [name, basket].map(|value| value.unwrap_or_else(|| "nobody".to_owned()));
    format!("{name}, {basket}")
}

/// A browser: the cookie it sends, and what comes back.
struct Browser {
    app: Router,
    cookie: Option<String>,
}

impl Browser {
    async fn request(&mut self, method: &str, path: &str) -> String {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        if let Some(set) = response.headers().get(SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (cookie, attributes) = set.split_once(';').unwrap();
            self.cookie = (!attributes.contains("Max-Age=0")).then(|| cookie.to_owned());
        }
        let body = to_bytes(response.into_body(), 1_024).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    async fn post(&mut self, path: &str) {
        self.request("POST", path).await;
    }

    async fn sees(&mut self) -> String {
        self.request("GET", "/").await
    }

    /// Somebody else, with this browser's cookie.
    fn thief(&self) -> Self {
        Self {
            app: self.app.clone(),
            cookie: self.cookie.clone(),
        }
    }
}

/// A browser on a fresh store.
fn visit() -> (Arc<MemStore>, Browser) {
    let store = Arc::new(MemStore::new());
    let app = app(store.clone());
    (store, Browser { app, cookie: None })
}

const NOBODY: &str = "nobody, nobody";

#[tokio::test]
async fn a_visitor_who_only_looks_leaves_no_entry() {
    let (store, mut browser) = visit();
    assert_eq!(browser.sees().await, NOBODY);
    assert_eq!(browser.cookie, None);
    assert!(store.is_empty());
}

#[tokio::test]
async fn a_visitor_logs_in_and_is_known_by_the_cookie() {
    let (store, mut browser) = visit();
    browser.post("/login").await;
    assert_eq!(browser.sees().await, "alice, nobody");
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn flo_2_the_id_from_before_a_login_is_worth_nothing_after_it() {
    let (store, mut browser) = visit();
    browser.post("/basket").await;
    let mut thief = browser.thief();
    assert_eq!(thief.sees().await, "nobody, apples");

    browser.post("/login").await;
    assert_ne!(browser.cookie, thief.cookie);
    assert_eq!(browser.sees().await, "alice, apples");
    assert_eq!(thief.sees().await, NOBODY);
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn drp_1_a_cookie_is_worth_nothing_after_the_logout() {
    let (store, mut browser) = visit();
    browser.post("/login").await;
    let mut thief = browser.thief();
    assert_eq!(thief.sees().await, "alice, nobody");

    browser.post("/logout").await;
    assert_eq!(browser.cookie, None);
    assert_eq!(browser.sees().await, NOBODY);
    assert_eq!(thief.sees().await, NOBODY);
    assert!(store.is_empty());
}

#[tokio::test]
async fn a_made_up_cookie_is_nobodys_and_is_not_taken_over() {
    let (store, mut browser) = visit();
    let made_up = "id=AAAAAAAAAAAAAAAAAAAAAA";
    browser.cookie = Some(made_up.to_owned());
    assert_eq!(browser.sees().await, NOBODY);
    browser.post("/login").await;
    assert_ne!(browser.cookie.as_deref(), Some(made_up));
    assert_eq!(browser.sees().await, "alice, nobody");
    assert_eq!(store.len(), 1);
}
