//! How often one address and one account may ask. Measured by the machine's own steady clock, not by
//! that of the records: it protects this process, now.

mod caller;

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use uuid::Uuid;

pub(crate) use caller::{Caller, Network};

use crate::config::limits::LimitSettings;
use crate::problem::{Code, Problem};

/// How often those that ask no more are forgotten.
const SWEEP: Duration = Duration::from_mins(1);
/// Addresses that balancers look at to see whether the service is there.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// The limits in force. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Rates(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    settings: LimitSettings,
    addresses: Option<Rate<Network>>,
    sign_ins: Option<Rate<Network>>,
    accounts: Option<Rate<Uuid>>,
}

impl Rates {
    /// As set.
    pub(crate) fn new(settings: &LimitSettings) -> Self {
        Self(Arc::new(Kept {
            addresses: Rate::per_minute(settings.rate_per_address),
            sign_ins: Rate::per_minute(settings.sign_in_rate),
            accounts: Rate::per_minute(settings.rate_per_account),
            settings: settings.clone(),
        }))
    }

    /// Counts a request with a password from `caller`.
    ///
    /// # Errors
    ///
    /// 429 where there were too many.
    pub(crate) fn sign_in(&self, caller: Network) -> Result<(), Problem> {
        check(self.0.sign_ins.as_ref(), &caller)
    }

    /// Counts a request by `account`.
    ///
    /// # Errors
    ///
    /// 429 where there were too many.
    pub(crate) fn account(&self, account: Uuid) -> Result<(), Problem> {
        check(self.0.accounts.as_ref(), &account)
    }

    /// Forgets, from time to time, those that ask no more.
    pub(crate) async fn sweep(self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let both = [&self.0.addresses, &self.0.sign_ins];
            for rate in both.into_iter().flatten() {
                rate.forget();
            }
            if let Some(rate) = &self.0.accounts {
                rate.forget();
            }
        }
    }
}

/// Finds out who asks, and refuses who asks too often; before anything is read or looked up.
pub(crate) async fn of_address(
    State(rates): State<Rates>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<std::net::SocketAddr>>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    let caller = Caller::of(peer, request.headers(), &rates.0.settings.trusted_proxies);
    if !HEALTH.contains(&request.uri().path())
        && let Err(problem) = check(rates.0.addresses.as_ref(), &caller.network())
    {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn check<K: Hash + Eq + Clone>(rate: Option<&Rate<K>>, key: &K) -> Result<(), Problem> {
    match rate.map_or(Ok(()), |rate| rate.check(key)) {
        Ok(()) => Ok(()),
        Err(wait) => Err(too_many(wait)),
    }
}

/// The refusal of who asks too often, with the time after which they may again.
pub(crate) fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let seconds = seconds.max(1);
    Problem::new(Code::TooManyRequests)
        .detail(
            format!("Ask again in {seconds} s."),
            format!("请在 {seconds} 秒后重试。"),
        )
        .header(header::RETRY_AFTER, &seconds.to_string())
}

/// A number of requests a minute for each key; a minute's worth may come at once.
#[derive(Debug)]
struct Rate<K: Hash + Eq + Clone, C: Clock = MonotonicClock>(
    RateLimiter<K, HashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
);

impl<K: Hash + Eq + Clone> Rate<K> {
    /// None: no limit.
    fn per_minute(most: u32) -> Option<Self> {
        Some(Self::by(NonZeroU32::new(most)?, MonotonicClock))
    }
}

impl<K: Hash + Eq + Clone, C: Clock> Rate<K, C> {
    fn by(most: NonZeroU32, clock: C) -> Self {
        let quota = Quota::per_minute(most);
        Self(RateLimiter::new(quota, HashMapStateStore::default(), clock))
    }

    /// Counts one; the time to wait where there were too many.
    fn check(&self, key: &K) -> Result<(), Duration> {
        let checked = self.0.check_key(key);
        checked.map_err(|until| until.wait_time_from(self.0.clock().now()))
    }

    fn forget(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn a_minutes_worth_may_come_at_once_and_comes_again_with_time() {
        let clock = FakeRelativeClock::default();
        let rate = Rate::by(NonZeroU32::new(60).unwrap(), clock.clone());
        for _ in 0..60 {
            rate.check(&"a").unwrap();
        }
        assert_eq!(rate.check(&"a"), Err(Duration::from_secs(1)));
        rate.check(&"b").unwrap();
        clock.advance(Duration::from_secs(1));
        rate.check(&"a").unwrap();
        assert!(rate.check(&"a").is_err());
    }

    #[test]
    fn who_asks_no_more_is_forgotten() {
        let clock = FakeRelativeClock::default();
        let rate = Rate::by(NonZeroU32::new(60).unwrap(), clock.clone());
        for key in 0..1_000 {
            rate.check(&key).unwrap();
        }
        rate.forget();
        assert_eq!(rate.0.len(), 1_000);
        clock.advance(Duration::from_mins(2));
        rate.forget();
        assert_eq!(rate.0.len(), 0);
    }

    #[test]
    fn the_time_to_wait_is_never_rounded_to_nothing() {
        for (wait, said) in [(1, "1"), (999, "1"), (1_001, "2")] {
            let problem = too_many(Duration::from_millis(wait));
            let response = problem.into_response();
            let problem = response.extensions().get::<Problem>().unwrap();
            let body = problem.to_json(crate::language::Language::En).to_string();
            assert!(body.contains(&format!("in {said} s")), "{body}");
        }
    }
}
