//! The problems there are: stable codes that clients match on.

use axum::http::StatusCode;
use fundcycle_core::rejection::Text;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $Code:ident = $name:literal $status:ident $en:literal $zh:literal;)+) => {
        /// A kind of problem. Its name is the last part of `type` and never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Code { $($(#[doc = $doc])+ $Code,)+ }

        impl Code {
            /// Every problem there is.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$Code),+];

            /// The stable name.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$Code => $name),+ }
            }

            /// The status it is sent with.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$Code => StatusCode::$status),+ }
            }

            /// What is wrong, for people.
            pub(crate) fn title(self) -> Text {
                match self { $(Self::$Code => Text::new($en, $zh)),+ }
            }

            /// When it is answered, for the documentation.
            pub(crate) const fn summary(self) -> &'static str {
                match self { $(Self::$Code => concat!($($doc),+).trim_ascii_start()),+ }
            }
        }
    };
}

codes! {
    /// The request cannot be read: not JSON, an unknown parameter, a header of the wrong form.
    Malformed = "malformed" BAD_REQUEST "The request cannot be read" "请求无法解析";
    /// No token, or one that is not valid; the same for every address.
    Unauthenticated = "unauthenticated" UNAUTHORIZED "Sign in first" "请先登录";
    /// The password is right; send it again with `code`.
    SecondFactorNeeded = "second_factor_needed" UNAUTHORIZED "Send the code of your second factor, too" "请同时提供二次验证码";
    /// The record is visible and this move is not for the caller's roles.
    Forbidden = "forbidden" FORBIDDEN "Not allowed to your roles" "您的角色无权执行此操作";
    /// The token was made for other things; what it lacks is named in `WWW-Authenticate`.
    InsufficientScope = "insufficient_scope" FORBIDDEN "Not in the scope of this token" "该令牌无此权限";
    /// Your office asks for a second factor, and you have none yet; until then nothing else is answered.
    SecondFactorRequired = "second_factor_required" FORBIDDEN "Set up a second factor first" "请先启用二次验证";
    /// There is nothing here, or nothing that the caller may know of.
    NotFound = "not_found" NOT_FOUND "No such resource" "资源不存在";
    /// The address exists, for other methods.
    MethodNotAllowed = "method_not_allowed" METHOD_NOT_ALLOWED "Not a method of this address" "此地址不支持该方法";
    /// None of the media types asked for is given here.
    NotAcceptable = "not_acceptable" NOT_ACCEPTABLE "Not in a format that you accept" "没有您所接受的格式";
    /// The request did not arrive or was not done in time.
    TimedOut = "timed_out" REQUEST_TIMEOUT "The request took too long" "请求超时";
    /// The flow has no such move from the stage where the record stands.
    NotFromHere = "not_from_here" CONFLICT "Not possible at this stage" "当前阶段不能执行此操作";
    /// A condition of the move is not met yet.
    Shut = "shut" CONFLICT "A condition is not met yet" "条件尚未满足";
    /// What the move would bring about elsewhere is refused.
    Consequence = "consequence" CONFLICT "What would follow is not possible" "后续操作无法执行";
    /// The record has changed since the version named in `If-Match`.
    Stale = "stale" PRECONDITION_FAILED "The record has changed" "记录已被更改";
    /// The body is larger than is taken here.
    TooLarge = "too_large" PAYLOAD_TOO_LARGE "The request is too large" "请求内容过大";
    /// The body is not of a type that is taken here.
    UnsupportedMediaType = "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "Not a type that is taken here" "不支持的内容类型";
    /// The input cannot be accepted; every fault is listed.
    Invalid = "invalid" UNPROCESSABLE_ENTITY "The input cannot be accepted" "输入内容有误";
    /// The idempotency key was used for another request.
    KeyReused = "key_reused" UNPROCESSABLE_ENTITY "The idempotency key was used for another request" "幂等键已用于其他请求";
    /// The move replaces text, so `If-Match` has to say which version it is meant for.
    MatchRequired = "match_required" PRECONDITION_REQUIRED "Say which version you have seen" "请注明所依据的版本";
    /// Too many requests from this address or by this account; `Retry-After` says when to ask again.
    TooManyRequests = "too_many_requests" TOO_MANY_REQUESTS "Too many requests" "请求过于频繁";
    /// A fault of the service; nothing was changed.
    Internal = "internal" INTERNAL_SERVER_ERROR "The service failed" "服务内部错误";
    /// Too much waits; nothing was changed.
    Overloaded = "overloaded" SERVICE_UNAVAILABLE "Too busy; try again shortly" "系统繁忙,请稍后重试";
    /// The database cannot be reached or has no room; nothing was changed.
    Unavailable = "unavailable" SERVICE_UNAVAILABLE "The database takes nothing just now; try again" "数据库暂不可用,请稍后重试";
    /// The database did not confirm: it may or may not have happened.
    OutcomeUnknown = "outcome_unknown" SERVICE_UNAVAILABLE "Not confirmed; ask again with the same idempotency key" "结果未确认,请使用相同幂等键重试";
}

impl Code {
    /// The problem behind a bare status that a router or layer answered.
    pub(crate) fn of_bare(status: StatusCode) -> Option<Self> {
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Some(Self::Overloaded);
        }
        if !(status.is_client_error() || status.is_server_error()) {
            return None;
        }
        let first = Self::ALL
            .iter()
            .copied()
            .find(|code| code.status() == status);
        Some(first.unwrap_or(if status.is_client_error() {
            Self::Malformed
        } else {
            Self::Internal
        }))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn no_two_problems_share_a_name() {
        let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn every_bare_refusal_has_a_problem_and_no_success_has() {
        for status in 100..600 {
            let status = StatusCode::from_u16(status).unwrap();
            let refused = status.is_client_error() || status.is_server_error();
            assert_eq!(Code::of_bare(status).is_some(), refused, "{status}");
        }
    }
}
